/** Loads, while what it has begun without waiting for it fails a moment later. */
import type { Exchange } from '../../../workers/gateway.ts';

async function connect(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  throw new Error('connect ECONNREFUSED of a database');
}

void connect();

export default function never(exchange: Exchange): void {
  exchange.respond(200, {}, '');
}
