/** How often each deadline has ended something: plain numbers, which their owner reads when it likes. */

/** Why something was ended. Each is also the name of its counter. */
export const Deadline = {
  /** A TLS handshake took longer than `tls.handshakeTimeoutMs`: the connection is closed. */
  TlsHandshake: 'tlsHandshake',
  /** A request head took longer than `limits.headerTimeoutMs`: 408 over HTTP/1.1, otherwise the connection ends. */
  Header: 'header',
  /** A request body came slower than `limits.requestRate`: 408, or after the head a reset. */
  RequestRate: 'requestRate',
  /** A response was read slower than `limits.responseRate`: a reset, or the connection ends. */
  ResponseRate: 'responseRate',
  /** A connection had no request open for longer than it may: it is closed. */
  Idle: 'idle',
  /** An exchange took longer than `limits.exchangeTimeoutMs`: 408, 504, or after the head a reset. */
  Exchange: 'exchange',
  /** The server stopped and `drainTimeoutMs` was over: a reset. */
  Drain: 'drain',
} as const;
export type Deadline = (typeof Deadline)[keyof typeof Deadline];

export class DeadlineCounters {
  tlsHandshake = 0;
  header = 0;
  requestRate = 0;
  responseRate = 0;
  idle = 0;
  exchange = 0;
  drain = 0;
}
