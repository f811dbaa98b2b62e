import type { Exchange, Lifespan, LifespanContext } from '../../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../../server/signals.ts';
import { enter, session } from './session.ts';

// The loading of a module and its lifespan have a context as well, which is not the exchanges'.
session.enterWith('the module');

async function application(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const user = fields.get('x-user');
  const found = enter(user);
  if (path.endsWith('/cut')) return waitForCut(exchange, fields.get(SIGNALS_FIELD) as string, user as string);
  if (path.endsWith('/drain')) return waitForDrain(exchange, fields.get(SIGNALS_FIELD) as string);
  await exchange.body.text();
  exchange.respond(200, {}, `${found}, then ${session.getStore()}`);
}

/** The listener tells whose context it ran in, and leaves another behind. */
async function waitForCut(exchange: Exchange, channel: string, user: string): Promise<void> {
  const signals = new Signals(channel);
  exchange.signal.addEventListener('abort', () => {
    const found = session.getStore() ?? 'nobody';
    session.enterWith(`the listener of ${user}`);
    signals.tell(
      found === 'nobody' || found === user ? 'a context of its own' : `${user} got that of ${found}`,
    );
    signals.tell('cut');
  });
  signals.tell('waits');
  await exchange.closed;
  signals.close();
}

async function waitForDrain(exchange: Exchange, channel: string): Promise<void> {
  const signals = new Signals(channel);
  const { promise, resolve } = Promise.withResolvers<string>();
  exchange.draining.addEventListener('abort', () => resolve(enter('the listener')));
  signals.tell('waits');
  const found = await promise;
  exchange.respond(200, {}, found);
  signals.close();
}

const lifespan: Lifespan = {
  start({ draining }: LifespanContext) {
    session.enterWith('the start');
    draining.addEventListener('abort', () => session.enterWith('the drain'));
  },
};

export default { application, ...lifespan };
