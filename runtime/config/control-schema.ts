/** The configuration's `control`: the socket for commands of the same user. */
import * as v from 'valibot';
import { flag, section, wholeNumber } from './fields.ts';
import { busyFields, maxStreams } from './operator-fields.ts';

export const controlSection = section(
  'The control socket: a Unix domain socket for the user who runs the server (see control-socket.md).',
  {
    enabled: flag('Whether the server has one.', true),
    path: v.optional(
      v.pipe(
        v.string('the path of a socket'),
        v.minLength(1, 'the path of a socket'),
        v.description(
          'Where it is, in a folder that belongs to the user alone (mode 0700); a missing folder is created. If you set it, the server does not start without the socket. Default: a place that the commands find by this file; if no such place can be used, the server warns and runs without a socket.',
        ),
      ),
    ),
    maxConnections: wholeNumber('Connections open at once; more are closed at once.', {
      from: 1,
      to: 1_024,
      byDefault: 16,
    }),
    maxExchanges: wholeNumber(
      'Requests that run at once, or whose answers the client has not read; more are answered 503.',
      { from: 1, to: 1_024, byDefault: 32 },
    ),
    maxRequestsPerSecond: wholeNumber(
      'Requests in a second, over all connections; as many may come at once. More are answered 429, and their connection is closed.',
      { from: 1, to: 1_000_000, byDefault: 1_000 },
    ),
    maxStreams: maxStreams(),
    ...busyFields(),
    logBytes: wholeNumber(
      'How many bytes of the newest log lines, as JSON, are kept for sluice logs. 0: none.',
      { from: 0, to: 1_073_741_824, byDefault: 1_048_576 },
    ),
    maxBodyBytes: wholeNumber('Bytes of a request body; more is answered 413.', {
      from: 1_024,
      to: 16_777_216,
      byDefault: 65_536,
    }),
  },
);
