/** Pieces of a response that Node's code has written and that wait to be handed on, each with whom to tell. */

/** Pieces that wait together are sent together up to here. */
const JOIN_BYTES = 64 * 1024;

export type Done = ((error?: Error | null) => void) | null;

export interface Piece {
  readonly bytes: Uint8Array;
  /** When it was written: a buffer that is given to another thread meanwhile has none. */
  readonly length: number;
  readonly done: Done;
}

export interface Batch {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly pieces: readonly Piece[];
}

/** Takes what waits together off the list: legacy code writes in crumbs. */
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

/** An error of a callback is an uncaught one, as on Node, and what was to follow the call goes on. */
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
