/**
 * How much the thread of an exchange may send ahead of its peer: at most one window of content waits in the
 * transport. For content that the transport has sent, the reactor owes the thread credit. It pays half a
 * window at a time, because a message for every piece would cost more than the pieces.
 */
import type { Destination } from './contracts.ts';

/** Where the content of a response is. */
export interface ResponseFlow {
  /** How much the thread may send ahead of the peer. */
  readonly windowBytes: number;
  /** Was passed to the transport, which has not sent it. */
  readonly heldBytes: number;
  /** Has been sent, and the thread has not received credit for it. */
  readonly owedBytes: number;
}

export class ResponseCredit {
  #windowBytes: number;
  readonly #maxWindowBytes: number;
  /** Bytes of content that were passed to the transport and not sent. */
  #heldBytes = 0;
  #owedBytes = 0;
  /** Bytes of content sent since the window last grew. */
  #sentInWindowBytes = 0;

  constructor({ responseWindowBytes, maxResponseWindowBytes }: Destination<never>) {
    this.#windowBytes = responseWindowBytes;
    this.#maxWindowBytes = maxResponseWindowBytes;
  }

  /** For the diagnosis of stalled exchanges. */
  get flow(): ResponseFlow {
    return { windowBytes: this.#windowBytes, heldBytes: this.#heldBytes, owedBytes: this.#owedBytes };
  }

  /** Records that this many bytes were passed to the transport. */
  hold(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /** Records that the transport has sent this many bytes. */
  sent(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#owedBytes += bytes;
    this.#sentInWindowBytes += bytes;
    if (this.isDue) this.#grow();
  }

  /** True if enough credit is owed to be worth a message. */
  get isDue(): boolean {
    return this.#owedBytes > 0 && this.#owedBytes >= this.#windowBytes >> 1;
  }

  get owedBytes(): number {
    return this.#owedBytes;
  }

  paid(): void {
    this.#owedBytes = 0;
  }

  /** True if the thread has used up its credit. */
  get isUsedUp(): boolean {
    return this.#windowBytes <= this.#heldBytes + this.#owedBytes;
  }

  /**
   * A peer that drains two windows without leaving a backlog is limited by the latency of credit, so its window doubles. A peer that
   * stalls from the start never drains two.
   */
  #grow(): void {
    const window = this.#windowBytes;
    if (window >= this.#maxWindowBytes || this.#heldBytes > 0 || this.#sentInWindowBytes < 2 * window) return;
    this.#windowBytes = Math.min(2 * window, this.#maxWindowBytes);
    this.#owedBytes += this.#windowBytes - window;
    this.#sentInWindowBytes = 0;
  }
}
