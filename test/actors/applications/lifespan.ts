/** An application whose lifespan hooks call an actor. What `stop` has got is told on a channel that the test has named. */
import { getEnvironmentData } from 'node:worker_threads';
import { type ActorError, actor } from '../../../workers/actors/actors.ts';
import type { Exchange } from '../../../workers/gateway.ts';
import { Signals } from '../../server/signals.ts';
import type { Counter } from './state.ts';

export { Counter } from './state.ts';

const counters = actor<typeof Counter>('counter');
let own = '';
let started: number;

export async function start({ pool }: { readonly pool: string }): Promise<void> {
  own = pool;
  started = await counters.of(pool).add(1);
}

export async function stop(): Promise<void> {
  const signals = new Signals(getEnvironmentData('sluice-lifespan') as string);
  const got = await counters
    .of(own)
    .where()
    .catch(({ code }: ActorError) => code);
  signals.tell(`${own} stops: ${got}`);
  // What has been told goes on its way with the next turn of the loop.
  await new Promise((resolve) => setImmediate(resolve));
  signals.close();
}

export default function answer(exchange: Exchange): void {
  exchange.respond(200, {}, String(started));
}
