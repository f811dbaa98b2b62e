/** The memory that a socket's reads come in. */

/** Below this the collector is cheaper. */
const FREE_FROM_BYTES = 16_384;

/**
 * Gives a socket's buffer back now: the engine has copied what it keeps, and left to the collector tens of megabytes
 * of them lie about during an upload. Only a buffer that is all of its memory is the socket's own and nobody else's.
 */
export function free(chunk: Uint8Array): void {
  if (chunk.length >= FREE_FROM_BYTES && chunk.length === chunk.buffer.byteLength) {
    (chunk.buffer as ArrayBuffer).transfer(0);
  }
}
