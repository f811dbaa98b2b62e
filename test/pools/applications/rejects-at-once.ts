/** Loads, while what it has begun without waiting for it has failed already. */
import type { Exchange } from '../../../workers/gateway.ts';

void Promise.reject(new Error('connect ECONNREFUSED of a database'));

export default function never(exchange: Exchange): void {
  exchange.respond(200, {}, '');
}
