/**
 * A flow-control window: how many bytes a sender may still send. HTTP/2's stream and connection windows and the
 * credit that crosses between the reactor and a thread are the same arithmetic, so it exists once, here.
 *
 * It knows integers and their bound; it does not know streams, frames or who is on the other side. Whether an
 * overflow is a stream error or a connection error is the caller's to say (RFC 9113 section 6.9.1).
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
   * Take `n` bytes out of the window. The caller has compared with `available`; a receiver that lets a peer go
   * below zero sees it there and decides what error that is.
   */
  consume(n: number): void {
    this.#available -= n;
  }

  /** Add `n` bytes of credit. False, and nothing changed, when the window would pass 2^31-1 (RFC 9113 section 6.9.1). */
  grant(n: number): boolean {
    const next = this.#available + n;
    if (next > MAX_WINDOW_BYTES) return false;
    this.#available = next;
    return true;
  }

  /**
   * Apply a change of the initial window size; `delta` may be negative and so may the outcome
   * (RFC 9113 section 6.9.2). False, and nothing changed, when the window would pass 2^31-1.
   */
  adjust(delta: number): boolean {
    return this.grant(delta);
  }
}
