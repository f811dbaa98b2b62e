/**
 * Writes to a standard stream of the process without waiting for it, and survives its errors.
 *
 * If the reader stalls, at most `maxWaitingBytes` wait and further writes are dropped. A stream that fails (a full disk, a reader that has gone) is
 * tried again from time to time, because disks are emptied and a FIFO can get a new reader. Dropped writes are counted, and `onDropped`
 * gets the count when writing works again.
 */

/** The part of a writable stream that is needed here. */
export interface OutputStream {
  /** Bytes that it has accepted and not written yet. */
  readonly writableLength: number;
  write(chunk: string | Uint8Array, done?: (error?: Error | null) => void): unknown;
  on(event: 'error', hear: () => void): unknown;
}

/** Each try costs a system call while the stream fails. */
const RETRY_AFTER_MS = 1_000;

/** A longer string is written as bytes. The stream counts strings by their UTF-16 units, which are up to three bytes each. */
const MAX_STRING_CHARS = 4_096;

export class BoundedOutput {
  readonly #stream: OutputStream;
  readonly #maxWaitingBytes: number;
  readonly #onDropped: (writes: number) => void;
  readonly #now: () => number;
  #state: 'writing' | 'failing' = 'writing';
  #failedAtMs = 0;
  #dropped = 0;
  readonly #written = (error?: Error | null): void => this.#onWritten(error);

  /**
   * @param maxWaitingBytes counts everything that waits in the stream, whichever code wrote it
   * @param onDropped gets the number of writes dropped since the last call; it may write itself
   */
  constructor(
    stream: OutputStream,
    maxWaitingBytes: number,
    onDropped: (writes: number) => void,
    now = () => performance.now(),
  ) {
    this.#stream = stream;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#onDropped = onDropped;
    this.#now = now;
    // Each write gets its error in its callback. Without a listener the first error would end the process.
    stream.on('error', () => undefined);
  }

  write(output: string | Uint8Array): void {
    if (this.#state === 'failing' && this.#now() - this.#failedAtMs < RETRY_AFTER_MS) {
      this.#dropped++;
      return;
    }
    const waiting = this.#stream.writableLength;
    // A short string that is probably written at once is left to the stream, which encodes it without a copy.
    const isCountedRight = typeof output !== 'string' || (waiting === 0 && output.length <= MAX_STRING_CHARS);
    const chunk = isCountedRight ? output : Buffer.from(output);
    if (waiting + chunk.length > this.#maxWaitingBytes) {
      this.#dropped++;
      // Otherwise the drops would not be reported while nothing is written.
      if (waiting === 0) this.#stream.write('', this.#written);
      return;
    }
    if (this.#state === 'failing') {
      // One try at a time. The write that failed last may have been written in part.
      this.#failedAtMs = this.#now();
      this.#stream.write('\n');
    }
    this.#stream.write(chunk, this.#written);
  }

  /** Calls back when everything written so far has been written or has failed. */
  flush(done: () => void): void {
    this.#stream.write('', () => done());
  }

  #onWritten(error: Error | null | undefined): void {
    if (error) {
      this.#state = 'failing';
      this.#failedAtMs = this.#now();
      this.#dropped++;
      return;
    }
    this.#state = 'writing';
    // If the reader is only slow, this reports once per half of `maxWaitingBytes` and not for each piece that it reads.
    if (this.#dropped === 0 || this.#stream.writableLength > this.#maxWaitingBytes / 2) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#onDropped(dropped);
  }
}
