/** The errors that an application gets which sends more than can be sent, too early or too late. */
import { ExchangeClosedError, HostError } from './errors.ts';

/**
 * Marks a rejection as handled. A peer can cut an exchange off at any time. An application that does not wait
 * for its writes learns it from `signal` and `closed`, and a rejection that nobody handles would end the
 * whole thread, with every other exchange in it.
 */
export function refuse(written: PromiseWithResolvers<void>, error: HostError): void {
  written.promise.catch(() => undefined);
  written.reject(error);
}

export function refusal(error: HostError): Promise<never> {
  return error instanceof ExchangeClosedError ? unheard(error) : Promise.reject(error);
}

/** A rejection that does no harm if nobody handles it. */
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

/** For a head after the head. */
export function responseStarted(): HostError {
  return new HostError('SLUICE_RESPONSE_STARTED', 'expected no response yet, its head has been sent already');
}

/** For content, or an end, before the head or after the end. */
export function notStartedOrEnded(isIdle: boolean): HostError {
  return isIdle
    ? new HostError('SLUICE_RESPONSE_NOT_STARTED', 'expected respond() before write() and end()')
    : new HostError('SLUICE_RESPONSE_ENDED', 'expected nothing after the end of the response');
}
