/** Large bodies: `/download/BYTES` sends that many bytes, `/upload` counts the bytes that arrive. */
import type { Exchange } from '../../workers/gateway.ts';
import { CHUNK_BYTES, numberInPath } from '../content.ts';

const chunk = new Uint8Array(CHUNK_BYTES);

export default async function transfer(exchange: Exchange): Promise<void> {
  if (exchange.request.path === '/upload') {
    let bytes = 0;
    for await (const piece of exchange.body) bytes += piece.length;
    exchange.respond(200, { 'content-type': 'text/plain' }, `${bytes}\n`);
    return;
  }
  let left = numberInPath(exchange.request.path);
  exchange.respond(200, { 'content-type': 'application/octet-stream', 'content-length': left });
  while (left > 0) {
    const size = Math.min(left, chunk.length);
    await exchange.write(size === chunk.length ? chunk : chunk.subarray(0, size));
    left -= size;
  }
  exchange.end();
}
