/**
 * The claim table: one shared word per exchange slot that says who has the exchange.
 *
 *   word = generation << 2 | state
 *
 *             queue            claim (thread)
 *      free ────────▶ queued ────────────────▶ claimed
 *        ▲               │ recall (reactor)       │
 *        │               ▼                        │
 *        │ release    recalled                    │ release, after the thread's FINAL
 *        └───────────────┴────────────────────────┘
 *
 * Only the step out of `queued` is contended: thread and reactor race for it with one compare-and-swap, so an
 * exchange is begun once or taken back once, never both. All other steps are the reactor's alone.
 *
 * The thread can write every word, so a faulty thread can leave any state in any of them. An unexpected state is
 * therefore a return value and never an exception; the reactor then ends that thread.
 *
 * `queue` raises the generation. A recall leaves the OPEN in the ring. When the thread reads it, the slot may already
 * serve another exchange; the claim then fails, because the OPEN has an older generation.
 */

import type { AtomicWords } from './atomics.ts';

export const ClaimState = { Free: 0, Queued: 1, Claimed: 2, Recalled: 3 } as const;
export type ClaimState = (typeof ClaimState)[keyof typeof ClaimState];

const STATE_MASK = 3;
/**
 * Generations have 30 bits and wrap. A stale OPEN could be mistaken only if it stayed in the ring through
 * 2^30 reuses of its slot.
 */
const GENERATION_MASK = 0x3fffffff;

export function allocateClaims(slots: number): SharedArrayBuffer {
  return new SharedArrayBuffer(slots * Int32Array.BYTES_PER_ELEMENT);
}

export class ClaimTable {
  /** The number of slots. A slot is an index below it. */
  readonly slots: number;
  readonly #words: Int32Array;
  readonly #atomics: AtomicWords;

  constructor(memory: SharedArrayBuffer, atomics: AtomicWords) {
    this.#words = new Int32Array(memory);
    this.#atomics = atomics;
    this.slots = this.#words.length;
  }

  /**
   * Reactor: assigns a free slot to an exchange. Returns the slot's new generation, which the OPEN must
   * carry; or -1, without a change, if the slot is not free.
   */
  queue(slot: number): number {
    const word = this.#atomics.load(this.#words, slot);
    if ((word & STATE_MASK) !== ClaimState.Free) return -1;
    const generation = ((word >>> 2) + 1) & GENERATION_MASK;
    this.#atomics.store(this.#words, slot, (generation << 2) | ClaimState.Queued);
    return generation;
  }

  /**
   * Thread: takes the exchange that an OPEN names. False if the reactor has recalled it; the thread then
   * forgets the OPEN.
   */
  claim(slot: number, generation: number): boolean {
    const queued = (generation << 2) | ClaimState.Queued;
    return this.#atomics.replace(this.#words, slot, queued, (generation << 2) | ClaimState.Claimed);
  }

  /**
   * Reactor: takes a queued exchange back. False if the thread has claimed it, or if nothing is queued in the
   * slot.
   */
  recall(slot: number): boolean {
    const word = this.#atomics.load(this.#words, slot);
    if ((word & STATE_MASK) !== ClaimState.Queued) return false;
    return this.#atomics.replace(this.#words, slot, word, (word & ~STATE_MASK) | ClaimState.Recalled);
  }

  /**
   * Reactor: frees a slot whose exchange is over or recalled. Returns false, without a change, if the slot is
   * free or queued.
   */
  release(slot: number): boolean {
    const word = this.#atomics.load(this.#words, slot);
    const state = word & STATE_MASK;
    if (state === ClaimState.Free || state === ClaimState.Queued) return false;
    this.#atomics.store(this.#words, slot, word & ~STATE_MASK);
    return true;
  }

  stateOf(slot: number): ClaimState {
    return (this.#atomics.load(this.#words, slot) & STATE_MASK) as ClaimState;
  }

  generationOf(slot: number): number {
    return this.#atomics.load(this.#words, slot) >>> 2;
  }
}
