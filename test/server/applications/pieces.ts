/**
 * Bodies of 100 kB that tell whose they are. GET: in two awaited writes, so that responses meet the end of room and of credit
 * in the middle. POST: read to its end, and held against what it must be.
 */
import type { Exchange } from '../../../workers/gateway.ts';
import { contentOf } from '../content.ts';

export default async function pieces(exchange: Exchange): Promise<void> {
  const { method, path } = exchange.request;
  const content = contentOf(path);
  if (method === 'GET') {
    exchange.respond(200, { 'content-type': 'application/octet-stream' });
    await exchange.write(content.subarray(0, 65_536));
    await exchange.write(content.subarray(65_536));
    exchange.end();
    return;
  }
  let bytes = 0;
  let isRight = true;
  for await (const piece of exchange.body) {
    isRight &&= content.subarray(bytes, bytes + piece.length).equals(piece);
    bytes += piece.length;
  }
  exchange.respond(200, {}, `${path} ${bytes} ${isRight ? 'right' : 'wrong'}`);
}
