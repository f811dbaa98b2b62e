/**
 * A flow-control window: how many bytes a sender may still send. HTTP/2's stream and connection windows and
 * the credit between reactor and thread need the same arithmetic, so it exists once, here.
 *
 * It knows integers and their bound. It does not know streams, frames or who is on the other side. The caller
 * decides whether an overflow is a stream error or a connection error (RFC 9113 section 6.9.1).
 */

/** The largest legal window: 2^31-1 bytes (RFC 9113 section 6.9.1). */
export const MAX_WINDOW_BYTES = 0x7fffffff;

export class Window {
  #available: number;

  /** @param initial bytes that may be sent at once; an integer of at most 2^31-1. */
  constructor(initial: number) {
    this.#available = initial;
  }

  /** Bytes that may be sent now. Negative after a SETTINGS change shrank a used window (RFC 9113 section 6.9.2). */
  get available(): number {
    return this.#available;
  }

  /**
   * Takes `n` bytes out of the window. The caller has compared `n` with `available`. A receiver lets a peer
   * go below zero, sees it there, and decides what error that is.
   */
  consume(n: number): void {
    this.#available -= n;
  }

  /**
   * Adds `n` bytes of credit. Returns false, without a change, if the window would exceed 2^31-1 (RFC 9113
   * section 6.9.1).
   */
  grant(n: number): boolean {
    const next = this.#available + n;
    if (next > MAX_WINDOW_BYTES) return false;
    this.#available = next;
    return true;
  }

  /**
   * Applies a change of the initial window size. `delta` and the resulting window may be negative (RFC 9113
   * section 6.9.2). Returns false, without a change, if the window would exceed 2^31-1.
   */
  adjust(delta: number): boolean {
    return this.grant(delta);
  }
}
