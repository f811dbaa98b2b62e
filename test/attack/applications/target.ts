/** What is attacked: a quick answer, an upload that is read, an upload that is not, and more content than any window. */
import type { Exchange, GatewayError } from '../../../workers/gateway.ts';
import { collectedBytes } from '../collect.ts';

const PIECE = new Uint8Array(16_384);

const steps: { readonly [path: string]: (exchange: Exchange) => void | Promise<void> } = {
  '/hello': (exchange) => exchange.respond(200, {}, 'hello'),
  '/read': async (exchange) => {
    let length = 0;
    for await (const piece of exchange.body) length += piece.length;
    exchange.respond(200, {}, String(length));
  },
  '/unread': async (exchange) => {
    await exchange.closed;
  },
  '/collected': (exchange) => exchange.respond(200, {}, String(collectedBytes())),
  '/large': async (exchange) => {
    exchange.respond(200);
    for (let n = 0; n < 64; n++) await exchange.write(PIECE);
    exchange.end();
  },
};

export default async function run(exchange: Exchange): Promise<void> {
  const step = steps[exchange.request.path];
  if (step === undefined) return exchange.respond(404);
  try {
    await step(exchange);
  } catch (error) {
    if ((error as GatewayError).code !== 'SLUICE_EXCHANGE_CLOSED') throw error;
  }
}
