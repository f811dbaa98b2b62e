/** What a generator can do, by path. */
import type { Exchange, Yielded } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

type Items = AsyncGenerator<Yielded, void, void>;

let pulled = 0;

const steps: { readonly [path: string]: (exchange: Exchange, signals: Signals) => Items } = {
  async *'/echo'(exchange) {
    yield { status: 200, fields: { 'content-type': 'text/x-test', trailer: 'x-last' } };
    for await (const piece of exchange.body) yield piece;
    yield { trailers: { 'x-last': (await exchange.trailers).get('x-last') ?? 'none' } };
  },
  async *'/interim'() {
    yield { status: 102 };
    yield { status: 103, fields: { link: '</style.css>; rel=preload' } };
    yield { status: 200 };
    yield 'final';
  },
  async *'/small'() {
    yield { status: 200, fields: { 'content-type': 'text/plain' } };
    yield 'small';
  },
  async *'/empty'() {
    yield { status: 204 };
  },
  /** 64 MiB, each piece made when it is asked for. */
  async *'/pull'() {
    pulled = 0;
    yield { status: 200 };
    for (const piece = new Uint8Array(65_536); pulled < 1_024; pulled++) yield piece;
  },
  async *'/pulled'() {
    yield { status: 200 };
    yield String(pulled);
  },
  async *'/endless'(_exchange, signals) {
    try {
      yield { status: 200 };
      for (;;) {
        yield new Uint8Array(65_536);
        signals.tell('pulled');
      }
    } finally {
      signals.tell('finalised');
    }
  },
  // biome-ignore lint/correctness/useYield: it throws before it can.
  async *'/throw'() {
    throw new Error('thrown before the head');
  },
  async *'/throw-late'(_exchange, signals) {
    try {
      yield { status: 200 };
      yield 'begun';
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error('thrown behind the head');
    } finally {
      signals.tell('finalised');
    }
  },
  async *'/return-early'() {},
  async *'/chunk-first'() {
    yield 'no head';
  },
  async *'/two-heads'() {
    yield { status: 200 };
    yield 'a';
    await new Promise((resolve) => setImmediate(resolve));
    yield { status: 200 };
  },
  async *'/behind-trailers'() {
    yield { status: 200 };
    yield { trailers: {} };
    yield 'more';
  },
  async *'/nonsense'(_exchange, signals) {
    try {
      yield { status: 200 };
      yield 5 as never;
    } finally {
      signals.tell('finalised');
    }
  },
};

export default async function* generator(exchange: Exchange): Items {
  const path = exchange.request.path.replace('/generator', '');
  const signals = new Signals(exchange.request.fields.get(SIGNALS_FIELD) ?? 'nobody');
  try {
    yield* (steps[path] as (typeof steps)[string])(exchange, signals);
  } finally {
    setImmediate(() => signals.close());
  }
}
