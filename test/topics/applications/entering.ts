/**
 * Subscribers and publishers that keep a user in the async context. A subscriber looks, message by message, whose context it is in, and
 * leaves another behind; what it has seen is its answer.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { topic } from '../../../workers/actors/actors.ts';
import type { Exchange } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

const session = new AsyncLocalStorage<string>();
const news = topic<number>('news');
const look = (): string => session.getStore() ?? 'nobody';

/** A subscriber of the lifespan's, which begins in a context of its own. */
const early = new Set<string>();
export async function start(): Promise<void> {
  session.enterWith('the start');
  const mine = news.subscribe();
  await mine.ready;
  void (async () => {
    for await (const _ of mine) early.add(look());
  })();
}

/** `/loop/COUNT`, `/next/COUNT`, `/publish/COUNT`, `/early`; `x-user` is whom the exchange is for. */
export default async function entering(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const [, how, count] = /\/(\w+)\/?(\d*)$/.exec(path) ?? [];
  const user = fields.get('x-user') ?? '';
  const seen = new Set([look()]);
  if (how === 'early') exchange.respond(200, {}, JSON.stringify([...early]));
  session.enterWith(user);
  if (how === 'publish') {
    for (let n = 0; n < Number(count); n++) await news.publish(n);
    exchange.respond(204);
  }
  if (how !== 'loop' && how !== 'next') return;
  const signals = new Signals(fields.get(SIGNALS_FIELD) ?? '');
  const mine = news.subscribe({ capacity: 4_096 });
  await mine.ready;
  seen.add(look());
  signals.tell('ready');
  const see = () => {
    seen.add(look());
    session.enterWith(`a message of ${user}`);
  };
  if (how === 'loop') {
    let left = Number(count);
    for await (const _ of mine) {
      see();
      if (--left === 0) break;
    }
  } else {
    // Asked for before they are there, so that one turn answers several.
    const asked = Array.from({ length: Number(count) }, () => mine.next());
    await Promise.all(asked.map((next) => next.then(see)));
    mine.close();
  }
  exchange.respond(200, {}, JSON.stringify([...seen]));
  signals.close();
}
