/**
 * What a thread has to hear of an exchange beside its content: that it is over, and which pushes there will not be. Made when there is
 * some; hardly an exchange has any.
 */
import type { ResetBy } from '../../wire/messages.ts';
import type { JobThread } from '../pools/job.ts';

export class ThreadNews {
  readonly #refusedPushes: number[] = [];
  /** Null: none, or it has been sent. */
  #reset: { readonly code: number; readonly by: ResetBy } | null = null;

  refusePush(number: number): void {
    this.#refusedPushes.push(number);
  }

  reset(code: number, by: ResetBy): void {
    this.#reset = { code, by };
  }

  get isNothing(): boolean {
    return this.#reset === null && this.#refusedPushes.length === 0;
  }

  /** RESET is still to be sent. */
  get hasReset(): boolean {
    return this.#reset !== null;
  }

  /** False: the ring is full, and what could not be sent waits. */
  send({ channel }: JobThread, slot: number): boolean {
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
