/** An application that has something to begin and to end. */
import type { Exchange, LifespanContext } from '../../../workers/gateway.ts';
import { Signals } from '../../server/signals.ts';

const signals = new Signals('faces lifespan');
let pool = 'not started';

export default {
  async start(context: LifespanContext): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    pool = context.pool;
  },
  async stop(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    signals.tell(`stopped ${pool}`);
    signals.close();
  },
  application(exchange: Exchange): void {
    exchange.respond(200, {}, pool);
  },
};
