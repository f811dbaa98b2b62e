/**
 * Direct channels: which two threads have one, and which conversations go over it.
 *
 * A conversation is all that one thread asks of one instance over a channel. It begins when every earlier call of its caller has begun, so
 * the calls keep their order. It reserves room in the mailbox, so the bounds of the mailbox hold for both ways together. The instance does
 * not move while the conversation lasts. If the reactor needs the instance or the channel, it calls the conversation back: the caller takes
 * back the calls that have not begun, sends them through the reactor, and reports how many calls are still open over the channel.
 *
 *   open ──▶ called back ──▶ over
 *     └────────────────────────┘   the caller left it by itself
 *
 * A channel ends when both of its threads have parted from it or are gone.
 */
import type { ChainCall } from '../../wire/actors/messages.ts';
import { corrupt } from '../../wire/decoder.ts';
import {
  Conversation,
  channelBetween,
  DirectAncestor,
  DirectChannel,
  type DirectLink,
} from './direct-channel.ts';
import type { Ancestor, DirectoryActor, Mailbox } from './mailbox.ts';

export interface DirectOptions {
  /** Channels at once; 0: none. */
  readonly maxChannels: number;
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

  /**
   * Conversations with the threads that have the instance, or the instances of a `pool` actor: with all of them, so that none has less to do
   * because it was not joined. None: not now.
   * @param host a thread with the instance, which has begun all that the caller has sent
   */
  join(caller: DirectLink, host: DirectLink, mailbox: Mailbox, nowMs: number): readonly Conversation[] {
    const channels = this.#channelsTo(caller, this.#hostsOf(caller, host, mailbox));
    const { mailboxMessages, mailboxBytes } = mailbox.actor.settings;
    // Half of what is free, so that others have room.
    const shares = 2 * channels.length;
    const messages = Math.floor((mailboxMessages - mailbox.messages - mailbox.asideMessages) / shares);
    const bytes = Math.floor((mailboxBytes - mailbox.bytes - mailbox.asideBytes) / shares);
    if (channels.length === 0 || messages < 1 || bytes < 1) {
      this.tally.refused++;
      return [];
    }
    return channels.map((channel) => {
      const conversation = new Conversation(this.#next(), channel, mailbox, messages, bytes, nowMs);
      channel.conversations.add(conversation);
      caller.conversations.set(conversation.number, conversation);
      channel.host.hostedConversations++;
      this.conversations++;
      this.tally.conversations++;
      return conversation;
    });
  }

  /** The threads that the calls may go to; none if one of them cannot be joined. */
  #hostsOf(caller: DirectLink, host: DirectLink, mailbox: Mailbox): readonly DirectLink[] {
    const { actor } = mailbox;
    if (mailbox.state !== 'open' || mailbox.isTarget || caller.state === 'gone') return [];
    const own = mailbox.link === null ? [] : [mailbox.link];
    const hosts = (actor.settings.kind === 'pool' ? actor.links : own).map((link) => link as DirectLink);
    if (!hosts.includes(host) || hosts.some((each) => each === caller || each.state !== 'up')) return [];
    return hosts;
  }

  /** A channel to each of the threads; none at all if one of them cannot have any. */
  #channelsTo(caller: DirectLink, hosts: readonly DirectLink[]): readonly DirectChannel[] {
    const known = hosts.map((host) => channelBetween(caller, host));
    if (known.some((channel) => channel?.state === 'closing')) return [];
    const missing = known.filter((channel) => channel === null).length;
    if (missing > 0 && this.#channels.size + missing > this.most) {
      if (missing <= this.most) this.#makeRoom();
      return [];
    }
    return known.map((channel, at) => channel ?? this.#create(caller, hosts[at] as DirectLink));
  }

  #create(caller: DirectLink, host: DirectLink): DirectChannel {
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

  /**
   * The first of the calls that a thread has named, with those that wait for it. Null: it is over, or there is no such call.
   * @param named innermost first: each was given over a channel by the thread that the next one runs in
   */
  ancestorOf(
    link: DirectLink,
    named: readonly ChainCall[],
    actors: readonly DirectoryActor[],
  ): Ancestor | null {
    const found: DirectAncestor[] = [];
    let host = link;
    let outermost: Ancestor | null = null;
    for (const call of named) {
      if (call.channel === 0) {
        outermost = host.callOn(call.slot, call.generation);
        break;
      }
      const channel = host.channels.get(call.channel);
      const actor = actors[call.actor];
      // Nobody waits for a call whose channel has ended. Names that make no sense harm nobody but the thread that gives them.
      if (channel === undefined || channel.host !== host || actor === undefined) break;
      if (call.slot >= channel.claims.slots) break;
      found.push(new DirectAncestor(channel.claims, call, actor));
      host = channel.caller;
    }
    let ancestor = outermost;
    for (const call of found.reverse()) {
      call.parent = ancestor;
      ancestor = call;
    }
    return ancestor;
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
