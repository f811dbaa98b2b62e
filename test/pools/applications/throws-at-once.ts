/** Loads, and throws where nobody catches at the first turn of the loop. */
import type { Exchange } from '../../../workers/gateway.ts';

setImmediate(() => {
  throw new Error('thrown a moment after');
});

export default function never(exchange: Exchange): void {
  exchange.respond(200, {}, '');
}
