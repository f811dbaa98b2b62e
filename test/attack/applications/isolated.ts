/** Exchanges that would notice if anything of another one reached them, or of them another one. */
import type { Exchange, GatewayError } from '../../../workers/gateway.ts';

const PIECE = new Uint8Array(16_384);

const steps: { readonly [path: string]: (exchange: Exchange) => void | Promise<void> } = {
  '/hello': (exchange) => exchange.respond(200, {}, 'hello'),
  '/endless': async (exchange) => {
    exchange.respond(200);
    for (;;) await exchange.write(PIECE);
  },
  '/unread': async (exchange) => {
    await exchange.closed;
  },
  /** Gives the body back piece by piece, and its own name in head and trailers. */
  '/mirror': async (exchange) => {
    const name = exchange.request.fields.get('x-name') ?? '';
    exchange.respond(200, { 'x-name': name });
    for await (const piece of exchange.body) await exchange.write(piece);
    exchange.end({ 'x-name': name });
  },
  /** What two tiers have to read in one way. */
  '/seen': (exchange) => {
    const { method, authority, path, fields } = exchange.request;
    exchange.respond(200, {}, JSON.stringify({ method, authority, path, fields: [...fields] }));
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
