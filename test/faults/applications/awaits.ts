/** Exchanges that wait for one thing alone and never ask for anything else, beside staged ones that hold their thread. */
import type { Exchange, GatewayError } from '../../../workers/gateway.ts';
import staged from '../../server/applications/staged.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

export default async function awaits(exchange: Exchange): Promise<void> {
  const { pathname } = new URL(exchange.request.path, 'http://test.invalid');
  switch (pathname) {
    case '/trailers':
      return exchange.respond(200, {}, JSON.stringify([...(await exchange.trailers)]));
    case '/body':
      return exchange.respond(200, {}, JSON.stringify(await exchange.body.text()));
    case '/signal':
      return tell(exchange, untilAborted(exchange.signal));
    case '/closed':
      return tell(
        exchange,
        exchange.closed.then(({ by, how, code }) => `${how} by ${by} code ${code}`),
      );
    default:
      return staged(exchange);
  }
}

async function tell({ request }: Exchange, awaited: Promise<string>): Promise<void> {
  const signals = new Signals(request.fields.get(SIGNALS_FIELD) ?? '');
  signals.tell(`begun ${request.path}`);
  signals.tell(`${request.path} ${await awaited}`);
  setImmediate(() => signals.close());
}

function untilAborted(signal: AbortSignal): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const told = () => {
    const { closedBy, resetCode } = signal.reason as GatewayError;
    resolve(`aborted by ${closedBy} code ${resetCode}`);
  };
  if (signal.aborted) told();
  else signal.addEventListener('abort', told);
  return promise;
}
