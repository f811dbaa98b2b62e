/** Loads, and fails a moment later. */
import type { Exchange } from '../../../workers/gateway.ts';

setTimeout(() => {
  void Promise.reject(new Error('rejected a moment after it was loaded'));
}, 10);

export default function never(exchange: Exchange): void {
  exchange.respond(200, {}, '');
}
