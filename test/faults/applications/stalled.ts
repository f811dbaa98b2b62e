/** Responses without end, uploads that nobody reads, and what crossed of them. */
import type { Exchange } from '../../../workers/gateway.ts';

const PIECE = Buffer.alloc(8_192, 'x');
let written = 0;

export default async function stalled(exchange: Exchange): Promise<void> {
  switch (exchange.request.path) {
    case '/endless': {
      exchange.respond(200);
      for (;;) {
        await exchange.write(PIECE);
        written += PIECE.length;
      }
    }
    case '/unread':
      await exchange.closed;
      return;
    case '/written':
      return exchange.respond(200, {}, String(written));
    default:
      return exchange.respond(200, {}, 'hello');
  }
}
