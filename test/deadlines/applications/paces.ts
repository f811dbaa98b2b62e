/** Applications that take their time, or wait for the peer to take its own. */
import { randomUUID } from 'node:crypto';
import type { Exchange, GatewayError } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

const PIECE = new Uint8Array(16_384);

/** @param id tells exchanges of one step apart: their paths' query */
type Step = (exchange: Exchange, signals: Signals, id: string) => void | Promise<void>;

async function lengthOf(exchange: Exchange): Promise<number> {
  let length = 0;
  for await (const piece of exchange.body) length += piece.length;
  return length;
}

const steps: { readonly [path: string]: Step } = {
  '/hello': (exchange) => exchange.respond(200, {}, 'hello'),
  /** Reads all of the body as it comes. */
  '/read': async (exchange) => exchange.respond(200, {}, String(await lengthOf(exchange))),
  /** Reads when it is told to. */
  '/hold': async (exchange, signals, id) => {
    const word = signals.until(`go ${id}`);
    signals.tell(`held ${id}`);
    await word;
    exchange.respond(200, {}, String(await lengthOf(exchange)));
  },
  /** Answers first, and goes on listening. */
  '/converse': async (exchange) => {
    exchange.respond(200);
    await exchange.write('begun');
    exchange.end({ 'x-length': String(await lengthOf(exchange)) });
  },
  /** Answers whole first, and reads then. */
  '/answer-first': async (exchange) => {
    exchange.respond(200, {}, 'answered');
    await lengthOf(exchange);
  },
  /** More than any window, as fast as it is taken. */
  '/endless': async (exchange) => {
    exchange.respond(200);
    for (;;) await exchange.write(PIECE);
  },
  /** Begins, and then has nothing to say until it is told to end. */
  '/quiet': async (exchange, signals, id) => {
    const word = signals.until(`go ${id}`);
    exchange.respond(200);
    await exchange.write('begun');
    await word;
    exchange.end();
  },
  /** Never answers. */
  '/silent': async (exchange) => {
    await exchange.closed;
  },
  /** Begins, and never ends. */
  '/unending': async (exchange) => {
    exchange.respond(200);
    await exchange.write('begun');
    await exchange.closed;
  },
  '/tunnel': async (exchange) => {
    const tunnel = exchange.accept();
    for await (const piece of tunnel.read) await tunnel.write(piece);
    tunnel.end();
  },
};

export default async function run(exchange: Exchange): Promise<void> {
  const { path, fields, protocol } = exchange.request;
  const [name = '', id = ''] = path.split('?');
  const step = steps[protocol === '' ? name : '/tunnel'];
  if (step === undefined) return exchange.respond(404, {}, 'no such step');
  const signals = new Signals(fields.get(SIGNALS_FIELD) ?? randomUUID());
  void exchange.closed.then(({ by, how, code }) => {
    signals.tell(`${path} ${how} by ${by} code ${code}`);
    setImmediate(() => signals.close());
  });
  try {
    await step(exchange, signals, id);
  } catch (error) {
    if ((error as GatewayError).code !== 'SLUICE_EXCHANGE_CLOSED') throw error;
  }
}
