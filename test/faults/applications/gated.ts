/** Exchanges that are answered a moment before another one of the same thread holds it, as a long computation does. */
import type { Exchange } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

/** What waits for a heavy exchange to come. */
const waiting: (() => void)[] = [];

function hold(signals: Signals): void {
  signals.tell('begun');
  signals.blockUntil('release');
}

const ways: { readonly [path: string]: (exchange: Exchange, signals: Signals) => void | Promise<void> } = {
  '/light': (exchange) => exchange.respond(200, {}, 'light'),
  '/heavy': (exchange, signals) => {
    hold(signals);
    exchange.respond(200, {}, 'heavy');
  },
  /** Is answered when a heavy one says so. */
  '/later': async (exchange, signals) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    signals.tell('waiting');
    await promise;
    exchange.respond(200, {}, 'later');
  },
  /** Has the others answered, and goes on in the same round of microtasks. */
  '/heavy-in-microtask': async (exchange, signals) => {
    for (const resolve of waiting.splice(0)) resolve();
    for (let i = 0; i < 20; i++) await undefined;
    hold(signals);
    exchange.respond(200, {}, 'heavy');
  },
  /** Has the others answered by timers, and goes on by a timer of the same moment. */
  '/heavy-in-timer': async (exchange, signals) => {
    for (const resolve of waiting.splice(0)) setTimeout(resolve, 5);
    await new Promise((resolve) => setTimeout(resolve, 5));
    hold(signals);
    exchange.respond(200, {}, 'heavy');
  },
  '/heavy-in-tick': async (exchange, signals) => {
    for (const resolve of waiting.splice(0)) process.nextTick(resolve);
    await new Promise<void>((resolve) => {
      process.nextTick(() => process.nextTick(() => process.nextTick(resolve)));
    });
    hold(signals);
    exchange.respond(200, {}, 'heavy');
  },
  /** Has the others answered, and ends the thread in the same round of microtasks. */
  '/deadly': async () => {
    for (const resolve of waiting.splice(0)) resolve();
    for (let i = 0; i < 20; i++) await undefined;
    process.exit(1);
  },
  /** Has the others answered when its body comes, and goes on. */
  '/heavy-at-body': async (exchange, signals) => {
    signals.tell('waiting');
    for await (const _ of exchange.body) {
      for (const resolve of waiting.splice(0)) resolve();
      for (let i = 0; i < 20; i++) await undefined;
      hold(signals);
    }
    exchange.respond(200, {}, 'heavy');
  },
};

export default async function gated(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const signals = new Signals(fields.get(SIGNALS_FIELD) ?? '');
  void exchange.closed.then(() => setImmediate(() => signals.close()));
  await ways[path]?.(exchange, signals);
}
