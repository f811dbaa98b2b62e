/**
 * Requests that the server makes itself. An application answers them before its thread takes others, so that
 * whatever is compiled, cached or connected on first use is ready by then. They run like any other exchange,
 * and their responses are discarded.
 */
import type { HostOptions, WarmUpRequest } from '../../wire/control.ts';
import { describeError } from '../../wire/error-report.ts';
import { HostedExchange } from '../exchange/exchange.ts';
import { incomplete } from '../exchange/incomplete.ts';
import type { Outlet } from '../exchange/outlet.ts';
import { ReceivedFields } from '../fields/received.ts';
import type { Application, ExchangeRequest } from '../gateway.ts';

/** The most that fits into a message of the largest ring. */
const MOST_BYTES = 2 ** 24;

/** The application did not answer a warm-up request, or answered it with a server error. */
class WarmUpError extends Error {
  override readonly name = 'WarmUpError';
}

/**
 * Runs them one after the other.
 * @param reached called with the name of each request before it begins
 * @throws WarmUpError
 */
export async function warmUp(
  application: Application,
  options: HostOptions,
  reached: (what: string) => void,
): Promise<void> {
  for (const asked of options.warmUp ?? []) {
    const outlet = new WarmUpOutlet(options);
    const exchange = new HostedExchange(outlet, 0, requestOf(asked), true);
    const what = `the warm-up request ${asked.method} ${asked.path}`;
    reached(what);
    try {
      const result = await exchange.begin(application);
      if (!exchange.onReturn()) throw incomplete(result);
    } catch (thrown) {
      const cause = exchange.failure ?? thrown;
      exchange.onFailure();
      throw new WarmUpError(`${what} failed: ${describeError(cause, options.maxErrorChars).message}`, {
        cause,
      });
    }
    await outlet.finishing.promise;
    if (outlet.status < 500) continue;
    throw new WarmUpError(`expected ${what} to be answered with a status below 500, got ${outlet.status}`);
  }
}

function requestOf({ method, path, host }: WarmUpRequest): ExchangeRequest {
  return {
    method,
    path,
    authority: host,
    scheme: 'http',
    protocol: '',
    version: '2',
    // The `user-agent` by which an application can recognise a warm-up request.
    fields: new ReceivedFields(['user-agent', 'sluice-warm-up']),
    remote: { address: '127.0.0.1', port: 0 },
    tls: null,
    priority: { urgency: 3, incremental: false },
  };
}

/** Accepts everything at once, and reports to the exchange one turn later that its peer has read it. */
class WarmUpOutlet implements Outlet<HostedExchange> {
  readonly options: HostOptions;
  readonly isDraining = false;
  readonly maxDataBytes = MOST_BYTES;
  readonly maxHeadBytes = MOST_BYTES;
  readonly finishing = Promise.withResolvers<void>();
  status = 500;
  #pushes = 0;

  constructor(options: HostOptions) {
    this.options = options;
  }

  sendHead(
    exchange: HostedExchange,
    _flags: number,
    status: number,
    _fields: readonly string[],
    body: Uint8Array | null,
  ): boolean {
    this.status = status;
    this.#taken(exchange, body?.length ?? 0);
    return true;
  }

  sendInform(): boolean {
    return true;
  }

  sendData(
    exchange: HostedExchange,
    _flags: number,
    _bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    this.#taken(exchange, end - start);
    return true;
  }

  #taken(exchange: HostedExchange, bytes: number): void {
    if (bytes > 0) setImmediate(() => exchange.onCredit(bytes));
  }

  sendTrailers(): boolean {
    return true;
  }

  sendCredit(): boolean {
    return true;
  }

  nextPushNumber(): number {
    return ++this.#pushes;
  }

  sendPush(): boolean {
    return true;
  }

  sendPad(): boolean {
    return true;
  }

  stalled(): void {
    // The credit arrives by itself.
  }

  unstalled(): void {
    // As above.
  }

  oweCredit(): void {
    // A warm-up request has no content.
  }

  sendClosed(): void {
    // No caller waits for this.
  }

  sendReset(): void {
    this.status = 500;
  }

  finished(): void {
    this.finishing.resolve();
  }
}
