/** JavaScript that calls, allocates and compares: `/script/ROUNDS` responds with the result. */
import type { Exchange } from '../../workers/gateway.ts';
import { numberInPath } from '../content.ts';
import { scriptWork } from '../script-work.ts';

const fields = Object.freeze({ 'content-type': 'text/plain' });

export default async function script(exchange: Exchange): Promise<void> {
  exchange.respond(200, fields, scriptWork(numberInPath(exchange.request.path)));
}
