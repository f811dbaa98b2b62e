/**
 * Bytes as a socket delivers them: in memory shared by all sockets. A consumer that needs them later has to
 * copy them before this returns, since they are overwritten afterwards.
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
