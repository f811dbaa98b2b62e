/** An application below a stack of the gallery that tells its test how it was interrupted. */
import { stackOf } from '../../../apps/middleware/catalogue.ts';
import type { Exchange, GatewayError } from '../../../workers/gateway.ts';
import { acceptWebSocket } from '../../../workers/websocket/accept.ts';
import { queryOf, withSignals } from './by-path.ts';

export default function interrupted(exchange: Exchange): void | Promise<void> {
  const stack = stackOf((exchange.request.fields.get('x-stack') as string).split(','));
  if (typeof stack === 'string') throw new Error(`expected a stack, there is no ${stack}`);
  return stack(wait)(exchange);
}

/** Stays in a WebSocket until it is left. */
function stay(exchange: Exchange, id: string | null): Promise<void> {
  return withSignals(exchange, async (signals) => {
    const socket = await acceptWebSocket(exchange, { origins: 'any' });
    if (socket === null) return;
    await socket.send('hello');
    for await (const message of socket) await socket.send(message);
    const { code } = await socket.closed;
    await exchange.closed;
    signals.tell(`left ${id} ${code}`);
  });
}

function wait(exchange: Exchange): Promise<void> {
  const id = queryOf(exchange).get('id');
  if (exchange.request.protocol === 'websocket') return stay(exchange, id);
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
