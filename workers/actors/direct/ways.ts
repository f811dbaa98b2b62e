/**
 * Decides for each call of this thread whether it goes through the reactor or over a direct channel to the thread where the instance
 * lives. The decision is made for a talk: all calls of this thread to one instance.
 *
 *   counting ──▶ joining ──▶ direct
 *      ▲            │ refused   │ called back, no room, or something that only the reactor can see to
 *      └────────────┴───────────┘
 *
 * A change of the way keeps the order of the calls. To join, the talk sends a message through the reactor. That message begins when every
 * call that was sent before it has begun; calls made meanwhile are held. To leave, the talk takes back the calls that have not begun and
 * sends them through the reactor, in order, before any other call.
 *
 * A talk with a `pool` actor joins all of its threads or none, and each call goes to the one with the least to do. Its calls run in no
 * order, so what only the reactor can see to goes that way without ending the talk.
 */
import { CallFlag, type Grant } from '../../../wire/actors/messages.ts';
import { isSuspect } from '../chain.ts';
import type { CalledActor, MadeCall } from '../made-call.ts';
import { type DirectCaller, mayGoDirectly } from './direct-caller.ts';
import { Lease } from './lease.ts';
import { Spread } from './spread.ts';
import { Talk, Way } from './talk.ts';

/** The way through the reactor. */
export interface ReactorWay {
  /** Sends a call. @param moved the number of the conversation that it was taken back from; -1: of none */
  send(call: MadeCall, bytes: Uint8Array, length: number, moved: number): void;
  /** Asks for a channel to the thread of an instance. Null: not possible now. */
  join(actor: CalledActor, key: string, refused: () => void): MadeCall | null;
  /** Withdraws the request to join. */
  cancelJoin(join: MadeCall): void;
  tellBack(conversation: number, messages: number, bytes: number, made: number, idleMs: number): void;
  setTimer(callback: () => void, afterMs: number): object;
  /** Of the turn. */
  readonly nowMs: number;
}

export interface WaysOptions {
  /** After this many calls to an instance its talk joins; 0: never. */
  readonly afterCalls: number;
  /** A call that has waited this long may go to another thread of its pool. */
  readonly recallAfterMs: number;
}

/**
 * The most talks of one actor that are tracked. Calls to further instances, and rare ones, go through the reactor.
 */
const MOST_TALKS = 1_024;
/** Calls before a talk that was refused, or left because there was no room, tries to join again. */
const MOST_CALLS_BEFORE = 65_536;
/** This many calls over one conversation have paid for joining. */
const CALLS_THAT_PAY = 1_024;

export class Ways {
  readonly #reactor: ReactorWay;
  readonly #after: number;
  /** By actor, by key. */
  readonly #talks: Map<string, Talk>[] = [];
  readonly #byConversation = new Map<number, Talk>();
  readonly #byJoin = new Map<MadeCall, Talk>();
  readonly #channels = new Map<number, DirectCaller>();
  readonly #spread: Spread;

  constructor(reactor: ReactorWay, { afterCalls, recallAfterMs }: WaysOptions) {
    this.#reactor = reactor;
    this.#after = afterCalls;
    this.#spread = new Spread(recallAfterMs, {
      setTimer: (callback, afterMs) => reactor.setTimer(callback, afterMs),
      refused: (call) => this.#resend(call, -1),
    });
  }

  /** True if any call may go directly. */
  get areOpen(): boolean {
    return this.#after > 0;
  }

  /** Sends a call, or holds it. @param bytes its payload */
  give(call: MadeCall, bytes: Uint8Array, length: number): void {
    if (this.#after === 0) {
      this.#reactor.send(call, bytes, length, -1);
      return;
    }
    const { actor, key, flags, parent } = call;
    const isForReactor = parent !== undefined && isSuspect(parent.chain, actor, key, flags);
    if (isForReactor || !mayGoDirectly(flags)) {
      this.#leaveFor(actor, key, flags);
      this.#reactor.send(call, bytes, length, -1);
      return;
    }
    const talk = this.#talkOf(actor, key);
    if (talk === null) {
      this.#reactor.send(call, bytes, length, -1);
      return;
    }
    talk.open++;
    call.talk = talk;
    if (talk.ways.length > 0) {
      if (this.#giveDirectly(talk, call, bytes)) return;
      // The way through the reactor has its own bounds, and says when they are reached.
      this.#later(talk);
      this.#leave(talk);
      this.#reactor.send(call, bytes, length, -1);
      return;
    }
    // Where as much waits as that, the way is not what takes long.
    const isCrowded = 2 * talk.open > actor.settings.mailboxMessages;
    // A stream has many messages, so it waits for a channel of its own rather than for many calls.
    const isStream = (flags & (CallFlag.Streams | CallFlag.Inputs)) !== 0;
    if (isStream && talk.join === null && talk.after === this.#after && !isCrowded) this.#join(talk);
    if (talk.join !== null && (flags & CallFlag.Interleaves) === 0) {
      // What would be too much for the mailbox is the mailbox's to refuse.
      if (talk.open <= actor.settings.mailboxMessages) {
        call.keep(bytes, length);
        talk.held.push(call);
        return;
      }
      this.#later(talk);
      this.#leave(talk);
    }
    this.#reactor.send(call, bytes, length, -1);
    if (talk.join === null && ++talk.calls >= talk.after && !isCrowded) this.#join(talk);
  }

  /** False: there is no room. */
  #giveDirectly(talk: Talk, call: MadeCall, bytes: Uint8Array): boolean {
    const way = talk.leastLoaded;
    if (way === null || !way.channel.give(call, way.lease, bytes)) return false;
    if (talk.isSpread) this.#spread.watch(talk);
    return true;
  }

  #talkOf(actor: CalledActor, key: string): Talk | null {
    this.#talks[actor.index] ??= new Map();
    const talks = this.#talks[actor.index] as Map<string, Talk>;
    const known = talks.get(key);
    if (known !== undefined) return known;
    if (talks.size >= MOST_TALKS && !this.#makeRoom(talks)) return null;
    const talk = new Talk(actor, key, this.#after);
    talks.set(key, talk);
    return talk;
  }

  /** Checks only one talk, the one whose check is longest ago, because this runs once for each call. */
  #makeRoom(talks: Map<string, Talk>): boolean {
    for (const [key, talk] of talks) {
      talks.delete(key);
      if (talk.join === null && talk.ways.length === 0) return true;
      talks.set(key, talk);
      return false;
    }
    return false;
  }

  /**
   * The instance that the call is for is called through the reactor from now on; with `each`, all instances of the
   * actor.
   */
  #leaveFor(actor: CalledActor, key: string, flags: number): void {
    const talks = this.#talks[actor.index];
    if (talks === undefined) return;
    if ((flags & CallFlag.Each) !== 0) {
      for (const talk of talks.values()) this.#leaveForOrder(talk);
      return;
    }
    const talk = talks.get(key);
    if (talk !== undefined) this.#leaveForOrder(talk);
  }

  #leaveForOrder(talk: Talk): void {
    if (!talk.isSpread) this.#leave(talk);
  }

  #join(talk: Talk): void {
    talk.calls = 0;
    const join = this.#reactor.join(talk.actor, talk.key, () => {
      this.#byJoin.delete(join as MadeCall);
      if (talk.join !== join) return;
      talk.join = null;
      this.#later(talk);
      this.#release(talk);
    });
    if (join === null) return;
    talk.join = join;
    this.#byJoin.set(join, talk);
  }

  /** The talk was refused, or is left because there is no room. */
  #later(talk: Talk): void {
    const hasPaid = talk.made >= CALLS_THAT_PAY;
    talk.after = Math.min(2 * (hasPaid ? this.#after : talk.after), MOST_CALLS_BEFORE);
  }

  /** Calls go through the reactor from now on, if they did not already. */
  #leave(talk: Talk): void {
    talk.calls = 0;
    const { join } = talk;
    if (join !== null) {
      talk.join = null;
      this.#byJoin.delete(join);
      this.#reactor.cancelJoin(join);
    }
    const ways = [...talk.arriving, ...talk.ways];
    talk.arriving = [];
    talk.ways = [];
    for (const { lease, channel } of ways) {
      this.#byConversation.delete(lease.number);
      channel.leases.delete(lease);
      for (const call of channel.takeBack(lease)) this.#resend(call, lease.number);
      lease.leave();
    }
    if (join !== null) this.#release(talk);
  }

  #resend(call: MadeCall, moved: number): void {
    const payload = call.payload as Buffer;
    call.payload = null;
    this.#reactor.send(call, payload, call.bytes, moved);
  }

  /** Sends the held calls the way that the talk now goes. */
  #release(talk: Talk): void {
    for (const call of talk.held.splice(0)) {
      if (!call.isOpen) continue;
      if (talk.ways.length > 0) {
        if (this.#giveDirectly(talk, call, call.payload as Buffer)) continue;
        this.#later(talk);
        this.#leave(talk);
      }
      this.#resend(call, -1);
    }
  }

  // ---- from the reactor

  /** This thread now has a channel to another. */
  onChannel(channel: DirectCaller): void {
    this.#channels.set(channel.number, channel);
  }

  /** @param join undefined: it was given up */
  onJoined(join: MadeCall | undefined, grant: Grant): void {
    const { conversation, messages, bytes, left } = grant;
    const lease = new Lease(
      conversation,
      messages,
      bytes,
      (...told) => this.#reactor.tellBack(...told),
      () => this.#reactor.nowMs,
    );
    const channel = this.#channels.get(grant.channel);
    const talk = join === undefined ? undefined : this.#byJoin.get(join);
    if (talk === undefined || channel === undefined) {
      lease.leave();
      // All threads of a pool, or none.
      if (talk !== undefined) this.#leave(talk);
      return;
    }
    talk.arriving.push(new Way(lease, channel));
    channel.leases.add(lease);
    this.#byConversation.set(conversation, talk);
    if (left > 0) return;
    this.#byJoin.delete(join as MadeCall);
    talk.join = null;
    talk.ways = talk.arriving;
    talk.arriving = [];
    this.#release(talk);
  }

  onCallBack(conversation: number): void {
    const talk = this.#byConversation.get(conversation);
    if (talk !== undefined) this.#leave(talk);
  }

  /**
   * The channel has ended. @param channel null: it has already
   * @param failed is told of each call that had begun over it
   */
  onSevered(number: number, failed: (call: MadeCall) => void): DirectCaller | null {
    const channel = this.#channels.get(number);
    if (channel === undefined) return null;
    this.#channels.delete(number);
    // What the other thread said before its end counts.
    channel.drain();
    for (const { number: conversation } of [...channel.leases]) this.onCallBack(conversation);
    for (const call of channel.openCalls()) failed(call);
    channel.close();
    return channel;
  }

  /** Calls that are held or have been given over a channel. */
  *openCalls(): Generator<MadeCall> {
    for (const talks of this.#talks) {
      for (const { held } of talks?.values() ?? []) yield* held;
    }
    for (const channel of this.#channels.values()) yield* channel.openCalls();
  }

  get channels(): Iterable<DirectCaller> {
    return this.#channels.values();
  }
}
