/** Bodies that cost nothing to make and are different for each path: parts of one long text of random bytes. */

export const CONTENT_BYTES = 100_000;

const TEXT_BYTES = 2 ** 20;
const text = Buffer.allocUnsafe(TEXT_BYTES);
for (let i = 0, word = 2_463_534_242 | 0; i < TEXT_BYTES; i += 4) {
  // xorshift32: the same in every thread and process.
  word ^= word << 13;
  word ^= word >>> 17;
  word ^= word << 5;
  text.writeInt32LE(word, i);
}

/** 100,000 bytes that belong to this path alone, of some 900,000. Not to be written to. */
export function contentOf(path: string): Buffer {
  let hash = 0;
  for (let i = 0; i < path.length; i++) hash = (Math.imul(hash, 31) + path.charCodeAt(i)) >>> 0;
  const start = hash % (TEXT_BYTES - CONTENT_BYTES);
  return text.subarray(start, start + CONTENT_BYTES);
}
