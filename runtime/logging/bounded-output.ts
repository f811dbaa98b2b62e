/**
 * A standard stream of the process, written to without waiting for it and without believing that it ends.
 *
 * A reader that stalls holds up `maxWaitingBytes` and no more, so one write of more is dropped; a stream that fails (a full disk, a reader that has gone) is
 * tried again from time to time, since disks are emptied and a FIFO gets a new reader. What could not be written is counted,
 * and the count told when writing goes on.
 */

/** What of a writable stream is needed here. */
export interface OutputStream {
  /** Bytes that it has been given and has not written. */
  readonly writableLength: number;
  write(chunk: string | Uint8Array, done?: (error?: Error | null) => void): unknown;
  on(event: 'error', hear: () => void): unknown;
}

/** A stream that fails costs a system call for each try. */
const RETRY_AFTER_MS = 1_000;

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
   * @param maxWaitingBytes of all that is written to the stream, by whomever
   * @param onDropped hears of the writes that were dropped since it heard last; it may write
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
    // Each write hears of its own error; without a listener the process would end of the first.
    stream.on('error', () => undefined);
  }

  write(chunk: string | Uint8Array): void {
    if (this.#state === 'failing' && this.#now() - this.#failedAtMs < RETRY_AFTER_MS) {
      this.#dropped++;
      return;
    }
    const waiting = this.#stream.writableLength;
    if (waiting + chunk.length > this.#maxWaitingBytes) {
      this.#dropped++;
      // Nobody else tells of it when the stream has nothing to write.
      if (waiting === 0) this.#stream.write('', this.#written);
      return;
    }
    if (this.#state === 'failing') {
      // Only one try at a time; and what failed last may have been written in part.
      this.#failedAtMs = this.#now();
      this.#stream.write('\n');
    }
    this.#stream.write(chunk, this.#written);
  }

  /** Calls when everything written so far is through, or has failed. */
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
    // A reader that is merely slow is told of once in every half of what may wait, not at each piece that it takes.
    if (this.#dropped === 0 || this.#stream.writableLength > this.#maxWaitingBytes / 2) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#onDropped(dropped);
  }
}
