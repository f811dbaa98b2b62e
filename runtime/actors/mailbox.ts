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
 * `messages` and `bytes` of a mailbox count what was accepted and is not over, begun or not: that is what the configuration bounds.
 */
import type { ActorSettings } from '../../wire/actors/boot.ts';
import { type ActorCounts, NO_COUNTS } from '../../wire/actors/counters.ts';
import type { ActorReactorEnd } from '../../wire/actors/reactor-end.ts';
import { Histogram } from '../pools/histogram.ts';
import type { Broadcast, PartTaker } from './broadcast.ts';
import { Idle } from './idle.ts';

/** What the reactor knows of an actor beyond what threads do. */
export interface DirectorySettings extends ActorSettings {
  readonly mailboxBytes: number;
  /** Messages that an instance is given ahead of those that it runs. */
  readonly aheadMessages: number;
  /** Instances of a keyed actor. */
  readonly maxKeys: number;
  /** An instance of a keyed actor without messages is stopped after this long. */
  readonly idleMs: number;
  /** A call that is to end with its thread has so long after it was given up. */
  readonly hardAbortGraceMs: number;
}

/** A thread, as the records know it; link.ts has it. */
export interface Link extends PartTaker {
  readonly name: string;
  readonly end: ActorReactorEnd;
  /** Calls that it has made and waits for, by its numbers for them. */
  readonly calls: Map<number, ActorCall>;
  readonly broadcasts: Map<number, Broadcast<ActorCall>>;
  /** Calls that it has been given, oldest first. */
  readonly given: Set<ActorCall>;
  /** Instances that live in it. */
  readonly mailboxes: Set<Mailbox>;
  /** Those that have something for it and met a full ring, or no slot. */
  readonly blocked: Set<Mailbox>;
  givenOf(actor: DirectoryActor): number;
  /** Gives the thread a call. False: it has no slot, or its ring is full. */
  give(call: ActorCall, nowMs: number): boolean;
  /**
   * Takes a call back that the thread has not begun; false: it has. The slot is free when the thread has been told, so what it keeps of
   * calls that were taken back is bounded too.
   */
  takeBack(call: ActorCall): boolean;
  /** Tells the thread that a begun call was given up. */
  abort(call: ActorCall): void;
  /** Ends the thread. @param error why */
  abortThread(error: Error): void;
  /** The next item of a streamed reply. False: the thread has too much to read already. */
  item(id: number, bytes: Uint8Array, start: number, end: number): boolean;
  /** The next item of a streamed input, or how it ended. False: as above. */
  input(call: ActorCall, input: number, how: number, bytes: Uint8Array, start: number, end: number): boolean;
  /** Sends a message, now or when there is room. */
  send(bytes: number, send: () => boolean): void;
}

/** A call that another one is made for, as far as a circle of calls is looked for. */
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
  /** Of a `pool` actor: what waits for the instance of one thread, and for no other. */
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
  /** Accepted and not over, in all mailboxes. */
  messages = 0;
  bytes = 0;
  /** Instances of a keyed or single actor that live in a thread. */
  placed = 0;
  /** What threads have done that are gone. */
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

  /** Those of all instances that there are. */
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

  /** The thread among these that has least of it, and room for more; null: there is none. */
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
  /** It is for the instance of one thread of a `pool` actor, and ends with that. */
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
  /** Accepted, and given to no thread. */
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

  /** Back where it was: before all that was accepted later. What comes back is older than what waits, or the next but few. */
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
  /** Who waits for the reply; null: nobody, of a tell or of a call that was given up. */
  caller: Link | null;
  /** Null: it is not one of a call for every instance. */
  broadcast: Broadcast<ActorCall> | null = null;
  /** The caller's number for it. */
  readonly id: number;
  readonly mailbox: Mailbox;
  readonly flags: number;
  readonly deadlineMs: number;
  readonly payload: Buffer;
  /** Calls that were accepted later have more. */
  readonly sequence: number;
  /** The call that this one was made for, while both go on; null: none. */
  parent: Ancestor | null;
  /** While it is given. */
  link: Link | null = null;
  slot = -1;
  generation = 0;
  /** As the reactor's turns count time. */
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
