/** A channel over which this thread is given calls: the reactor's, or a direct one. */
import type { How } from '../../wire/actors/messages.ts';
import type { ActorThreadEnd } from '../../wire/actors/thread-end.ts';
import { corrupt } from '../../wire/decoder.ts';
import { Outbox } from './outbox.ts';

/** A call that is given on a slot. */
export interface SlotCall {
  readonly slot: number;
  readonly generation: number;
}

export class CallSource<C extends SlotCall> {
  /** The reactor's number for a direct channel; 0: it is the reactor's own. */
  readonly number: number;
  readonly outbox: Outbox<ActorThreadEnd>;
  /** The thread's calls, by slot. */
  readonly calls: (C | null)[];
  open = 0;
  /** By slot: the generation of the last ask that was replied to, and the number of its actor. */
  readonly #repliedTo: Int32Array;
  readonly #repliedBy: Int32Array;
  /** `severed`: replies no longer reach anyone. */
  state: 'open' | 'severed' = 'open';
  readonly #onEmpty: (source: CallSource<C>) => void;

  /** @param onEmpty nothing is open any more of one that was severed */
  constructor(
    number: number,
    end: ActorThreadEnd,
    onSaid: () => void,
    onEmpty: (source: CallSource<C>) => void = () => undefined,
    backlogBytes = Infinity,
  ) {
    this.number = number;
    this.outbox = new Outbox(end, onSaid, backlogBytes);
    const { slots } = end.claims;
    this.calls = new Array<C | null>(slots).fill(null);
    this.#repliedTo = new Int32Array(slots).fill(-1);
    this.#repliedBy = new Int32Array(slots);
    this.#onEmpty = onEmpty;
  }

  add(call: C): void {
    if (this.calls[call.slot] !== null) throw corrupt('a free slot', `slot ${call.slot}, which has a call`);
    this.calls[call.slot] = call;
    this.open++;
  }

  callOf(slot: number, generation: number): C | null {
    const call = this.calls[slot];
    return call !== null && call !== undefined && call.generation === generation ? call : null;
  }

  /** The call is over, or belongs to another source. */
  delete(call: C): void {
    if (this.calls[call.slot] !== call) return;
    this.calls[call.slot] = null;
    this.open--;
    if (this.state === 'severed' && this.open === 0) this.#onEmpty(this);
  }

  /** An ask that has its reply, and whose caller has not given it up as far as this thread knows. */
  noteReply({ slot, generation }: C, actor: number): void {
    this.#repliedTo[slot] = generation;
    this.#repliedBy[slot] = actor;
  }

  /**
   * Handles a call that was given up and that the thread no longer has.
   * @returns the actor of an ask that has been replied to meanwhile, whose reply reaches no one; -1: it was not an
   * ask, or was reported before
   */
  takeCrossed(slot: number, generation: number): number {
    if (this.#repliedTo[slot] !== generation) return -1;
    this.#repliedTo[slot] = -1;
    return this.#repliedBy[slot] as number;
  }

  claim({ slot, generation }: C): boolean {
    // When the channel is closed, at the thread's end or because it was severed, whoever gave the call takes it back.
    return this.outbox.isOpen && this.outbox.end.claims.claim(slot, generation);
  }

  /** Sends the reply to the call on a slot: as `send`, without a function for what seldom has to wait. */
  reply(slot: number, how: How, bytes: Uint8Array, length: number): void {
    const { outbox } = this;
    if (this.state === 'open' && outbox.isClear && outbox.end.sendReply(slot, how, bytes, length))
      outbox.said();
    else this.send(bytes, length, (end, payload) => end.sendReply(slot, how, payload, length));
  }

  send(bytes: Uint8Array, length: number, send: (end: ActorThreadEnd, payload: Uint8Array) => boolean): void {
    if (this.state === 'open') this.outbox.send(bytes, length, send);
  }

  sever(): void {
    if (this.state === 'severed') return;
    this.state = 'severed';
    this.outbox.end.close();
    if (this.open === 0) this.#onEmpty(this);
  }
}
