/** Reads TLS files, which must be regular files of a plausible size. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** A bundle with the CAs of all browsers has a sixtieth of that. */
export const maxTlsFileBytes = 16 * 1_048_576;

/**
 * Returns the file's content.
 * @throws an error whose message says in one line what is wrong with the file
 */
export type ReadFile = (path: string) => Buffer;

/** O_NONBLOCK: opening a named pipe without a writer would never return. Windows does not have the flag. */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const chunkBytes = 65_536;

/**
 * Reads synchronously, on the calling thread: before the server starts, or on a thread that serves nothing.
 */
export function readTlsFile(path: string): Buffer {
  const fd = openSync(path, flags);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new Error(`it is ${kindOf(stats)} and no regular file`);
    return readAll(fd);
  } finally {
    closeSync(fd);
  }
}

/** Reads to the end, whatever size the file claims to have: files of /proc claim none. */
function readAll(fd: number): Buffer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const bytesRead = readSync(fd, chunk);
    if (bytesRead === 0) return Buffer.concat(chunks, bytes);
    bytes += bytesRead;
    if (bytes > maxTlsFileBytes) throw new Error(`it has more than ${maxTlsFileBytes} bytes`);
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}
