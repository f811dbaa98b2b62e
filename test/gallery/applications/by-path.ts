/** An application of one for each path; what stands in the query is theirs. */
import type { Application, Exchange } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

export function byPath(applications: { readonly [path: string]: Application }): Application {
  return (exchange) => {
    const { path } = exchange.request;
    const application = applications[path.split('?')[0] as string];
    if (application === undefined) return exchange.respond(404, {}, `nothing at ${path}`);
    return application(exchange);
  };
}

export function queryOf({ request: { path } }: Exchange): URLSearchParams {
  return new URL(path, 'http://test.invalid').searchParams;
}

/** Lends the test's channel to what is done meanwhile. */
export async function withSignals(exchange: Exchange, use: (signals: Signals) => unknown): Promise<void> {
  const signals = new Signals(exchange.request.fields.get(SIGNALS_FIELD) as string);
  try {
    await use(signals);
  } finally {
    // What was told last is still on its way.
    setImmediate(() => signals.close());
  }
}
