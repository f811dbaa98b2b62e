/** Pieces of a response that wait to be passed on, each with its callback. */

/** Waiting pieces are joined into batches of at most so many bytes. */
const JOIN_BYTES = 64 * 1024;

export type Done = ((error?: Error | null) => void) | null;

export interface Piece {
  readonly bytes: Uint8Array;
  /** The length at the time of the write. A buffer that is transferred to another thread meanwhile has length 0. */
  readonly length: number;
  readonly done: Done;
}

export interface Batch {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly pieces: readonly Piece[];
}

/** Takes the next batch off the list. Legacy code often writes many small pieces. */
export function takeTogether(waiting: Piece[]): Batch {
  let count = 0;
  let length = 0;
  while (count < waiting.length && (count === 0 || length + waiting[count].length <= JOIN_BYTES)) {
    length += waiting[count++].length;
  }
  const pieces = waiting.splice(0, count);
  const bytes = count === 1 ? pieces[0].bytes : Buffer.concat(pieces.map((piece) => piece.bytes));
  return { bytes, length, pieces };
}

/** Calls the callbacks. An error that one throws becomes an uncaught exception, as on Node, and the others are still called. */
export function tell(pieces: readonly Piece[], error?: Error): void {
  for (const { done } of pieces) {
    try {
      done?.(error);
    } catch (thrown) {
      process.nextTick(() => {
        throw thrown;
      });
    }
  }
}
