/**
 * The file that the log is appended to (`log.file`), one asynchronous write at a time. To rotate logs, rename the file and have it reopened:
 * earlier lines are complete in the renamed file, and later ones go to a new file of the old name.
 *
 * A failed write is reported to its caller and has no other effect. If the new file cannot be opened, the old one stays in use.
 *
 * A thread of its own writes the file: the reactor must not wait for a disk, and applications may have taken all of libuv's threads.
 */
import { openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { copyOf } from '../../wire/bytes.ts';
import { threadFlags } from '../server/thread-flags.ts';
import type { OutputStream } from './bounded-output.ts';
import { type FileOrder, type FileOutcome, LOG_FILE_PERMISSIONS } from './file-orders.ts';

const HERE = import.meta.url;
/** Beside the sources the modules are TypeScript, in what is published they are JavaScript. */
const WRITING_THREAD = new URL(`./writing-thread${HERE.slice(HERE.lastIndexOf('.'))}`, HERE);

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
  /** Null: it has not been needed yet, or has ended. */
  #thread: Worker | null = null;
  /** Called with the outcome of the thread's current order; null: it has none. */
  #onOutcome: ((outcome: FileOutcome) => void) | null = null;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Callbacks of reopenings in progress. */
  #reopening: Done[] = [];

  /** @throws LogFileError */
  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = openSync(path, 'a', LOG_FILE_PERMISSIONS);
    } catch (error) {
      throw new LogFileError(path, error);
    }
  }

  get writableLength(): number {
    return this.#waitingBytes;
  }

  /** True while the thread writes or opens a file. If it waits for a disk that hangs, it cannot be ended. */
  get isBusy(): boolean {
    return this.#onOutcome !== null;
  }

  isOwn(thread: Worker): boolean {
    return thread === this.#thread;
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
    if (this.isBusy) return;
    if (this.#reopening.length > 0) this.#open();
    else if (this.#waiting.length > 0) this.#writeSome();
  }

  #open(): void {
    const asked = this.#reopening;
    this.#reopening = [];
    this.#order(this.path, ({ fd, error }) => {
      this.#fd = fd;
      for (const done of asked) done(error && new LogFileError(this.path, error));
    });
  }

  #writeSome(): void {
    let count = 0;
    let bytes = 0;
    for (const { bytes: next } of this.#waiting) {
      if (count > 0 && bytes + next.length > MOST_BYTES) break;
      count++;
      bytes += next.length;
    }
    const taken = this.#waiting.splice(0, count);
    const whole = count === 1 ? (taken[0] as Waiting).bytes : Buffer.concat(taken.map((each) => each.bytes));
    this.#order(copyOf(whole, 0, whole.length), ({ error }) => {
      this.#waitingBytes -= bytes;
      for (const { done } of taken) done?.(error);
    });
  }

  #order(order: FileOrder, onOutcome: (outcome: FileOutcome) => void): void {
    this.#onOutcome = onOutcome;
    try {
      const thread = this.#threadThatWrites();
      // The thread does not keep the process alive, but orders in progress are waited for.
      thread.ref();
      thread.postMessage(order, typeof order === 'string' ? [] : [order.buffer as ArrayBuffer]);
    } catch (error) {
      // The system could not start a thread.
      queueMicrotask(() => this.#settle({ fd: this.#fd, error: error as Error }));
    }
  }

  #threadThatWrites(): Worker {
    if (this.#thread !== null) return this.#thread;
    // The file outlives the thread, which closes what another one has opened: Node must neither warn of that nor close the file with the thread.
    const options = { ...threadFlags(), trackUnmanagedFds: false, workerData: this.#fd };
    const thread = new Worker(WRITING_THREAD, options);
    thread.on('message', (outcome: FileOutcome) => {
      thread.unref();
      this.#settle(outcome);
    });
    thread.on('error', (error) => this.#threadEnded(thread, error));
    thread.on('exit', () => this.#threadEnded(thread, new Error('the thread that writes it has ended')));
    this.#thread = thread;
    return thread;
  }

  /** The next order starts another thread. */
  #threadEnded(thread: Worker, error: Error): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    this.#settle({ fd: this.#fd, error });
  }

  #settle(outcome: FileOutcome): void {
    const onOutcome = this.#onOutcome;
    this.#onOutcome = null;
    onOutcome?.(outcome);
    this.#goOn();
  }
}
