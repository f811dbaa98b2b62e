/** The content of large downloads. */
import { Readable } from 'node:stream';
import { CHUNK_BYTES } from '../content.ts';

const chunk = Buffer.alloc(CHUNK_BYTES);

/** @param bytes in all; Infinity: without end */
export function zeros(bytes: number): Readable {
  let left = bytes;
  return new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      const size = Math.min(left, chunk.length);
      left -= size;
      this.push(size === 0 ? null : size === chunk.length ? chunk : chunk.subarray(0, size));
    },
  });
}
