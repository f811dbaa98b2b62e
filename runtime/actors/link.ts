/**
 * One thread as the directory sees it: the reactor's end of its channel for actors, the calls that the thread has, and the calls that it waits for.
 *
 * Messages that the thread does not read wait here, within bounds. Replies may take `maxBacklogBytes`; a reply beyond that is replaced by a
 * failure of a few bytes. Of everything else there is at most one message for each slot, call or instance.
 */
import type { MessagePort } from 'node:worker_threads';
import { MAX_CHAIN_CALLS, MAX_THREAD_CHARS } from '../../wire/actors/bounds.ts';
import {
  type ActorChannelTransfer,
  createActorChannel,
  type DirectTransfer,
} from '../../wire/actors/channel.ts';
import { ActorCounters, allocateActorCounters } from '../../wire/actors/counters.ts';
import {
  type ActorReactorHandler,
  CallFlag,
  type ChainCall,
  type DirectRole,
  How,
} from '../../wire/actors/messages.ts';
import type { ActorReactorEnd } from '../../wire/actors/reactor-end.ts';
import { copyOf } from '../../wire/bytes.ts';
import { ClaimState } from '../../wire/claims.ts';
import { corrupt } from '../../wire/decoder.ts';
import type { TopicLink, TopicOutlet } from '../topics/outlet.ts';
import type { Topics } from '../topics/topics.ts';
import type { Broadcast } from './broadcast.ts';
import type { DirectChannels } from './direct.ts';
import type { Conversation, DirectChannel, DirectLink } from './direct-channel.ts';
import type { ActorCall, Ancestor, DirectoryActor, Mailbox } from './mailbox.ts';

/** What a starting thread gets from its pool. */
export interface AttachingPool {
  readonly name: string;
  readonly ringBytes: number;
  /** How many calls the thread can have at once. */
  readonly callsPerThread: number;
  /** How many bytes of replies may wait while the thread does not read. */
  readonly backlogBytes: number;
  /** URL of the module with its actors; null: it has none. */
  readonly module: string | null;
}

/** Handles calls that the thread makes or ends. */
export interface CallOwner {
  onCall(
    link: ActorLink,
    id: number,
    actor: number,
    flags: number,
    deadlineMs: number,
    parent: Ancestor | null,
    key: string,
    payload: Buffer,
    conversation: number,
  ): void;
  onCancel(link: ActorLink, call: ActorCall): void;
  onCancelEach(link: ActorLink, broadcast: Broadcast<ActorCall>): void;
  onReply(link: ActorLink, call: ActorCall, how: number, bytes: Buffer, start: number, end: number): void;
}

/** Handles items of streams that the thread sends or requests. */
export interface StreamOwner {
  onItem(link: ActorLink, call: ActorCall, bytes: Buffer, start: number, end: number): void;
  onPull(call: ActorCall, items: number): void;
  onInput(call: ActorCall, input: number, how: number, bytes: Buffer, start: number, end: number): void;
  onWant(call: ActorCall, input: number, items: number): void;
}

/** Handles instances in the thread that stop or start again. */
export interface InstanceOwner {
  onStopped(link: ActorLink, actor: number, key: string, failure: Buffer | null): void;
  onRestart(link: ActorLink, actor: number, key: string, news: number, why: Buffer): void;
}

/** Handles the messages of a link. */
export interface LinkOwner {
  readonly calls: CallOwner;
  readonly streams: StreamOwner;
  readonly instances: InstanceOwner;
  readonly direct: Pick<DirectChannels, 'onBack' | 'onParted'>;
  readonly topics: Topics;
  /** Called for a reply that its caller does not read. */
  readonly notRead: Buffer;
  /** The call that waits for the next call of the thread, with those that wait for it. @param named innermost first; null: they are over */
  ancestorOf(link: ActorLink, named: readonly ChainCall[]): Ancestor | null;
  onManifest(link: ActorLink, actor: number, manifest: Buffer): void;
  onLeaving(link: ActorLink): void;
  /** Called when the thread has a slot and its ring has room for blocked messages. */
  onRoom(link: ActorLink): void;
  onCorrupt(link: ActorLink, error: Error): void;
  /** Requests a turn, because there is something to publish or to receive. */
  requestTurn(): void;
  /** Called when the doorbell rang, so the turn may run at once. */
  wake(): void;
}

export class ActorLink implements ActorReactorHandler, DirectLink, TopicLink {
  readonly name: string;
  readonly pool: string;
  readonly end: ActorReactorEnd;
  readonly transfer: ActorChannelTransfer;
  /** The thread's own counters. */
  readonly counters: ActorCounters;
  readonly counterMemory: SharedArrayBuffer;
  /** `leaving`: the thread takes nothing new. `left`: it has nothing any more, and was told so. */
  state: 'starting' | 'up' | 'leaving' | 'left' | 'gone' = 'starting';
  readonly calls = new Map<number, ActorCall>();
  readonly broadcasts = new Map<number, Broadcast<ActorCall>>();
  readonly given = new Set<ActorCall>();
  readonly mailboxes = new Set<Mailbox>();
  readonly blocked = new Set<Mailbox>();
  readonly ringBytes: number;
  readonly backlogBytes: number;
  readonly slots: number;
  readonly channels = new Map<number, DirectChannel>();
  readonly conversations = new Map<number, Conversation>();
  hostedConversations = 0;
  readonly topics: TopicOutlet;
  readonly #owner: LinkOwner;
  readonly #slots: (ActorCall | null)[];
  readonly #free: number[] = [];
  readonly #givenOf = new Map<DirectoryActor, number>();
  /** Messages that met a full ring, in order. */
  readonly #unsent: (() => boolean)[] = [];
  #unsentBytes = 0;
  readonly #introductions: MessagePort;
  readonly #abortThread: (error: Error) => void;
  /** Calls that wait for the next call of the thread, as the thread names them. */
  #under: ChainCall[] = [];

  /** The thread has calls, those over direct channels included, of which it says itself that they have begun. */
  get hasWork(): boolean {
    return this.given.size > 0 || this.counters.isBusy;
  }

  /** @param actors of the configuration. @param abortThread ends the thread */
  constructor(
    name: string,
    { name: pool, ringBytes, callsPerThread: slots, backlogBytes }: AttachingPool,
    owner: LinkOwner,
    actors: number,
    abortThread: (error: Error) => void,
  ) {
    this.#abortThread = abortThread;
    this.counterMemory = allocateActorCounters(actors);
    this.counters = new ActorCounters(this.counterMemory);
    this.name = name;
    this.pool = pool;
    this.#owner = owner;
    this.backlogBytes = backlogBytes;
    this.#slots = new Array<ActorCall | null>(slots).fill(null);
    for (let slot = slots - 1; slot >= 0; slot--) this.#free.push(slot);
    this.ringBytes = ringBytes;
    this.slots = slots;
    const { reactor, introductions, transfer } = createActorChannel(this, { ringBytes, slots });
    this.end = reactor;
    this.#introductions = introductions;
    this.topics = owner.topics.attach(this);
    this.transfer = transfer;
  }

  /** Messages that wait for room in the ring. */
  get unsent(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#unsent.length, bytes: this.#unsentBytes };
  }

  givenOf(actor: DirectoryActor): number {
    return this.#givenOf.get(actor) ?? 0;
  }

  give(call: ActorCall, nowMs: number): boolean {
    if (this.#free.length === 0 || this.#unsent.length > 0) return false;
    const slot = this.#free.at(-1) as number;
    const { claims } = this.end;
    const generation = claims.queue(slot);
    if (generation === -1) {
      this.onCorrupt(corrupt('a free slot', `slot ${slot}, which the thread has taken`));
      return false;
    }
    const { mailbox, flags, deadlineMs, payload } = call;
    const { actor, key } = mailbox;
    if (!this.end.sendDeliver(slot, generation, actor.index, flags, deadlineMs, key, payload)) {
      claims.recall(slot);
      claims.release(slot);
      return false;
    }
    this.#free.pop();
    this.#slots[slot] = call;
    call.state = 'given';
    call.link = this;
    call.slot = slot;
    call.generation = generation;
    call.givenAtMs = nowMs;
    this.given.add(call);
    this.#givenOf.set(actor, this.givenOf(actor) + 1);
    mailbox.given++;
    this.#owner.requestTurn();
    return true;
  }

  callOn(slot: number, generation: number): ActorCall | null {
    const call = this.#slots[slot];
    return call !== null && call !== undefined && call.generation === generation ? call : null;
  }

  takeBack(call: ActorCall): boolean {
    const { slot, generation } = call;
    if (!this.end.claims.recall(slot)) return false;
    this.#detach(call);
    this.send(0, () => {
      if (!this.end.sendAbort(slot, generation)) return false;
      this.#freeSlot(slot);
      return true;
    });
    return true;
  }

  abort({ slot, generation }: ActorCall): void {
    this.send(0, () => this.end.sendAbort(slot, generation));
  }

  result(id: number, how: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#unsent.length === 0 && this.end.sendResult(id, how, bytes, start, end)) {
      this.#owner.requestTurn();
      return;
    }
    if (this.#keeps(bytes, start, end, (copy) => this.end.sendResult(id, how, copy, 0, copy.length))) return;
    const { notRead } = this.#owner;
    this.send(0, () => this.end.sendResult(id, How.Failed, notRead, 0, notRead.length));
  }

  part(
    id: number,
    how: number,
    thread: string,
    key: string,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const name = thread.slice(0, MAX_THREAD_CHARS);
    if (this.#unsent.length === 0 && this.end.sendPart(id, how, name, key, bytes, start, end)) {
      this.#owner.requestTurn();
      return;
    }
    const send = (copy: Buffer) => this.end.sendPart(id, how, name, key, copy, 0, copy.length);
    if (this.#keeps(bytes, start, end, send)) return;
    const { notRead } = this.#owner;
    this.send(0, () => this.end.sendPart(id, How.Failed, name, key, notRead, 0, notRead.length));
  }

  item(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#unsent.length === 0 && this.end.sendItem(id, bytes, start, end)) {
      this.#owner.requestTurn();
      return true;
    }
    return this.#keeps(bytes, start, end, (copy) => this.end.sendItem(id, copy, 0, copy.length));
  }

  input(call: ActorCall, input: number, how: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { slot, generation } = call;
    if (this.#unsent.length === 0 && this.end.sendInput(slot, generation, input, how, bytes, start, end)) {
      this.#owner.requestTurn();
      return true;
    }
    return this.#keeps(bytes, start, end, (copy) =>
      this.end.sendInput(slot, generation, input, how, copy, 0, copy.length),
    );
  }

  /** Keeps a payload for which the ring has no room, to send it later. @returns false if too much is kept already */
  #keeps(bytes: Uint8Array, start: number, end: number, send: (copy: Buffer) => boolean): boolean {
    if (this.#unsentBytes + end - start > this.backlogBytes) return false;
    const copy = copyOf(bytes, start, end);
    this.send(copy.length, () => send(copy));
    return true;
  }

  /** Connects the thread to another one by a direct channel. */
  meet({ number }: DirectChannel, role: DirectRole, transfer: DirectTransfer, other: DirectLink): void {
    // Before MEET, because the thread looks for it on MEET.
    this.#introductions.postMessage(transfer, [transfer.port]);
    const { backlogBytes } = other;
    this.send(0, () => this.end.sendMeet(number, role, backlogBytes));
  }

  send(bytes: number, send: () => boolean): void {
    if (this.state === 'gone') return;
    this.#owner.requestTurn();
    if (this.#unsent.length === 0 && send()) return;
    this.#unsentBytes += bytes;
    this.#unsent.push(() => {
      if (!send()) return false;
      this.#unsentBytes -= bytes;
      return true;
    });
  }

  abortThread(error: Error): void {
    this.#abortThread(error);
  }

  /** Tells a leaving thread that it has nothing any more, once that is true. */
  leaveIfEmpty(): void {
    if (this.state !== 'leaving' || this.given.size > 0 || this.mailboxes.size > 0) return;
    if (this.hostedConversations > 0) return;
    this.state = 'left';
    this.send(0, () => this.end.sendLeft());
  }

  /** The thread is gone: what it had not begun, oldest first, and what it had. What it said before counts. */
  die(): { readonly unbegun: readonly ActorCall[]; readonly begun: readonly ActorCall[] } {
    while (this.end.receive(1024) > 0);
    this.state = 'gone';
    this.end.close();
    this.#introductions.close();
    this.#unsent.length = 0;
    this.#owner.topics.detach(this.topics);
    const unbegun: ActorCall[] = [];
    const begun: ActorCall[] = [];
    for (const call of this.given) {
      (this.end.claims.recall(call.slot) ? unbegun : begun).push(call);
      this.#detach(call);
    }
    return { unbegun, begun };
  }

  /** Called when the thread no longer has the call. */
  #detach(call: ActorCall): void {
    this.#slots[call.slot] = null;
    this.given.delete(call);
    const { mailbox } = call;
    mailbox.given--;
    this.#givenOf.set(mailbox.actor, this.givenOf(mailbox.actor) - 1);
  }

  #freeSlot(slot: number): void {
    this.end.claims.release(slot);
    this.#free.push(slot);
  }

  get hasRoom(): boolean {
    return this.#unsent.length === 0;
  }

  requestTurn(): void {
    this.#owner.requestTurn();
  }

  // ---- ActorReactorHandler: a message about a slot or call that is over is late, and is ignored

  onCall(
    id: number,
    actor: number,
    flags: number,
    deadlineMs: number,
    parentSlot: number,
    parentGeneration: number,
    key: string,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const isMoved = (flags & CallFlag.Moved) !== 0;
    const parent = parentSlot === 0 || isMoved ? null : (this.#slots[parentSlot - 1] ?? null);
    const named = this.#under;
    if (named.length > 0) this.#under = [];
    const under = (flags & CallFlag.Under) === 0 ? null : this.#owner.ancestorOf(this, named);
    const goesOn = parent !== null && parent.generation === parentGeneration ? parent : under;
    const payload = Buffer.allocUnsafe(end - start);
    bytes.copy(payload, 0, start, end);
    this.#owner.calls.onCall(
      this,
      id,
      actor,
      flags,
      deadlineMs,
      goesOn,
      key,
      payload,
      isMoved ? parentSlot : -1,
    );
  }

  onUnder(call: ChainCall): void {
    // The thread's own call, and the calls that its payload may name.
    if (this.#under.length > MAX_CHAIN_CALLS) {
      throw corrupt(`at most ${MAX_CHAIN_CALLS + 1} calls that wait for one`, 'more');
    }
    this.#under.push(call);
  }

  onBack(conversation: number, messages: number, bytes: number, made: number, idleMs: number): void {
    this.#owner.direct.onBack(this, conversation, messages, bytes, made, idleMs);
  }

  onParted(channel: number): void {
    this.#owner.direct.onParted(this, channel);
  }

  onCancel(id: number): void {
    const call = this.calls.get(id);
    if (call !== undefined) {
      this.#owner.calls.onCancel(this, call);
      return;
    }
    const broadcast = this.broadcasts.get(id);
    if (broadcast !== undefined) this.#owner.calls.onCancelEach(this, broadcast);
  }

  onReply(slot: number, how: number, bytes: Buffer, start: number, end: number): void {
    const call = this.#slots[slot];
    if (call === null || call === undefined) return;
    if (this.end.claims.stateOf(slot) !== ClaimState.Claimed) {
      throw corrupt('the reply to a call that was begun', `one on slot ${slot}, which was not`);
    }
    this.#detach(call);
    this.#freeSlot(slot);
    this.#owner.calls.onReply(this, call, how, bytes, start, end);
  }

  onItem(slot: number, bytes: Buffer, start: number, end: number): void {
    const call = this.#slots[slot];
    if (call === null || call === undefined) return;
    if (this.end.claims.stateOf(slot) !== ClaimState.Claimed) {
      throw corrupt('an item of a call that was begun', `one on slot ${slot}, which was not`);
    }
    this.#owner.streams.onItem(this, call, bytes, start, end);
  }

  onPull(id: number, items: number): void {
    const call = this.calls.get(id);
    if (call !== undefined) this.#owner.streams.onPull(call, items);
  }

  onInput(id: number, input: number, how: number, bytes: Buffer, start: number, end: number): void {
    const call = this.calls.get(id);
    if (call !== undefined) this.#owner.streams.onInput(call, input, how, bytes, start, end);
  }

  onWant(slot: number, input: number, items: number): void {
    const call = this.#slots[slot];
    if (call === null || call === undefined) return;
    if (this.end.claims.stateOf(slot) !== ClaimState.Claimed) {
      throw corrupt('a wish of a call that was begun', `one on slot ${slot}, which was not`);
    }
    this.#owner.streams.onWant(call, input, items);
  }

  onManifest(actor: number, bytes: Buffer, start: number, end: number): void {
    this.#owner.onManifest(this, actor, copyOf(bytes, start, end));
  }

  onLeaving(): void {
    this.#owner.onLeaving(this);
  }

  onStopped(actor: number, key: string, bytes: Buffer, start: number, end: number): void {
    this.#owner.instances.onStopped(this, actor, key, start === end ? null : copyOf(bytes, start, end));
  }

  onRestart(actor: number, key: string, news: number, bytes: Buffer, start: number, end: number): void {
    this.#owner.instances.onRestart(this, actor, key, news, copyOf(bytes, start, end));
  }

  onSubscribe(id: number, topic: string): void {
    this.#owner.topics.subscribe(this.topics, id, topic);
  }

  onUnsubscribe(id: number): void {
    this.#owner.topics.unsubscribe(this.topics, id);
  }

  onPublish(topic: string, bytes: Buffer, start: number, end: number): void {
    this.#owner.topics.publish(topic, bytes, start, end);
  }

  onWake(): void {
    this.#owner.wake();
  }

  onWritable(): void {
    while (this.#unsent.length > 0 && (this.#unsent[0] as () => boolean)()) this.#unsent.shift();
    if (this.#unsent.length === 0) this.topics.flush();
    this.#owner.requestTurn();
  }

  /** Called in a turn after all received messages have been handled. */
  relieve(): void {
    if (this.blocked.size === 0 || this.#free.length === 0 || this.#unsent.length > 0) return;
    this.#owner.onRoom(this);
  }

  onCorrupt(error: Error): void {
    this.#owner.onCorrupt(this, error);
  }
}
