/**
 * Bytes as a socket gives them: in memory that all sockets share, so that whoever wants them later has to copy them before
 * this returns. Afterwards they are something else.
 */
const OVERWRITTEN = 0xee;

let shared = Buffer.alloc(65_536);

export function passing<T>(bytes: Uint8Array, take: (chunk: Buffer) => T): T {
  if (bytes.length > shared.length) shared = Buffer.alloc(bytes.length);
  const chunk = shared.subarray(0, bytes.length);
  chunk.set(bytes);
  try {
    return take(chunk);
  } finally {
    chunk.fill(OVERWRITTEN);
  }
}
