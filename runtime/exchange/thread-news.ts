/**
 * What a thread must be told about an exchange besides content and credit, in this order: the slot of a push
 * that it asked for, the pushes that were refused, and that the exchange is over. The object is made when
 * there is something to tell; hardly any exchange has one.
 */
import type { ResetBy } from '../../wire/messages.ts';
import type { JobThread } from '../pools/job.ts';

export class ThreadNews {
  /** Null: the exchange is not a push, or its thread has been told. */
  #promise: { readonly parentSlot: number; readonly number: number } | null = null;
  readonly #refusedPushes: number[] = [];
  /** Null: there is no RESET to send. */
  #reset: { readonly code: number; readonly by: ResetBy } | null = null;

  /** The exchange is a push. @param number the thread's number for it, in the slot that asked for it */
  promise(parentSlot: number, number: number): void {
    this.#promise = { parentSlot, number };
  }

  refusePush(number: number): void {
    this.#refusedPushes.push(number);
  }

  reset(code: number, by: ResetBy): void {
    this.#reset = { code, by };
  }

  get isNothing(): boolean {
    return this.#reset === null && this.#refusedPushes.length === 0 && this.#promise === null;
  }

  /** True if RESET has yet to be sent. */
  get hasReset(): boolean {
    return this.#reset !== null;
  }

  /** @returns false if the ring is full; messages that could not be sent wait */
  send({ channel }: JobThread, slot: number): boolean {
    if (this.#promise !== null) {
      const { parentSlot, number } = this.#promise;
      if (!channel.sendPromised(parentSlot, number, true, slot)) return false;
      this.#promise = null;
    }
    const refused = this.#refusedPushes;
    for (let number = refused[0]; number !== undefined; number = refused[0]) {
      if (!channel.sendPromised(slot, number, false, 0)) return false;
      refused.shift();
    }
    if (this.#reset === null) return true;
    const { code, by } = this.#reset;
    if (!channel.sendReset(slot, code, by)) return false;
    this.#reset = null;
    return true;
  }
}
