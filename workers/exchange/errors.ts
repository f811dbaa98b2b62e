/** The errors that a host throws into an application, and how the host recognises them. */
import type { Closed, GatewayError, GatewayErrorCode } from '../gateway.ts';

export class HostError extends Error implements GatewayError {
  readonly code: GatewayErrorCode;

  constructor(code: GatewayErrorCode, message: string) {
    super(message);
    this.name = 'GatewayError';
    this.code = code;
  }
}

/** An exchange was cut off: by whom, and with which HTTP/2 error code (RFC 9113 section 7). */
export class ExchangeClosedError extends HostError {
  readonly closedBy: Closed['by'];
  readonly resetCode: number;

  /** @param cause the error that ended the connection, if it is known */
  constructor(closed: Closed, cause?: Error) {
    super(
      'SLUICE_EXCHANGE_CLOSED',
      closed.how === 'complete'
        ? 'the exchange is over: its response was complete'
        : `the exchange is over: the ${closed.by} reset it with code 0x${closed.code.toString(16)}`,
    );
    if (cause !== undefined) this.cause = cause;
    this.closedBy = closed.by;
    this.resetCode = closed.code;
  }
}

/** Whether a thrown value says that an exchange, or a WebSocket in it, was over. */
export function isExchangeClosed(thrown: unknown): boolean {
  try {
    if (!(thrown instanceof Error && 'code' in thrown)) return false;
    return thrown.code === 'SLUICE_EXCHANGE_CLOSED' || thrown.code === 'SLUICE_WEBSOCKET_CLOSED';
  } catch {
    // A trap or a getter of the application's value threw. None of our errors has one.
    return false;
  }
}

/** A body exceeded the limit that the application had set. */
export function isTooLarge(thrown: unknown): boolean {
  try {
    return thrown instanceof HostError && thrown.code === 'SLUICE_BODY_TOO_LARGE';
  } catch {
    // As above.
    return false;
  }
}
