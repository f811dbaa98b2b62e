/** Loads, and throws where nobody catches a moment later. */
import type { Exchange } from '../../../workers/gateway.ts';

setTimeout(() => {
  throw new Error('thrown a moment after');
}, 20);

export default function never(exchange: Exchange): void {
  exchange.respond(200, {}, '');
}
