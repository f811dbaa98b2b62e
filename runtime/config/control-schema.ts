/** The configuration's `control`: the socket for commands of the same user. */
import * as v from 'valibot';
import { flag, section, wholeNumber } from './fields.ts';

export const controlSection = section(
  'The control socket: a Unix domain socket for the user who runs the server, and nobody else (see control-socket.md).',
  {
    enabled: flag('Whether there is one.', true),
    path: v.optional(
      v.pipe(
        v.string('the path of a socket'),
        v.minLength(1, 'the path of a socket'),
        v.description(
          'Where it is, in a folder that belongs to the user alone (mode 0700), which is made if it is missing; the server does not start without it then. Default: a place that the command line finds by this file, and a warning where none can be had.',
        ),
      ),
    ),
    maxConnections: wholeNumber('Connections open at once; more are closed at once.', {
      from: 1,
      to: 1_024,
      byDefault: 16,
    }),
    maxExchanges: wholeNumber('Requests that are answered at once; more are answered 503.', {
      from: 1,
      to: 1_024,
      byDefault: 32,
    }),
    maxRequestsPerSecond: wholeNumber(
      'Requests that are answered in a second, over all connections, as many at once; more are answered 429.',
      { from: 1, to: 1_000_000, byDefault: 1_000 },
    ),
    logBytes: wholeNumber(
      'Of the newest lines of the log, as JSON, that are kept for sluice logs. 0: none.',
      { from: 0, to: 1_073_741_824, byDefault: 1_048_576 },
    ),
    maxBodyBytes: wholeNumber('Bytes of a request body; more is answered 413.', {
      from: 1_024,
      to: 16_777_216,
      byDefault: 65_536,
    }),
  },
);
