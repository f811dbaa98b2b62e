/** Everything that the peer of a tunnel sends, up to its end. */
import type { Readable } from 'node:stream';

/**
 * `buffer` of node:stream/consumers destroys the stream at its end, on Node 22 and 26, and with it the
 * application's half of the tunnel.
 */
export async function readAll(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream.iterator({ destroyOnReturn: false })) pieces.push(piece);
  return Buffer.concat(pieces);
}
