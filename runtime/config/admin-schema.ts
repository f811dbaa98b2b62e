/** The configuration's `admin`: the endpoints of the control socket over TCP, with a token, and the dashboard. */
import * as v from 'valibot';
import { wholeNumber } from './fields.ts';
import { busyFields, maxRememberedAddresses, maxStreams } from './operator-fields.ts';

const expected = 'a TCP address such as "127.0.0.1:9465"';
const hostName = 'a host name without a port';

export const adminSection = v.optional(
  v.pipe(
    v.strictObject(
      {
        address: v.optional(
          v.pipe(
            v.string(expected),
            v.description(
              'Where it listens. On another address than loopback, tokenFile is needed. There is no TLS: put a proxy with TLS in front, or a tunnel.',
            ),
            v.metadata({ pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.-]+):[0-9]{1,5}$' }),
          ),
          '127.0.0.1:9465',
        ),
        tokenFile: v.optional(
          v.pipe(
            v.string('the path of a file'),
            v.minLength(1, 'the path of a file'),
            v.description(
              `A file with the token that requests carry as "authorization: Bearer …": 32 to 1024 visible characters, in a file that only the server's user may read. Default: none; then only the links of sluice dashboard give access.`,
            ),
          ),
        ),
        hosts: v.optional(
          v.pipe(
            v.array(
              v.pipe(v.string(hostName), v.regex(/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/, hostName)),
              'an array of host names',
            ),
            v.maxLength(64, 'at most 64 host names'),
            v.description(
              'Host names by which browsers may reach it, for example behind a proxy. IP addresses, and localhost on loopback, are always allowed.',
            ),
          ),
          [],
        ),
        maxConnections: wholeNumber(
          'Connections open at once. Beyond that the oldest one that has shown neither a token nor a session makes room, of the address that has most.',
          { from: 1, to: 1_024, byDefault: 32 },
        ),
        maxExchanges: wholeNumber(
          'Requests with a token or a session that run at once, or whose answers the client has not read; more are answered 503.',
          { from: 1, to: 1_024, byDefault: 64 },
        ),
        maxRequestsPerSecond: wholeNumber(
          'Requests in a second with a token or a session, over all connections; as many may come at once. Also the others from one address (IPv6: one /64). More are answered 429, and their connection is closed.',
          { from: 1, to: 1_000_000, byDefault: 200 },
        ),
        maxStreams: maxStreams(),
        ...busyFields(),
        maxBodyBytes: wholeNumber('Bytes of a request body; more is answered 413.', {
          from: 1_024,
          to: 16_777_216,
          byDefault: 65_536,
        }),
        wrongTokensPerMinute: wholeNumber(
          'Wrong tokens from one address (IPv6: one /64) in a minute; as many may come at once. Beyond that every request from there is answered 429, even with the right token.',
          { from: 1, to: 1_000_000, byDefault: 10 },
        ),
        maxRememberedAddresses: maxRememberedAddresses('requests without a token, and wrong tokens,'),
        linkTimeoutMs: wholeNumber('How long a link of sluice dashboard is valid; it gives access once.', {
          from: 1_000,
          to: 86_400_000,
          byDefault: 300_000,
        }),
        sessionTimeoutMs: wholeNumber('How long a browser keeps its access.', {
          from: 1_000,
          to: 2_147_483_647,
          byDefault: 28_800_000,
        }),
        maxSessions: wholeNumber('Browsers with access, and valid links; the oldest make room.', {
          from: 1,
          to: 10_000,
          byDefault: 64,
        }),
      },
      'an object',
    ),
    v.description(
      'The dashboard and the admin endpoints over TCP, always with a token (see admin.md). The section switches it on, even as {}. Default: off.',
    ),
  ),
);
