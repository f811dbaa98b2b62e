/**
 * Reads each request to its end and answers with what it was, `/early` without reading it; `/seen` tells of all that have come so
 * far.
 */
import type { Exchange } from '../../../workers/gateway.ts';
import { requestLine } from '../smuggling/case.ts';

const seen: string[] = [];

export default async function run(exchange: Exchange): Promise<void> {
  const { method, path } = exchange.request;
  if (path === '/seen') return exchange.respond(200, {}, JSON.stringify(seen));
  // That it has begun counts, whatever becomes of its content.
  seen.push(path);
  if (path === '/early') return exchange.respond(200, {}, 'early');
  const content = await exchange.body.text();
  exchange.respond(200, {}, requestLine(method, path, Buffer.from(content).toString('latin1')));
}
