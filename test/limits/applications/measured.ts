/** Applications that tell what of a request has reached them. */
import { randomUUID } from 'node:crypto';
import type { Exchange, GatewayError } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

type Step = (exchange: Exchange, signals: Signals) => void | Promise<void>;

const steps: { readonly [path: string]: Step } = {
  '/hello': (exchange) => exchange.respond(200, {}, 'hello'),
  '/wait': async (exchange, signals) => {
    const word = signals.until('go');
    signals.tell('waiting');
    await word;
    exchange.respond(200, {}, 'waited');
  },
  '/length': async (exchange) => {
    let length = 0;
    for await (const piece of exchange.body) length += piece.length;
    exchange.respond(200, {}, String(length));
  },
  '/pieces': async (exchange, signals) => {
    for await (const piece of exchange.body) signals.tell(`read ${piece.length}`);
    exchange.respond(200, {}, 'read');
  },
  '/echo': async (exchange) => {
    exchange.respond(200);
    for await (const piece of exchange.body) await exchange.write(piece);
    exchange.end();
  },
};

export default async function run(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const step = steps[path.split('?', 1)[0] as string];
  if (step === undefined) return exchange.respond(404, {}, 'no such step');
  const signals = new Signals(fields.get(SIGNALS_FIELD) ?? randomUUID());
  void exchange.closed.then(({ by, how, code }) => {
    signals.tell(`closed ${how} by ${by} code ${code}`);
    setImmediate(() => signals.close());
  });
  try {
    await step(exchange, signals);
  } catch (error) {
    if ((error as GatewayError).code !== 'SLUICE_EXCHANGE_CLOSED') throw error;
  }
}
