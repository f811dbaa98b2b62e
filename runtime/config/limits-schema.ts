/** The configuration's `limits`: what bounds connections and exchanges, whatever protocol they speak. */

import { maxTimerMs } from './duration.ts';
import { section, wholeNumber } from './fields.ts';

/** Deadlines are checked about once a second. */
const leastWindowMs = 1_000;
const mostBytesPerSecond = 1_073_741_824;

function rate(description: string, bytesPerSecond: number, windowMs: number) {
  return section(description, {
    bytesPerSecond: wholeNumber('The least rate; 0: any.', {
      from: 0,
      to: mostBytesPerSecond,
      byDefault: bytesPerSecond,
    }),
    windowMs: wholeNumber('Over how long it is judged. Time in which the peer is held back is left out.', {
      from: leastWindowMs,
      to: maxTimerMs,
      byDefault: windowMs,
    }),
  });
}

/** Of a route; overrides the one in `limits`. */
export const minRequestBytesPerSecond = wholeNumber(
  'The least rate of a request body, over limits.requestRate.windowMs; slower is answered 408. 0: any, as for uploads whose clients may fall silent. Default: limits.requestRate.bytesPerSecond.',
  { from: 0, to: mostBytesPerSecond, byDefault: undefined },
);

export const limitsSection = section('Bounds on connections and requests, whatever they speak.', {
  maxConnections: wholeNumber('Connections open at once, over all listeners; more are closed at once.', {
    from: 1,
    to: 1_000_000,
    byDefault: 20_000,
  }),
  maxConnectionsPerAddress: wholeNumber(
    'Connections open at once from one IPv4 address or one IPv6 /64; more are closed at once. Trusted proxies are exempt. 0: as many as in all.',
    { from: 0, to: 1_000_000, byDefault: 0 },
  ),
  handshakes: section(
    'TLS handshakes that are not finished, over all listeners; a connection beyond them waits for its turn, up to tls.handshakeTimeoutMs.',
    {
      max: wholeNumber('Handshakes under way at once; each holds some 80 KiB.', {
        from: 1,
        to: 1_000_000,
        byDefault: 1_000,
      }),
      graceMs: wholeNumber(
        'While a connection waits, the oldest handshake is ended to make room when it has gone on for this long.',
        { from: 1, to: maxTimerMs, byDefault: 2_000 },
      ),
      maxHelloBytes: wholeNumber(
        'A connection takes its turn when its ClientHello is whole, or this much of it has come; until then it costs some 9 KiB, and has tls.handshakeTimeoutMs.',
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
    'A connection without any request open is closed after this long (HTTP/1.1: http1.keepAliveTimeoutMs). 0: never.',
    { from: 0, to: maxTimerMs, byDefault: 180_000 },
  ),
  requestRate: rate(
    'The least rate at which a request body has to come while the application waits for it; slower is answered 408.',
    240,
    20_000,
  ),
  responseRate: rate(
    'The least rate at which a response has to be read while there is more of it; slower is reset. The buffers of the operating system hide what they hold, so the window should be long.',
    240,
    60_000,
  ),
  linger: section(
    'A connection that the server ends is read on until its peer closes it too, so that what was written last is not lost to a reset.',
    {
      quietMs: wholeNumber('A peer that sends nothing for this long is waited for no longer.', {
        from: 1,
        to: maxTimerMs,
        byDefault: 5_000,
      }),
      timeoutMs: wholeNumber('No peer is waited for longer than this.', {
        from: 1,
        to: maxTimerMs,
        byDefault: 30_000,
      }),
      maxBytes: wholeNumber('What is read of it meanwhile, and thrown away; the rest has to wait.', {
        from: 0,
        to: 1_073_741_824,
        byDefault: 262_144,
      }),
    },
  ),
  exchangeTimeoutMs: wholeNumber(
    'From a request head to the end of the response; then 408 if the request is not whole, 504 if it is, and a reset after the head. Tunnels are exempt. 0: any time.',
    { from: 0, to: maxTimerMs, byDefault: 0 },
  ),
  directChannels: section(
    'Channels straight between a thread that calls actors and one where they live (see actors.md).',
    {
      max: wholeNumber(
        "Channels at once; each has two rings of the called pool's ringBytes. When more are wanted, the one that was used least goes, and its calls go by way of the reactor. 0: all calls do.",
        { from: 0, to: 65_536, byDefault: 32 },
      ),
      afterCalls: wholeNumber(
        'So many calls that a thread has made to one instance by way of the reactor, one after another, have those that follow go directly.',
        { from: 1, to: 65_536, byDefault: 32 },
      ),
    },
  ),
});
