/**
 * The records of the directory: actors, mailboxes and calls.
 *
 * A mailbox holds the calls that wait for an instance: of one key of a keyed actor, of a `single` actor, or of all instances of a `pool`
 * actor together.
 *
 * A call is
 *
 *   waiting ──▶ given ──▶ over
 *      ▲          │  recalled, or its thread died before it began
 *      └──────────┘
 *
 * `messages` and `bytes` of a mailbox count the calls that were accepted and are not over, begun or not. The configuration bounds both.
 */
import type { ActorSettings } from '../../wire/actors/boot.ts';
import { type ActorCounts, NO_COUNTS } from '../../wire/actors/counters.ts';
import type { ActorReactorEnd } from '../../wire/actors/reactor-end.ts';
import { Histogram } from '../pools/histogram.ts';
import type { Broadcast, PartTaker } from './broadcast.ts';
import { Idle } from './idle.ts';

/** What the reactor knows of an actor and its threads do not. */
export interface DirectorySettings extends ActorSettings {
  readonly mailboxBytes: number;
  /** How many messages an instance gets ahead of those that it runs. */
  readonly aheadMessages: number;
  /** How many instances a keyed actor may have. */
  readonly maxKeys: number;
  /** An instance of a keyed actor without messages is stopped after this long. */
  readonly idleMs: number;
  /** How long a method may go on after its `hard` call was given up, before its thread is ended. */
  readonly hardAbortGraceMs: number;
}

/** A thread, as the records see it. `link.ts` implements it. */
export interface Link extends PartTaker {
  readonly name: string;
  readonly end: ActorReactorEnd;
  /** Calls that the thread has made and waits for, by the thread's numbers for them. */
  readonly calls: Map<number, ActorCall>;
  readonly broadcasts: Map<number, Broadcast<ActorCall>>;
  /** Calls that the thread has received, oldest first. */
  readonly given: Set<ActorCall>;
  /** Instances that live in it. */
  readonly mailboxes: Set<Mailbox>;
  /** Mailboxes with something for the thread, for which its ring had no room or the thread no slot. */
  readonly blocked: Set<Mailbox>;
  givenOf(actor: DirectoryActor): number;
  /** Gives the thread a call. @returns false if the thread has no slot or its ring is full */
  give(call: ActorCall, nowMs: number): boolean;
  /**
   * Takes back a call that the thread has not begun. The slot is free only when the thread has been told, so what the thread keeps of such calls
   * is bounded too.
   * @returns false if the thread has begun the call
   */
  takeBack(call: ActorCall): boolean;
  /** Tells the thread that a begun call was given up. */
  abort(call: ActorCall): void;
  /** Ends the thread. @param error the reason */
  abortThread(error: Error): void;
  /** Sends the next item of a streamed reply. @returns false if the thread has too many unread messages */
  item(id: number, bytes: Uint8Array, start: number, end: number): boolean;
  /** Sends the next item of a streamed input, or how the input ended. @returns false as above */
  input(call: ActorCall, input: number, how: number, bytes: Uint8Array, start: number, end: number): boolean;
  /** Sends a message, now or when there is room. */
  send(bytes: number, send: () => boolean): void;
}

/** A call that waits for another one. Used to find circles of calls. */
export interface Ancestor {
  readonly isOver: boolean;
  readonly actor: DirectoryActor;
  readonly key: string;
  readonly flags: number;
  readonly parent: Ancestor | null;
}

/** An actor in the directory. */
export class DirectoryActor {
  readonly index: number;
  readonly settings: DirectorySettings;
  /** By key; of actors without keys, one with the empty key. */
  readonly mailboxes = new Map<string, Mailbox>();
  /** Threads that take its calls. */
  readonly links: Link[] = [];
  /** For a `pool` actor: the mailboxes of calls that only the instance of one thread may take. */
  readonly targets = new Map<Link, Mailbox>();
  /** Mailboxes with messages, and no thread that takes them. */
  readonly unplaced = new Set<Mailbox>();
  /** Keyed instances without messages. */
  readonly idle = new Idle<Mailbox>();
  readonly tally = {
    accepted: 0,
    refused: 0,
    lostTells: 0,
    failedTells: 0,
    restarts: 0,
    /** The most messages that one mailbox has held. */
    deepest: 0,
    queueWait: new Histogram(),
  };
  /** The number of messages that were accepted and are not over, in all mailboxes. */
  messages = 0;
  bytes = 0;
  /** Instances of a keyed or single actor that live in a thread. */
  placed = 0;
  /** The counters of threads that have ended. */
  gone: ActorCounts = NO_COUNTS;
  /** What threads that take its calls say of its methods, in the order in which they have started. */
  readonly manifests = new Map<Link, Buffer>();
  /** What callers know: what the last of those threads says. */
  manifest: Buffer | null = null;

  constructor(index: number, settings: DirectorySettings) {
    this.index = index;
    this.settings = settings;
  }

  /** Null: it has as many keys as it may. */
  mailboxOf(key: string): Mailbox | null {
    const known = this.mailboxes.get(key);
    if (known !== undefined) return known;
    if (this.mailboxes.size >= this.settings.maxKeys) return null;
    const mailbox = new Mailbox(this, key);
    this.mailboxes.set(key, mailbox);
    return mailbox;
  }

  /** The mailboxes of all instances. */
  instances(): Mailbox[] {
    if (this.settings.kind === 'pool') return this.links.map((link) => this.#targetOf(link));
    const lives = ({ link, state, messages }: Mailbox) =>
      link !== null && (state !== 'stopping' || messages > 0);
    return [...this.mailboxes.values()].filter(lives);
  }

  #targetOf(link: Link): Mailbox {
    const known = this.targets.get(link);
    if (known !== undefined) return known;
    const mailbox = new Mailbox(this, '', true);
    mailbox.link = link;
    this.targets.set(link, mailbox);
    return mailbox;
  }

  /** @returns the thread among these that has the fewest calls of this actor, and room for more; null: no thread has room */
  leastLoaded(limit: number, among: readonly Link[]): Link | null {
    let least: Link | null = null;
    let leastGiven = limit;
    for (const link of among) {
      const given = link.givenOf(this);
      if (given >= leastGiven || link.blocked.size > 0) continue;
      least = link;
      leastGiven = given;
    }
    return least;
  }

  /** The thread with the fewest instances; null: there is none. */
  leastSettled(): Link | null {
    let least: Link | null = null;
    for (const link of this.links) {
      if (least === null || link.mailboxes.size < least.mailboxes.size) least = link;
    }
    return least;
  }
}

export class Mailbox {
  readonly actor: DirectoryActor;
  readonly key: string;
  /** True if only the instance of one thread of a `pool` actor takes these calls. The mailbox ends with that thread. */
  readonly isTarget: boolean;
  messages = 0;
  bytes = 0;
  /** Calls that a thread has. */
  given = 0;
  /** That go over direct channels, and the room that is set aside for them. */
  conversations = 0;
  asideMessages = 0;
  asideBytes = 0;
  /** Where the instance lives; null: nowhere, or it is a `pool` actor's. */
  link: Link | null = null;
  /** `moving`: nothing more for the instance, which stops when it has ended what it has. `stopping`: it was told to. */
  state: 'open' | 'moving' | 'stopping' = 'open';
  /** Calls that were accepted and that no thread has. */
  head: ActorCall | null = null;
  #tail: ActorCall | null = null;

  constructor(actor: DirectoryActor, key: string, isTarget = false) {
    this.actor = actor;
    this.key = key;
    this.isTarget = isTarget;
  }

  push(call: ActorCall): void {
    call.previous = this.#tail;
    call.next = null;
    if (this.#tail === null) this.head = call;
    else this.#tail.next = call;
    this.#tail = call;
  }

  /** Puts a call back in front of all that were accepted later. Few older calls wait, so the search is short. */
  putBack(call: ActorCall): void {
    call.state = 'waiting';
    call.link = null;
    call.slot = -1;
    let after = this.head;
    while (after !== null && after.sequence < call.sequence) after = after.next;
    if (after === null) {
      this.push(call);
      return;
    }
    call.next = after;
    call.previous = after.previous;
    if (after.previous === null) this.head = call;
    else after.previous.next = call;
    after.previous = call;
  }

  remove(call: ActorCall): void {
    if (call.previous === null) this.head = call.next;
    else call.previous.next = call.next;
    if (call.next === null) this.#tail = call.previous;
    else call.next.previous = call.previous;
    call.previous = null;
    call.next = null;
  }
}

export class ActorCall implements Ancestor {
  state: 'waiting' | 'given' | 'over' = 'waiting';
  /** The thread that waits for the reply; null: none does, because the call is a tell or was given up. */
  caller: Link | null;
  /** The call to every instance that this call belongs to; null: it belongs to none. */
  broadcast: Broadcast<ActorCall> | null = null;
  /** The caller's number for it. */
  readonly id: number;
  readonly mailbox: Mailbox;
  readonly flags: number;
  readonly deadlineMs: number;
  readonly payload: Buffer;
  /** Calls that were accepted later have a greater number. */
  readonly sequence: number;
  /** The call whose method made this one, while neither is over; null: none. */
  parent: Ancestor | null;
  /** While it is given. */
  link: Link | null = null;
  slot = -1;
  generation = 0;
  /** By the clock of the reactor's turns. */
  readonly acceptedAtMs: number;
  givenAtMs = 0;
  previous: ActorCall | null = null;
  next: ActorCall | null = null;

  constructor(
    caller: Link | null,
    id: number,
    mailbox: Mailbox,
    flags: number,
    deadlineMs: number,
    payload: Buffer,
    sequence: number,
    parent: Ancestor | null,
    acceptedAtMs: number,
  ) {
    this.acceptedAtMs = acceptedAtMs;
    this.caller = caller;
    this.id = id;
    this.mailbox = mailbox;
    this.flags = flags;
    this.deadlineMs = deadlineMs;
    this.payload = payload;
    this.sequence = sequence;
    this.parent = parent;
  }

  get isOver(): boolean {
    return this.state === 'over';
  }

  get actor(): DirectoryActor {
    return this.mailbox.actor;
  }

  get key(): string {
    return this.mailbox.key;
  }
}
