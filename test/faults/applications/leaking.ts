/** Keeps memory with each request, outside of the heap. */
import type { Exchange } from '../../../workers/gateway.ts';

const kept: Buffer[] = [];

export default function leaking(exchange: Exchange): void {
  // Filled, so that the process really has it.
  if (exchange.request.path === '/leak') kept.push(Buffer.alloc(2_000_000, 1));
  exchange.respond(200, {}, String(kept.length));
}
