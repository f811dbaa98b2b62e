/** How often each deadline has ended an exchange or a connection: plain numbers that their owner reads when it needs them. */

/** Why an exchange or a connection was ended. Each reason is also the name of its counter. */
export const Deadline = {
  /** A TLS handshake took longer than `tls.handshakeTimeoutMs`: the connection is closed. */
  TlsHandshake: 'tlsHandshake',
  /** A request head took longer than `limits.headerTimeoutMs`: 408 over HTTP/1.1, otherwise the connection ends. */
  Header: 'header',
  /** A request body arrived more slowly than `limits.requestRate`: 408, or a reset after the head. */
  RequestRate: 'requestRate',
  /** A response was read more slowly than `limits.responseRate`: a reset, or the connection ends. */
  ResponseRate: 'responseRate',
  /** A connection had no open request for longer than allowed: it is closed. */
  Idle: 'idle',
  /** An exchange took longer than `limits.exchangeTimeoutMs`: 408, 504, or a reset after the head. */
  Exchange: 'exchange',
  /** The server stopped and `drainTimeoutMs` had passed: a reset. */
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
