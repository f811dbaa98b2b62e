/** The configuration's `monitoring`: a separate listener for probes and scrapers. */
import * as v from 'valibot';
import { addressPattern } from './address.ts';
import { wholeNumber } from './fields.ts';

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
          'Connections open at once, and streams on each; more connections are closed at once, more streams refused.',
          { from: 1, to: 1_024, byDefault: 32 },
        ),
      },
      'an object',
    ),
    v.description(
      'A separate listener for probes and scrapers, without TLS and without a token: /livez, /readyz and /metrics (see monitoring.md). The section switches it on, even as {}. Default: off.',
    ),
  ),
);
