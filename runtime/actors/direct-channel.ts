/** The records of direct channels: a channel between two threads, the conversations that go over it, and calls that wait for others. */
import {
  createDirectChannel,
  type DirectCallsTransfer,
  type DirectTransfer,
} from '../../wire/actors/channel.ts';
import { type ChainCall, DirectRole } from '../../wire/actors/messages.ts';
import { hardwareAtomics } from '../../wire/atomics.ts';
import { ClaimState, ClaimTable } from '../../wire/claims.ts';
import { WRITE_POSITION } from '../../wire/layout.ts';
import type { Ancestor, DirectoryActor, Link, Mailbox } from './mailbox.ts';

/** A thread, as far as channels join it to others; link.ts has it. */
export interface DirectLink extends Link {
  readonly state: 'starting' | 'up' | 'leaving' | 'left' | 'gone';
  readonly ringBytes: number;
  readonly slots: number;
  /** What may wait for it to be read. */
  readonly backlogBytes: number;
  /** Of its `ActorCounters`. */
  readonly counterMemory: SharedArrayBuffer;
  /** Those that it is joined to other threads by. */
  readonly channels: Map<number, DirectChannel>;
  /** Those that it has, by their numbers. */
  readonly conversations: Map<number, Conversation>;
  /** Those that others have with instances that live in it. */
  hostedConversations: number;
  /** A call that the reactor has given it; null: it is over. */
  callOn(slot: number, generation: number): Ancestor | null;
  /** Gives it its end of a channel. */
  meet(channel: DirectChannel, role: DirectRole, transfer: DirectTransfer, other: DirectLink): void;
}

export class Conversation {
  readonly number: number;
  readonly channel: DirectChannel;
  readonly mailbox: Mailbox;
  readonly sinceMs: number;
  /** Room that is set aside in the mailbox. */
  messages: number;
  bytes: number;
  state: 'open' | 'called back' | 'over' = 'open';

  constructor(
    number: number,
    channel: DirectChannel,
    mailbox: Mailbox,
    messages: number,
    bytes: number,
    nowMs: number,
  ) {
    this.number = number;
    this.channel = channel;
    this.mailbox = mailbox;
    this.messages = messages;
    this.bytes = bytes;
    this.sinceMs = nowMs;
    mailbox.conversations++;
    mailbox.asideMessages += messages;
    mailbox.asideBytes += bytes;
  }

  /** So much stays aside, and no more. */
  keep(messages: number, bytes: number): void {
    const { mailbox } = this;
    mailbox.asideMessages -= this.messages - messages;
    mailbox.asideBytes -= this.bytes - bytes;
    this.messages = messages;
    this.bytes = bytes;
  }
}

export class DirectChannel {
  readonly number: number;
  readonly caller: DirectLink;
  readonly host: DirectLink;
  readonly claims: ClaimTable;
  readonly conversations = new Set<Conversation>();
  /** Threads that are there and have not parted from it. */
  readonly users: Set<DirectLink>;
  /** `closing`: it takes no conversation. */
  state: 'open' | 'closing' | 'severed' = 'open';
  /** Bytes that have crossed between the last two looks; a new one is in use. */
  usedBytes = Number.POSITIVE_INFINITY;
  readonly memory: { readonly toThread: SharedArrayBuffer; readonly fromThread: SharedArrayBuffer };
  readonly #positions: readonly Int32Array[];
  #lastPositions = 0;

  constructor(number: number, caller: DirectLink, host: DirectLink) {
    this.number = number;
    this.caller = caller;
    this.host = host;
    this.users = new Set([caller, host]);
    const { calls, replies } = createDirectChannel({ ringBytes: host.ringBytes, slots: host.slots });
    this.claims = new ClaimTable(calls.claims, hardwareAtomics);
    this.memory = { toThread: calls.toThread, fromThread: calls.fromThread };
    this.#positions = [new Int32Array(calls.toThread), new Int32Array(calls.fromThread)];
    const withCounters: DirectCallsTransfer = { ...calls, counters: host.counterMemory };
    caller.meet(this, DirectRole.Calls, withCounters, host);
    host.meet(this, DirectRole.Replies, replies, caller);
  }

  /** Positions count bytes and wrap. */
  look(): void {
    let sum = 0;
    for (const words of this.#positions) sum = (sum + Atomics.load(words, WRITE_POSITION)) | 0;
    this.usedBytes = (sum - this.#lastPositions) >>> 0;
    this.#lastPositions = sum;
  }
}

/** A call over a direct channel that waits for another one. */
export class DirectAncestor implements Ancestor {
  readonly actor: DirectoryActor;
  readonly key: string;
  readonly flags: number;
  parent: Ancestor | null = null;
  readonly #claims: ClaimTable;
  readonly #slot: number;
  readonly #generation: number;

  constructor(claims: ClaimTable, { slot, generation, flags, key }: ChainCall, actor: DirectoryActor) {
    this.#claims = claims;
    this.#slot = slot;
    this.#generation = generation;
    this.actor = actor;
    this.key = key;
    this.flags = flags;
  }

  get isOver(): boolean {
    return (
      this.#claims.stateOf(this.#slot) !== ClaimState.Claimed ||
      this.#claims.generationOf(this.#slot) !== this.#generation
    );
  }
}

/** Null: they have none that is in use. */
export function channelBetween(caller: DirectLink, host: DirectLink): DirectChannel | null {
  for (const channel of caller.channels.values()) {
    if (channel.caller === caller && channel.host === host && channel.state !== 'severed') return channel;
  }
  return null;
}
