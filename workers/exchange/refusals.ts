/** The errors for an application that sends too much, too early or too late. */
import { ExchangeClosedError, HostError } from './errors.ts';

/**
 * Marks a rejection as handled. A peer can cut an exchange off at any time. An application that does not
 * await its writes learns about that from `signal` and `closed`. An unhandled rejection would end the whole
 * thread with all of its exchanges.
 */
export function refuse(written: PromiseWithResolvers<void>, error: HostError): void {
  written.promise.catch(() => undefined);
  written.reject(error);
}

export function refusal(error: HostError): Promise<never> {
  return error instanceof ExchangeClosedError ? unheard(error) : Promise.reject(error);
}

/** A rejection that does no harm if the application does not handle it. */
export function unheard(error: HostError): Promise<never> {
  const refused = Promise.reject(error);
  refused.catch(() => undefined);
  return refused;
}

/** @param found what waits, and the limit */
export function backlog(found: string): HostError {
  return new HostError(
    'SLUICE_WRITE_BACKLOG',
    `expected an application that awaits what it sends, as in \`await exchange.write(…)\`: ${found}`,
  );
}

/** The error for a second head. */
export function responseStarted(): HostError {
  return new HostError('SLUICE_RESPONSE_STARTED', 'expected no response yet, its head has been sent already');
}

/** The error for content or an end that comes before the head or after the end. */
export function notStartedOrEnded(isIdle: boolean): HostError {
  return isIdle
    ? new HostError('SLUICE_RESPONSE_NOT_STARTED', 'expected respond() before write() and end()')
    : new HostError('SLUICE_RESPONSE_ENDED', 'expected nothing after the end of the response');
}
