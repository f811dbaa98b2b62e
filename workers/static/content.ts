/**
 * Sends the bytes of an open file in a response, one piece at a time. A piece is as large as the peer has
 * room for, so that it leaves at once. For a peer without room one small piece waits, and nothing more of the
 * file is held. A file can change in the meantime. The length has been declared and the entity tag names one
 * state, so a file that shrinks or is rewritten cuts the response off. It is not completed with other
 * content.
 */
import type { Exchange } from '../gateway.ts';
import type { DiskFile, FileStats } from './disk.ts';
import type { Multipart } from './multipart.ts';
import type { ByteRange } from './ranges.ts';
import type { ReadTurns } from './read-turns.ts';
import type { OpenFile } from './tree.ts';

/** The piece that waits for a peer without room, and the least that is read at a time. */
const LEAST_BYTES = 4_096;
/** Buffers that a thread keeps for its next pieces. */
const SPARE_BUFFERS = 4;

/** A file changed while it was being sent. */
export class FileChangedError extends Error {
  readonly code = 'SLUICE_STATIC_FILE_CHANGED';
  /** What the client has received of the response. */
  readonly sent: 'nothing' | 'some';

  constructor(path: string, sent: FileChangedError['sent'], expected: string, received: string) {
    super(`${path}: expected ${expected}, got ${received}; replace a file by renaming another over it`);
    this.name = 'FileChangedError';
    this.sent = sent;
  }
}

/**
 * Reads a range that fits into one piece, before anything of the response is sent.
 * @throws FileChangedError if the file ends before the range
 */
export function readRange({ file, path }: OpenFile, { first, last }: ByteRange): Buffer {
  const bytes = Buffer.allocUnsafe(last - first + 1);
  let filled = 0;
  while (filled < bytes.length) {
    const bytesRead = file.read(bytes, filled, bytes.length - filled, first + filled);
    if (bytesRead === 0) throw endedEarly(path, 'nothing', last + 1, first + filled);
    filled += bytesRead;
  }
  return bytes;
}

/** Sends ranges that need more than one piece. */
export class ContentSender {
  readonly #readBytes: number;
  readonly #turns: ReadTurns;
  readonly #spare: Buffer[] = [];

  /** @param readBytes size of the largest piece */
  constructor(readBytes: number, turns: ReadTurns) {
    this.#readBytes = readBytes;
    this.#turns = turns;
  }

  /**
   * Writes a range of the file. Checks the file again before its last piece is sent.
   * @throws FileChangedError, or what `write` rejects with when the exchange is cut off
   */
  async sendRange(exchange: Exchange, source: OpenFile, { first, last }: ByteRange): Promise<void> {
    const { file, path, stats } = source;
    let position = first;
    while (position <= last) {
      const room = Math.min(Math.max(exchange.writableBytes, LEAST_BYTES), this.#readBytes);
      const length = Math.min(room, last + 1 - position);
      const turn = this.#turns.enter(length);
      if (turn !== undefined) await turn;
      const buffer = this.#take(length);
      const bytesRead = file.read(buffer, 0, length, position);
      if (bytesRead === 0) throw endedEarly(path, 'some', last + 1, position);
      position += bytesRead;
      if (position > last) requireUnchanged(file, path, stats);
      await exchange.write(buffer.subarray(0, bytesRead));
      this.#giveBack(buffer);
    }
  }

  async sendMultipart(exchange: Exchange, source: OpenFile, { parts, tail }: Multipart): Promise<void> {
    for (const { head, range } of parts) {
      await exchange.write(head);
      await this.sendRange(exchange, source, range);
    }
    await exchange.write(tail);
  }

  #take(length: number): Buffer {
    if (length <= LEAST_BYTES) return Buffer.allocUnsafeSlow(length);
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#readBytes);
  }

  /** The buffer's content was taken. */
  #giveBack(buffer: Buffer): void {
    if (buffer.length > LEAST_BYTES && this.#spare.length < SPARE_BUFFERS) this.#spare.push(buffer);
  }
}

/** A file that has only grown still begins with what was sent: logs are read while they are written. */
function requireUnchanged(file: DiskFile, path: string, before: FileStats): void {
  const now = file.stat();
  if (now.size > before.size || (now.size === before.size && now.mtimeNs === before.mtimeNs)) return;
  throw new FileChangedError(
    path,
    'some',
    `${before.size} bytes as they were when the response began`,
    now.size === before.size ? 'others' : `${now.size}`,
  );
}

function endedEarly(
  path: string,
  sent: FileChangedError['sent'],
  expected: number,
  came: number,
): FileChangedError {
  return new FileChangedError(path, sent, `at least ${expected} bytes`, `an end after ${came}`);
}
