/** Says which thread it runs in. */
import { threadId } from 'node:worker_threads';
import type { Exchange } from '../../../workers/gateway.ts';

export default function threadNumber(exchange: Exchange): void {
  exchange.respond(200, {}, String(threadId));
}
