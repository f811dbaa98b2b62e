/** The configuration's `monitoring`: a separate listener for probes and scrapers. */
import * as v from 'valibot';
import { addressPattern } from './address.ts';
import { wholeNumber } from './fields.ts';
import { maxRememberedAddresses, maxStreams } from './operator-fields.ts';

const expected = 'an address such as "127.0.0.1:9464" or "unix:/run/monitoring.sock"';

export const monitoringSection = v.optional(
  v.pipe(
    v.strictObject(
      {
        address: v.optional(
          v.pipe(
            v.string(expected),
            v.description('Where it listens: a TCP address or a Unix domain socket.'),
            v.metadata({ pattern: addressPattern }),
          ),
          '127.0.0.1:9464',
        ),
        maxConnections: wholeNumber(
          'Connections open at once. Beyond that the oldest one makes room, of the address that has most.',
          { from: 1, to: 1_024, byDefault: 32 },
        ),
        maxRequestsPerSecond: wholeNumber(
          'Requests in a second from one address (IPv6: one /64); as many may come at once. More are answered 429, and their connection is closed.',
          { from: 1, to: 1_000_000, byDefault: 500 },
        ),
        maxRememberedAddresses: maxRememberedAddresses('requests'),
        maxStreams: maxStreams(),
      },
      'an object',
    ),
    v.description(
      'A separate listener for probes and scrapers, without TLS and without a token: /livez, /readyz and /metrics (see monitoring.md). The section switches it on, even as {}. Default: off.',
    ),
  ),
);
