/** An application below a stack of the gallery that tells its test how it was interrupted. */
import { stackOf } from '../../../apps/middleware/catalogue.ts';
import type { Exchange, GatewayError } from '../../../workers/gateway.ts';
import { queryOf, withSignals } from './by-path.ts';

export default function interrupted(exchange: Exchange): void | Promise<void> {
  const stack = stackOf((exchange.request.fields.get('x-stack') as string).split(','));
  if (typeof stack === 'string') throw new Error(`expected a stack, there is no ${stack}`);
  return stack(wait)(exchange);
}

function wait(exchange: Exchange): Promise<void> {
  const id = queryOf(exchange).get('id');
  return withSignals(exchange, async (signals) => {
    exchange.signal.addEventListener('abort', () => {
      const { code, closedBy, resetCode } = exchange.signal.reason as GatewayError;
      signals.tell(`aborted ${id} ${code} by ${closedBy} code ${resetCode}`);
    });
    exchange.respond(200, { 'content-type': 'text/plain' });
    await exchange.write('begun');
    signals.tell(`begun ${id}`);
    const { by, how, code } = await exchange.closed;
    signals.tell(`closed ${id} ${how} by ${by} code ${code}`);
    // One is heard, and another is not, which must do no harm (rule 2.7).
    void exchange.write('unheard');
    await exchange.write('never').catch((error: GatewayError) => signals.tell(`write ${id} ${error.code}`));
    throw exchange.signal.reason;
  });
}
