/**
 * Exchanges that stop where their test wants them: each says what has happened and waits for a word. The request names
 * the test's channel in `x-signals`, and in the query `id` a word to tell them apart.
 */
import type { Exchange, GatewayError } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../signals.ts';

type Stage = (exchange: Exchange, signals: Signals, id: string) => void | Promise<void>;

const stages: { readonly [path: string]: Stage } = {
  /** Says that it ran, and answers. */
  '/run': (exchange, signals, id) => {
    signals.tell(`ran${id}`);
    exchange.respond(200, {}, `ran${id}`);
  },
  /** Waits without holding the thread. */
  '/wait': async (exchange, signals, id) => {
    const released = signals.until('release');
    signals.tell(`begun${id}`);
    await released;
    exchange.respond(200, {}, `released${id}`);
  },
  /** Holds its thread, as a long computation does. */
  '/block': (exchange, signals, id) => {
    signals.tell(`begun${id}`);
    signals.blockUntil('release');
    exchange.respond(200, {}, `released${id}`);
  },
  /** Answers, and holds its thread afterwards, in a callback that nobody waits for. */
  '/answer-then-block': (exchange, { name }, id) => {
    const own = new Signals(name);
    setTimeout(() => {
      own.tell(`begun${id}`);
      own.blockUntil('release');
      own.close();
    }, 1);
    exchange.respond(200, {}, 'answered');
  },
  /** Its head has gone when it waits. */
  '/stream': async (exchange, signals, id) => {
    const released = signals.until('release');
    exchange.respond(200);
    await exchange.write('first ');
    signals.tell(`begun${id}`);
    await released;
    await exchange.write('last');
    exchange.end();
  },
  /** Its head has gone, and then it holds its thread. */
  '/stream-block': async (exchange, signals, id) => {
    exchange.respond(200);
    await exchange.write('first ');
    const go = signals.until('go');
    signals.tell(`begun${id}`);
    await go;
    signals.blockUntil('release');
    exchange.end();
  },
  /** Never answers; says how it ended. */
  '/never': async (exchange, signals, id) => {
    tellEnd(exchange, signals, id);
    signals.tell(`begun${id}`);
    await exchange.closed;
  },
  /** Reads what comes and never answers. */
  '/upload': async (exchange, signals, id) => {
    tellEnd(exchange, signals, id);
    let count = 0;
    signals.tell(`begun${id}`);
    try {
      for await (const piece of exchange.body) {
        count += piece.length;
        signals.tell(`read${id} ${count}`);
      }
    } catch (error) {
      signals.tell(`body${id} ${(error as GatewayError).code}`);
    }
    await exchange.closed;
  },
  /** Answers, and says how it ended. */
  '/complete': (exchange, signals, id) => {
    tellEnd(exchange, signals, id);
    exchange.respond(200, {}, 'complete');
  },
};

export default async function staged(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const url = new URL(path, 'http://test.invalid');
  const stage = stages[url.pathname.slice(url.pathname.lastIndexOf('/'))];
  if (stage === undefined) return exchange.respond(404, {}, 'no such stage');
  const signals = new Signals(fields.get(SIGNALS_FIELD) ?? '');
  void exchange.closed.then(() => setImmediate(() => signals.close()));
  await stage(exchange, signals, url.searchParams.get('id') ?? '');
}

function tellEnd({ signal, closed }: Exchange, signals: Signals, id: string): void {
  signal.addEventListener('abort', () => {
    const { code, closedBy, resetCode } = signal.reason as GatewayError;
    signals.tell(`aborted${id} ${code} by ${closedBy} code ${resetCode}`);
  });
  void closed.then(({ by, how, code }) => signals.tell(`closed${id} ${how} by ${by} code ${code}`));
}
