/** The configuration's `limits`: limits of connections and exchanges for both protocols. */

import { maxTimerMs } from './duration.ts';
import { section, wholeNumber } from './fields.ts';

/** Deadlines are checked about once a second. */
const leastWindowMs = 1_000;
const mostBytesPerSecond = 1_073_741_824;

function rate(description: string, bytesPerSecond: number, windowMs: number) {
  return section(description, {
    bytesPerSecond: wholeNumber('The lowest rate; 0: none.', {
      from: 0,
      to: mostBytesPerSecond,
      byDefault: bytesPerSecond,
    }),
    windowMs: wholeNumber(
      'The time over which the rate is measured. Time in which something else holds the peer back does not count.',
      {
        from: leastWindowMs,
        to: maxTimerMs,
        byDefault: windowMs,
      },
    ),
  });
}

/** A route's own rate, which overrides the one in `limits`. */
export const minRequestBytesPerSecond = wholeNumber(
  'The lowest rate of a request body, over limits.requestRate.windowMs; a slower one is answered 408. 0: none, for clients that may be silent during an upload. Default: limits.requestRate.bytesPerSecond.',
  { from: 0, to: mostBytesPerSecond, byDefault: undefined },
);

export const limitsSection = section('Limits of connections and requests, for both protocols.', {
  maxConnections: wholeNumber('Connections open at once, over all listeners; more are closed at once.', {
    from: 1,
    to: 1_000_000,
    byDefault: 20_000,
  }),
  maxConnectionsPerAddress: wholeNumber(
    'Connections open at once from one IPv4 address or one IPv6 /64; more are closed at once. Trusted proxies are exempt. 0: no limit by address.',
    { from: 0, to: 1_000_000, byDefault: 0 },
  ),
  handshakes: section(
    'Unfinished TLS handshakes, over all listeners. Further connections wait for their turn, for at most tls.handshakeTimeoutMs.',
    {
      max: wholeNumber('Handshakes under way at once; each holds some 80 KiB.', {
        from: 1,
        to: 1_000_000,
        byDefault: 1_000,
      }),
      graceMs: wholeNumber(
        'While a connection waits, the oldest handshake is ended if it has lasted for this long.',
        { from: 1, to: maxTimerMs, byDefault: 2_000 },
      ),
      maxHelloBytes: wholeNumber(
        'A connection starts its handshake when its ClientHello is complete or this long. Until then it holds some 9 KiB, for at most tls.handshakeTimeoutMs.',
        { from: 1, to: 65_536, byDefault: 4_096 },
      ),
    },
  ),
  maxTargetBytes: wholeNumber(
    'Bytes of a request target (path and query); more is answered 414. Over HTTP/1.1 it counts towards http1.maxHeaderBytes, over HTTP/2 towards http2.maxFieldListBytes.',
    { from: 1, to: 1_048_576, byDefault: 8_192 },
  ),
  headerTimeoutMs: wholeNumber('A new connection has this long to send its first request head.', {
    from: 1,
    to: maxTimerMs,
    byDefault: 10_000,
  }),
  idleTimeoutMs: wholeNumber(
    'A connection without an open request is closed after this long (over HTTP/1.1 http1.keepAliveTimeoutMs applies). 0: never.',
    { from: 0, to: maxTimerMs, byDefault: 180_000 },
  ),
  requestRate: rate(
    'The lowest rate of a request body while the application waits for it; a slower one is answered 408.',
    240,
    20_000,
  ),
  responseRate: rate(
    "The lowest rate at which a peer may read a response while more of it waits; a slower one is reset. The operating system's buffers hide their contents, so the window should be long.",
    240,
    60_000,
  ),
  linger: section(
    'After the server has ended a connection it continues to read until the peer closes too, so that a TCP reset does not destroy the last output.',
    {
      quietMs: wholeNumber('How long a peer may send nothing.', {
        from: 1,
        to: maxTimerMs,
        byDefault: 5_000,
      }),
      timeoutMs: wholeNumber('How long the server waits for a peer in all.', {
        from: 1,
        to: maxTimerMs,
        byDefault: 30_000,
      }),
      maxBytes: wholeNumber('How many bytes the server reads and discards meanwhile.', {
        from: 0,
        to: 1_073_741_824,
        byDefault: 262_144,
      }),
    },
  ),
  exchangeTimeoutMs: wholeNumber(
    'How long an exchange may last, from the request head to the end of the response. Then it is answered 408 if the request is incomplete and 504 otherwise, or reset if the response has begun. Tunnels are exempt. 0: any time.',
    { from: 0, to: maxTimerMs, byDefault: 0 },
  ),
  directChannels: section(
    'Channels between a thread that calls actors and a thread that has them, without the reactor (see actors.md).',
    {
      max: wholeNumber(
        "The most channels; each has two rings of the called pool's ringBytes. Beyond that the least used one closes, and its calls go through the reactor. 0: all calls go through the reactor.",
        { from: 0, to: 65_536, byDefault: 32 },
      ),
      afterCalls: wholeNumber(
        'After this many calls in a row from a thread to one instance, the next calls use a channel.',
        { from: 1, to: 65_536, byDefault: 32 },
      ),
    },
  ),
});
