/**
 * Direct channels: which two threads have one, and which conversations go over it.
 *
 * A conversation is what one thread asks of one instance. It begins when all that its caller has sent before has begun, so order holds
 * between the two ways; it sets room in the mailbox aside, so the mailbox's bounds hold over both; and while it lasts the instance stays
 * where it is. Whoever wants the instance, or the channel, calls it back: its caller then takes back what has not begun, sends it by way of
 * the reactor, and says how much is still open over the channel.
 *
 *   open ──▶ called back ──▶ over
 *     └────────────────────────┘   the caller left it by itself
 *
 * A channel ends when both of its threads have parted from it or are gone.
 */
import { createDirectChannel, type DirectTransfer } from '../../wire/actors/channel.ts';
import { DirectRole } from '../../wire/actors/messages.ts';
import { hardwareAtomics } from '../../wire/atomics.ts';
import { ClaimState, ClaimTable } from '../../wire/claims.ts';
import { corrupt } from '../../wire/decoder.ts';
import { WRITE_POSITION } from '../../wire/layout.ts';
import type { Ancestor, DirectoryActor, Link, Mailbox } from './mailbox.ts';

export interface DirectOptions {
  /** Channels at once; 0: none. */
  readonly maxChannels: number;
}

/** A thread, as far as channels join it to others; link.ts has it. */
export interface DirectLink extends Link {
  readonly state: 'starting' | 'up' | 'leaving' | 'left' | 'gone';
  readonly ringBytes: number;
  readonly slots: number;
  /** What may wait for it to be read. */
  readonly backlogBytes: number;
  /** Those that it is joined to other threads by. */
  readonly channels: Map<number, DirectChannel>;
  /** Those that it has, by their numbers. */
  readonly conversations: Map<number, Conversation>;
  /** Those that others have with instances that live in it. */
  hostedConversations: number;
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
    const { calls, answers } = createDirectChannel({ ringBytes: host.ringBytes, slots: host.slots });
    this.claims = new ClaimTable(calls.claims, hardwareAtomics);
    this.memory = { toThread: calls.toThread, fromThread: calls.fromThread };
    this.#positions = [new Int32Array(calls.toThread), new Int32Array(calls.fromThread)];
    caller.meet(this, DirectRole.Calls, calls, host);
    host.meet(this, DirectRole.Answers, answers, caller);
  }

  /** Positions count bytes and wrap. */
  look(): void {
    let sum = 0;
    for (const words of this.#positions) sum = (sum + Atomics.load(words, WRITE_POSITION)) | 0;
    this.usedBytes = (sum - this.#lastPositions) >>> 0;
    this.#lastPositions = sum;
  }
}

/** What the directory does when a conversation is over. @param idleMs since when it had nothing */
export type OnOver = (mailbox: Mailbox, host: DirectLink, idleMs: number) => void;

export class DirectChannels {
  /** At once. */
  readonly most: number;
  readonly #onOver: OnOver;
  readonly #channels = new Set<DirectChannel>();
  #lastNumber = 0;
  /** Conversations that are not over. */
  conversations = 0;
  /** Since the start. */
  readonly tally = { channels: 0, conversations: 0, calls: 0, refused: 0 };

  constructor({ maxChannels }: DirectOptions, onOver: OnOver) {
    this.most = maxChannels;
    this.#onOver = onOver;
  }

  get size(): number {
    return this.#channels.size;
  }

  get channels(): ReadonlySet<DirectChannel> {
    return this.#channels;
  }

  /** Null: not now. @param host where the instance is, which has begun all that the caller has sent */
  join(caller: DirectLink, host: DirectLink, mailbox: Mailbox, nowMs: number): Conversation | null {
    const channel = this.#canJoin(caller, host, mailbox) ? this.#channelOf(caller, host) : null;
    const { mailboxMessages, mailboxBytes } = mailbox.actor.settings;
    // Half of what is free, so that others have room.
    const messages = (mailboxMessages - mailbox.messages - mailbox.asideMessages) >> 1;
    const bytes = Math.floor((mailboxBytes - mailbox.bytes - mailbox.asideBytes) / 2);
    if (channel === null || messages < 1 || bytes < 1) {
      this.tally.refused++;
      return null;
    }
    const conversation = new Conversation(this.#next(), channel, mailbox, messages, bytes, nowMs);
    channel.conversations.add(conversation);
    caller.conversations.set(conversation.number, conversation);
    host.hostedConversations++;
    this.conversations++;
    this.tally.conversations++;
    return conversation;
  }

  /** Only where there is no choice between threads: a pool actor of several has the reactor choose for each call. */
  #canJoin(caller: DirectLink, host: DirectLink, mailbox: Mailbox): boolean {
    const { actor } = mailbox;
    if (mailbox.state !== 'open' || host.state !== 'up' || caller === host || caller.state === 'gone')
      return false;
    if (actor.settings.kind !== 'pool') return mailbox.link === host;
    return !mailbox.isTarget && actor.links.length === 1 && actor.links[0] === host;
  }

  #channelOf(caller: DirectLink, host: DirectLink): DirectChannel | null {
    for (const channel of caller.channels.values()) {
      if (channel.caller === caller && channel.host === host && channel.state !== 'severed')
        return channel.state === 'open' ? channel : null;
    }
    if (this.#channels.size >= this.most) {
      this.#makeRoom();
      return null;
    }
    const channel = new DirectChannel(this.#next(), caller, host);
    this.#channels.add(channel);
    caller.channels.set(channel.number, channel);
    host.channels.set(channel.number, channel);
    this.tally.channels++;
    return channel;
  }

  #next(): number {
    this.#lastNumber = (this.#lastNumber + 1) >>> 0;
    return this.#lastNumber;
  }

  /** The channel that was used least lately makes room, for whoever asks next. */
  #makeRoom(): void {
    let least: DirectChannel | null = null;
    for (const channel of this.#channels) {
      // One is on its way out already.
      if (channel.state !== 'open') return;
      if (least === null || channel.usedBytes < least.usedBytes) least = channel;
    }
    if (least !== null && Number.isFinite(least.usedBytes)) this.#closeDown(least);
  }

  #closeDown(channel: DirectChannel): void {
    channel.state = 'closing';
    for (const conversation of channel.conversations) this.#callBack(conversation);
    this.#severIfIdle(channel);
  }

  #severIfIdle(channel: DirectChannel): void {
    if (channel.state === 'closing' && channel.conversations.size === 0) this.#sever(channel);
  }

  #sever(channel: DirectChannel): void {
    if (channel.state === 'severed') return;
    channel.state = 'severed';
    for (const user of channel.users) user.send(0, () => user.end.sendSever(channel.number));
  }

  #callBack(conversation: Conversation): void {
    if (conversation.state !== 'open') return;
    conversation.state = 'called back';
    const { caller } = conversation.channel;
    if (caller.state !== 'gone') caller.send(0, () => caller.end.sendCallBack(conversation.number));
  }

  /** Its instance is to move, to stop, or to be chosen among several. */
  callBackOf(mailbox: Mailbox): void {
    if (mailbox.conversations === 0) return;
    for (const conversation of this.#all())
      if (conversation.mailbox === mailbox) this.#callBack(conversation);
  }

  /** The thread is to end. */
  callBackFrom(host: DirectLink): void {
    if (host.hostedConversations === 0) return;
    for (const conversation of this.#all())
      if (conversation.channel.host === host) this.#callBack(conversation);
  }

  callBackAll(): void {
    for (const conversation of this.#all()) this.#callBack(conversation);
  }

  *#all(): Generator<Conversation> {
    for (const { conversations } of this.#channels) yield* conversations;
  }

  // ---- from threads

  onBack(
    link: DirectLink,
    number: number,
    messages: number,
    bytes: number,
    made: number,
    idleMs: number,
  ): void {
    const conversation = link.conversations.get(number);
    // It ended with its channel.
    if (conversation === undefined) return;
    if (messages > conversation.messages || bytes > conversation.bytes) {
      throw corrupt('no more than was set aside for a conversation', `${messages} messages, ${bytes} bytes`);
    }
    const { actor } = conversation.mailbox;
    actor.tally.accepted += made;
    this.tally.calls += made;
    conversation.keep(messages, bytes);
    if (conversation.state === 'open') conversation.state = 'called back';
    if (messages === 0) this.#over(conversation, idleMs);
  }

  onParted(link: DirectLink, number: number): void {
    const channel = link.channels.get(number);
    if (channel === undefined) throw corrupt('a channel of its own', `channel ${number}`);
    link.channels.delete(number);
    channel.users.delete(link);
    // The other one has something open on it, or not heard of it.
    this.#sever(channel);
    this.#endIfUnused(channel);
  }

  /** A call that was given over a channel, did not begin, and comes by way of the reactor: room for it was set aside. */
  admit(link: DirectLink, number: number, mailbox: Mailbox, bytes: number): boolean {
    const conversation = link.conversations.get(number);
    if (conversation === undefined || conversation.mailbox !== mailbox) return false;
    if (conversation.messages < 1 || conversation.bytes < bytes) return false;
    conversation.keep(conversation.messages - 1, conversation.bytes - bytes);
    return true;
  }

  /** A call that the thread was given over a channel, as one that another is made for; null: there is no such channel. */
  ancestorOf(
    link: DirectLink,
    number: number,
    slot: number,
    generation: number,
    actor: DirectoryActor,
    flags: number,
    key: string,
  ): Ancestor | null {
    const channel = link.channels.get(number);
    if (channel === undefined || channel.host !== link || slot >= channel.claims.slots) return null;
    const { claims } = channel;
    return {
      get isOver() {
        return claims.stateOf(slot) !== ClaimState.Claimed || claims.generationOf(slot) !== generation;
      },
      actor,
      key,
      flags,
      parent: null,
    };
  }

  // ---- the end

  /** A thread is gone: the others of its channels hear of it. */
  gone(link: DirectLink): void {
    for (const channel of link.channels.values()) {
      channel.users.delete(link);
      this.#sever(channel);
      this.#endIfUnused(channel);
    }
    link.channels.clear();
  }

  #endIfUnused(channel: DirectChannel): void {
    // A caller that has parted, or is gone, says no more of its conversations; what runs of them is the host's.
    if (channel.users.size > 0) return;
    for (const conversation of [...channel.conversations]) this.#over(conversation);
    this.#channels.delete(channel);
  }

  #over(conversation: Conversation, idleMs = 0): void {
    if (conversation.state === 'over') return;
    conversation.state = 'over';
    const { channel, mailbox, number } = conversation;
    conversation.keep(0, 0);
    mailbox.conversations--;
    channel.conversations.delete(conversation);
    channel.caller.conversations.delete(number);
    channel.host.hostedConversations--;
    this.conversations--;
    this.#severIfIdle(channel);
    this.#onOver(mailbox, channel.host, idleMs);
  }

  /** About once a second. */
  tick(nowMs: number): void {
    for (const channel of this.#channels) {
      channel.look();
      if (channel.state === 'open' && channel.usedBytes === 0 && channel.conversations.size === 0)
        this.#closeDown(channel);
      for (const conversation of channel.conversations) {
        const { kind, idleMs } = conversation.mailbox.actor.settings;
        // The instance may be idle, which only calls by way of the reactor show.
        if (kind === 'keyed' && nowMs - conversation.sinceMs >= idleMs) this.#callBack(conversation);
      }
    }
  }
}
