/** An application as a Fetch handler, for Hono, h3 or any server of Fetch handlers. */
import type { Application } from '../../gateway.ts';
import { type Downgrade, type DowngradeOptions, downgradeOf } from '../downgrade.ts';
import { ExchangeOverFetch } from './exchange-over-fetch.ts';
import { exchangeOf, remember } from './folds.ts';
import { HeldExchange } from './held-exchange.ts';

export interface ToFetchOptions {
  readonly downgrade?: DowngradeOptions;
}

/**
 * A failure before the response rejects. `fromFetch` of the result returns the application itself. Below Fetch layers the application gets
 * the parts of the exchange that the layers left alone.
 */
export function toFetch(
  application: Application,
  options: ToFetchOptions = {},
): (request: Request) => Promise<Response> {
  const downgrade = downgradeOf(options.downgrade);
  const handler = (request: Request) => run(application, request, downgrade);
  remember(handler, application);
  return handler;
}

function run(application: Application, request: Request, downgrade: Downgrade): Promise<Response> {
  const above = exchangeOf(request);
  const exchange = new HeldExchange(above ?? new ExchangeOverFetch(request), downgrade);
  const returned = () => {
    if (!exchange.isComplete)
      exchange.fail(new Error('the application returned before its response was complete'));
  };
  try {
    const result = application(exchange);
    if (result === undefined) returned();
    else result.then(returned, (error: unknown) => exchange.fail(error));
  } catch (error) {
    exchange.fail(error);
  }
  return exchange.response;
}
