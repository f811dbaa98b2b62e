/** Gives its exchange what no call takes, and never looks at what comes of it: by path. */
import type { Exchange } from '../../../workers/gateway.ts';

const buffer = new ArrayBuffer(4) as never;

const mistakes: { readonly [path: string]: (exchange: Exchange) => void | Promise<void> } = {
  '/respond': (exchange) => exchange.respond(200, {}, buffer),
  '/fields': (exchange) => exchange.respond(200, Promise.resolve({}) as never, 'x'),
  '/status': (exchange) => exchange.respond('200' as never, {}, 'x'),
  '/write': async (exchange) => {
    exchange.respond(200);
    await exchange.write(buffer);
    exchange.end();
  },
  /** What follows would pass a body with a hole off as whole. */
  '/write-unawaited': (exchange) => {
    exchange.respond(200);
    void exchange.write('before ');
    void exchange.write(buffer);
    void exchange.write(' behind');
    exchange.end();
  },
  '/end': (exchange) => {
    exchange.respond(200);
    exchange.end('x-sum: 1' as never);
  },
  /** The bytes have gone when they could be sent: more of them than a peer takes at first. */
  '/transferred': async (exchange) => {
    const piece = new Uint8Array(8_000_000);
    exchange.respond(200);
    const written = exchange.write(piece);
    structuredClone(piece, { transfer: [piece.buffer] });
    await written;
    exchange.end();
  },
  '/transferred-whole': (exchange) => {
    const body = new Uint8Array(8_000_000);
    exchange.respond(200, {}, body);
    structuredClone(body, { transfer: [body.buffer] });
  },
};

export default function careless(exchange: Exchange): void | Promise<void> {
  const mistake = mistakes[exchange.request.path];
  if (mistake === undefined) return exchange.respond(200, {}, 'hello');
  return mistake(exchange);
}
