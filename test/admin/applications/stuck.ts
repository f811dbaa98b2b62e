/** Exchanges that stand still, each for another reason, until the test says `release`. */
import { actor } from '../../../workers/actors/actors.ts';
import type { Exchange } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';
import type { Clerk } from './clerk.ts';

const PIECE = Buffer.alloc(65_536, 'x');
const clerk = actor<typeof Clerk>('clerk');

type Way = (exchange: Exchange, signals: Signals) => void | Promise<void>;

const ways: { readonly [path: string]: Way } = {
  /** Awaits something of its own. */
  '/await': async (exchange, signals) => {
    const released = signals.until('release');
    signals.tell('awaits');
    await released;
    exchange.respond(200, {}, 'awaited');
  },
  /** Holds its thread. */
  '/compute': (exchange, signals) => {
    signals.tell('computes');
    signals.blockUntil('release');
    exchange.respond(200, {}, 'computed');
  },
  /** Reads what its client does not send. */
  '/read': async (exchange, signals) => {
    signals.tell('reads');
    for await (const _piece of exchange.body);
    exchange.respond(200, {}, 'read');
  },
  /** Does not read what its client sends. */
  '/unread': async (exchange, signals) => {
    const released = signals.until('release');
    for await (const _piece of exchange.body) {
      signals.tell('reads no more');
      await released;
    }
    exchange.respond(200, {}, 'read');
  },
  /** Asks for content, and holds its thread before any can come. */
  '/ask-and-compute': async (exchange, signals) => {
    const reading = exchange.body[Symbol.asyncIterator]();
    const first = reading.next();
    signals.tell('asked');
    await new Promise((resolve) => setImmediate(resolve));
    signals.blockUntil('release');
    await first;
    exchange.respond(200, {}, 'read');
  },
  /** Sends more than its client takes. */
  '/flood': async (exchange, signals) => {
    exchange.respond(200, {});
    signals.tell('floods');
    const released = signals.until('release');
    let isReleased = false;
    void released.then(() => {
      isReleased = true;
    });
    while (!isReleased) await exchange.write(PIECE);
    exchange.end();
  },
  /** Waits for an actor. */
  '/ask': async (exchange, { name }) => {
    exchange.respond(200, {}, await clerk.answer(name));
  },
  '/answer': (exchange) => exchange.respond(200, {}, 'answered'),
};

export default async function stuck(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const signals = new Signals(fields.get(SIGNALS_FIELD) ?? '');
  try {
    await ways[path.split('?')[0] as string]?.(exchange, signals);
  } finally {
    signals.close();
  }
}
