/**
 * What stalled peers request. `/endless` writes as long as the peer reads. `/hold` neither reads nor responds
 * until the peer goes away. `/hello` shows that the same thread still serves.
 */
import type { Exchange } from '../../workers/gateway.ts';
import { CHUNK_BYTES, HELLO } from '../content.ts';

const chunk = new Uint8Array(CHUNK_BYTES);

export default async function stalled(exchange: Exchange): Promise<void> {
  const { path } = exchange.request;
  if (path === '/hello') {
    exchange.respond(200, { 'content-type': 'text/plain' }, HELLO);
    return;
  }
  if (path === '/hold') {
    await exchange.closed;
    return;
  }
  exchange.respond(200, { 'content-type': 'application/octet-stream' });
  try {
    while (!exchange.signal.aborted) await exchange.write(chunk);
  } catch (error) {
    // The peer went away, which is how an endless response ends. Any other error is a bug and must be
    // visible.
    if (!exchange.signal.aborted) throw error;
  }
}
