/**
 * The file that the log is appended to (`log.file`), one asynchronous write at a time. To rotate logs, rename the file and have it reopened:
 * earlier lines are complete in the renamed file, and later ones go to a new file of the old name.
 *
 * A failed write is reported to its caller and has no other effect. If the new file cannot be opened, the old one stays in use.
 */
import { close, open, openSync, write } from 'node:fs';
import type { OutputStream } from './bounded-output.ts';

/** The owner reads and writes it, the group reads it. */
const PERMISSIONS = 0o640;
/** Waiting lines are combined into one write up to this size. */
const MOST_BYTES = 65_536;

type Done = (error?: Error | null) => void;

interface Waiting {
  readonly bytes: Buffer;
  readonly done: Done | undefined;
}

export class LogFileError extends Error {
  readonly code = 'SLUICE_LOG_FILE';

  constructor(path: string, cause: unknown) {
    super(
      `log.file: expected a file that can be written to at ${path}, got ${String((cause as Error).message)}; make its folder, or let this user write there`,
      { cause },
    );
    this.name = 'LogFileError';
  }
}

export class LogFile implements OutputStream {
  readonly path: string;
  #fd: number;
  #state: 'idle' | 'busy' = 'idle';
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Callbacks of reopenings that are under way. */
  #reopening: Done[] = [];

  /** @throws LogFileError */
  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = openSync(path, 'a', PERMISSIONS);
    } catch (error) {
      throw new LogFileError(path, error);
    }
  }

  get writableLength(): number {
    return this.#waitingBytes;
  }

  on(): void {
    // Each write gets its error in its callback.
  }

  write(chunk: string | Uint8Array, done?: Done): void {
    const bytes =
      typeof chunk === 'string'
        ? Buffer.from(chunk)
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#waiting.push({ bytes, done });
    this.#waitingBytes += bytes.length;
    this.#goOn();
  }

  /** Opens the path again: a new file if the old one was renamed. @param done with an error if the old file stays in use */
  reopen(done: Done): void {
    this.#reopening.push(done);
    this.#goOn();
  }

  #goOn(): void {
    if (this.#state === 'busy') return;
    if (this.#reopening.length > 0) this.#open();
    else if (this.#waiting.length > 0) this.#writeSome();
  }

  #open(): void {
    this.#state = 'busy';
    const asked = this.#reopening;
    this.#reopening = [];
    open(this.path, 'a', PERMISSIONS, (error, fd) => {
      if (error === null) {
        // Nobody could act on an error of closing the old file.
        close(this.#fd, () => undefined);
        this.#fd = fd;
      }
      this.#state = 'idle';
      for (const done of asked) done(error && new LogFileError(this.path, error));
      this.#goOn();
    });
  }

  #writeSome(): void {
    this.#state = 'busy';
    let count = 0;
    let bytes = 0;
    for (const { bytes: next } of this.#waiting) {
      if (count > 0 && bytes + next.length > MOST_BYTES) break;
      count++;
      bytes += next.length;
    }
    const taken = this.#waiting.splice(0, count);
    this.#writeAll(
      count === 1 ? (taken[0] as Waiting).bytes : Buffer.concat(taken.map((each) => each.bytes)),
      (error) => {
        this.#waitingBytes -= bytes;
        this.#state = 'idle';
        for (const { done } of taken) done?.(error);
        this.#goOn();
      },
    );
  }

  /** The system may write only a part. */
  #writeAll(bytes: Buffer, done: Done): void {
    if (bytes.length === 0) {
      queueMicrotask(() => done(null));
      return;
    }
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error !== null || written === bytes.length) done(error);
      else this.#writeAll(bytes.subarray(written), done);
    });
  }
}
