/** Reads a request to its end and says what it was, so that each answer shows whose it is. */
import { createHash } from 'node:crypto';
import type { Exchange } from '../../../workers/gateway.ts';

export default async function answer(exchange: Exchange): Promise<void> {
  const { method, path } = exchange.request;
  const hash = createHash('sha1');
  let trailers = 0;
  try {
    for await (const piece of exchange.body) hash.update(piece);
    trailers = (await exchange.trailers).size;
  } catch {
    // Cut off by the peer, or for what it sent: there is nobody to answer.
    return;
  }
  exchange.respond(200, {}, `${method} ${path} ${hash.digest('hex')} ${trailers}`);
}
