/** CPU work on the application thread: `/compute/ITERATIONS` responds with the work's proof. */
import type { Exchange } from '../../workers/gateway.ts';
import { numberInPath } from '../content.ts';
import { work } from '../work.ts';

const fields = Object.freeze({ 'content-type': 'text/plain' });

export default async function compute(exchange: Exchange): Promise<void> {
  exchange.respond(200, fields, work(numberInPath(exchange.request.path)));
}
