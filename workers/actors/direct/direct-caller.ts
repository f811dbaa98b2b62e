/**
 * The calling end of a direct channel. This thread does for the other what the reactor does for every thread: it
 * gives calls on slots, and takes back calls that have not begun. It keeps the payload of each call until the call
 * is over, because it may have to send the call again through the reactor.
 */
import type { ActorCounters } from '../../../wire/actors/counters.ts';
import { type ActorReactorHandler, CallFlag } from '../../../wire/actors/messages.ts';
import type { ActorReactorEnd } from '../../../wire/actors/reactor-end.ts';
import { copyInto, copyOf } from '../../../wire/bytes.ts';
import { ClaimState } from '../../../wire/claims.ts';
import { corrupt } from '../../../wire/decoder.ts';
import type { GivenTo, MadeCall } from '../made-call.ts';
import { Outbox } from '../outbox.ts';
import { HearsReplies } from './foreign.ts';
import type { Lease } from './lease.ts';

/** The thread that owns the channel. */
export interface DirectCallerOwner {
  /** Something is to be published. */
  onSaid(): void;
  onWake(): void;
  requestTurn(): void;
  onResultOf(call: MadeCall, how: number, bytes: Buffer, start: number, end: number): void;
  onItemOf(call: MadeCall, bytes: Buffer, start: number, end: number): void;
  /** The other thread has violated the grammar. */
  onBroken(channel: DirectCaller): void;
}

const NOTHING = new Uint8Array(0);
const SLOT_BYTES = 512;

export class DirectCaller extends HearsReplies implements ActorReactorHandler, GivenTo {
  /** The reactor's number for it. */
  readonly number: number;
  readonly end: ActorReactorEnd;
  readonly leases = new Set<Lease>();
  readonly #owner: DirectCallerOwner;
  readonly #outbox: Outbox<ActorReactorEnd>;
  /** By slot. A call that was given up keeps its slot until its reply has come. */
  readonly #calls: (MadeCall | null)[];
  readonly #leases: (Lease | null)[];
  readonly #free: number[] = [];
  /** Memory for the payload of the call on a slot, which most of them fit into. */
  readonly #memory: (Buffer | undefined)[] = [];
  #sequence = 0;
  /** What the other thread reports about its work. */
  readonly #counters: ActorCounters;

  constructor(
    number: number,
    open: (handler: DirectCaller) => ActorReactorEnd,
    owner: DirectCallerOwner,
    backlogBytes: number,
    counters: ActorCounters,
  ) {
    super();
    this.number = number;
    this.#counters = counters;
    this.#owner = owner;
    this.end = open(this);
    this.#outbox = new Outbox(this.end, () => owner.onSaid(), backlogBytes);
    const { slots } = this.end.claims;
    this.#calls = new Array<MadeCall | null>(slots).fill(null);
    this.#leases = new Array<Lease | null>(slots).fill(null);
    for (let slot = slots - 1; slot >= 0; slot--) this.#free.push(slot);
  }

  /** False if there is no slot or no room; the call was not given. */
  give(call: MadeCall, lease: Lease, source: Uint8Array): boolean {
    const { bytes } = call;
    const slot = this.#free.at(-1);
    if (slot === undefined || !lease.hasRoomFor(bytes) || !this.#outbox.isOpen) return false;
    const { claims } = this.end;
    const generation = claims.queue(slot);
    if (generation === -1) {
      this.#owner.onBroken(this);
      return false;
    }
    this.#free.pop();
    this.#calls[slot] = call;
    this.#leases[slot] = lease;
    lease.take(bytes);
    call.channel = this;
    call.slot = slot;
    call.generation = generation;
    call.sequence = ++this.#sequence;
    const { actor, flags, dueMs, key } = call;
    const payload = this.#keep(slot, source, bytes);
    call.payload = payload;
    // What seldom has to wait takes no function.
    const { end } = this;
    if (
      this.#outbox.isClear &&
      end.sendDeliver(slot, generation, actor.index, flags, dueMs, key, payload, bytes)
    ) {
      this.#outbox.said();
      return true;
    }
    this.#outbox.send(NOTHING, 0, () =>
      end.sendDeliver(slot, generation, actor.index, flags, dueMs, key, payload, bytes),
    );
    return true;
  }

  #keep(slot: number, source: Uint8Array, length: number): Buffer {
    if (length > SLOT_BYTES) return copyOf(source, 0, length);
    let kept = this.#memory[slot];
    if (kept === undefined) {
      kept = Buffer.allocUnsafeSlow(SLOT_BYTES);
      this.#memory[slot] = kept;
    }
    copyInto(kept, 0, source, 0, length);
    return kept;
  }

  /**
   * What has not begun of a conversation, oldest first: it was taken back, and is its caller's to send elsewhere, before it gives
   * anything else, as the payloads' memory is the slots'.
   */
  takeBack(lease: Lease): MadeCall[] {
    const given: MadeCall[] = [];
    for (let slot = 0; slot < this.#leases.length; slot++) {
      const call = this.#calls[slot];
      if (this.#leases[slot] === lease && call?.isOpen) given.push(call);
    }
    // The newest first: what the other thread begins meanwhile is then older than all that was taken back.
    given.sort((one, other) => other.sequence - one.sequence);
    const taken = given.filter((call) => this.#recall(call));
    for (const { bytes } of taken) lease.moved(bytes);
    return taken.reverse();
  }

  /**
   * Calls up to the given one that have not begun: they are taken back, oldest first, to be given over another
   * channel at once.
   */
  recallUpTo(lease: Lease, sequence: number): MadeCall[] {
    const stale: MadeCall[] = [];
    for (let slot = 0; slot < this.#leases.length; slot++) {
      const call = this.#calls[slot];
      if (this.#leases[slot] !== lease || !call?.isOpen || call.sequence > sequence) continue;
      if (this.end.claims.stateOf(slot) === ClaimState.Queued) stale.push(call);
    }
    stale.sort((one, other) => one.sequence - other.sequence);
    return stale.filter((call) => {
      const isTaken = this.#recall(call);
      if (isTaken) lease.withdraw(call.bytes);
      return isTaken;
    });
  }

  /** False: the call has begun. */
  #recall(call: MadeCall): boolean {
    const { slot, generation } = call;
    if (!this.end.claims.recall(slot)) return false;
    this.#calls[slot] = null;
    this.#leases[slot] = null;
    call.channel = null;
    this.#outbox.send(NOTHING, 0, (end) => {
      if (!end.sendAbort(slot, generation)) return false;
      this.#freeSlot(slot);
      return true;
    });
    return true;
  }

  /** Begun calls without a reply. */
  openCalls(): MadeCall[] {
    return this.#calls.filter((call) => call?.isOpen === true) as MadeCall[];
  }

  /** The sequence of the call that was given last. */
  get lastGiven(): number {
    return this.#sequence;
  }

  /** Calls of an actor that the other thread has begun and not ended, whoever has made them. */
  runningOf(actor: number): number {
    return this.#counters.running(actor);
  }

  /** Receives all messages that have arrived. */
  drain(): void {
    while (this.end.receive(1024) > 0);
  }

  close(): void {
    this.end.close();
  }

  // ---- GivenTo

  /** The call was given up. */
  cancel(call: MadeCall): void {
    const { slot, generation, bytes } = call;
    const lease = this.#leases[slot];
    if (this.#calls[slot] !== call) return;
    if (this.#recall(call)) {
      lease?.giveBack(bytes);
      return;
    }
    // Its reply frees the slot.
    this.#outbox.send(NOTHING, 0, (end) => end.sendAbort(slot, generation));
  }

  pull({ slot, generation }: MadeCall, items: number): void {
    this.#outbox.send(NOTHING, 0, (end) => end.sendPull(slot, generation, items));
  }

  input(
    { slot, generation }: MadeCall,
    input: number,
    how: number,
    bytes: Uint8Array,
    length: number,
  ): boolean {
    if (this.#outbox.isFullFor(length)) return false;
    this.#outbox.send(bytes, length, (end, payload) =>
      end.sendInput(slot, generation, input, how, payload, 0, length),
    );
    return true;
  }

  // ---- from the other thread

  onReply(slot: number, how: number, bytes: Buffer, start: number, end: number): void {
    const call = this.#begun(slot);
    const lease = this.#leases[slot];
    this.#calls[slot] = null;
    this.#leases[slot] = null;
    this.#freeSlot(slot);
    lease?.giveBack(call.bytes);
    if (call.isOpen) this.#owner.onResultOf(call, how, bytes, start, end);
  }

  onItem(slot: number, bytes: Buffer, start: number, end: number): void {
    const call = this.#begun(slot);
    if (call.isOpen) this.#owner.onItemOf(call, bytes, start, end);
  }

  onWant(slot: number, input: number, items: number): void {
    const call = this.#begun(slot);
    if (call.isOpen) call.inputs?.want(input, items);
  }

  #begun(slot: number): MadeCall {
    const call = this.#calls[slot];
    if (call === null || call === undefined || this.end.claims.stateOf(slot) !== ClaimState.Claimed) {
      throw corrupt('a reply to a call that was begun', `one on slot ${slot}, which was not`);
    }
    return call;
  }

  #freeSlot(slot: number): void {
    this.end.claims.release(slot);
    this.#free.push(slot);
  }

  onWake(): void {
    this.#owner.onWake();
  }

  onWritable(): void {
    this.#outbox.flush();
    this.#owner.requestTurn();
  }

  onCorrupt(): void {
    this.#owner.onBroken(this);
  }
}

/** Whether a call may use a direct channel. Calls that need the reactor may not. */
export function mayGoDirectly(flags: number): boolean {
  return (flags & (CallFlag.Tell | CallFlag.Each | CallFlag.Hard)) === 0;
}
