/** The direct channels of a thread, in both directions: for calls that it makes and for calls that it receives. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import {
  type DirectCallsTransfer,
  type DirectTransfer,
  openActorChannel,
  openCallingEnd,
} from '../../../wire/actors/channel.ts';
import { ActorCounters } from '../../../wire/actors/counters.ts';
import { DirectRole } from '../../../wire/actors/messages.ts';
import type { AtomicWords } from '../../../wire/atomics.ts';
import type { ChannelEnd } from '../../../wire/end.ts';
import { DirectCaller, type DirectCallerOwner } from './direct-caller.ts';
import { DirectHost, type DirectHostOwner } from './direct-host.ts';

/** The thread that owns the channels. */
export interface ChannelsOwner extends DirectCallerOwner, Omit<DirectHostOwner, 'onParted'> {
  onChannel(channel: DirectCaller): void;
  /** The channel is no longer used. Reports that to the reactor. */
  onEndParted(number: number): void;
}

export class Channels implements DirectHostOwner {
  /** Of all open channels. */
  readonly ends: ChannelEnd[] = [];
  readonly #hosts = new Map<number, DirectHost>();
  readonly #introductions: MessagePort;
  readonly #atomics: AtomicWords;
  readonly #owner: ChannelsOwner;

  constructor(introductions: MessagePort, atomics: AtomicWords, owner: ChannelsOwner) {
    this.#introductions = introductions;
    this.#atomics = atomics;
    this.#owner = owner;
    introductions.unref();
  }

  /** The reactor has sent this thread's end of a channel, before it said so. */
  meet(number: number, role: number, backlogBytes: number): void {
    const sent = receiveMessageOnPort(this.#introductions);
    if (sent === undefined) throw new Error(`direct channel ${number}: its end has not been sent`);
    const transfer = sent.message as DirectTransfer;
    if (role === DirectRole.Calls) {
      const counters = new ActorCounters((transfer as DirectCallsTransfer).counters);
      const open = (handler: DirectCaller) => openCallingEnd(transfer, handler, this.#atomics);
      const channel = new DirectCaller(number, open, this.#owner, backlogBytes, counters);
      this.ends.push(channel.end);
      this.#owner.onChannel(channel);
    } else {
      const open = (handler: DirectHost) => openActorChannel(transfer, handler, this.#atomics);
      const channel = new DirectHost(number, open, this, backlogBytes);
      this.ends.push(channel.end);
      this.#hosts.set(number, channel);
    }
    this.#owner.requestTurn();
  }

  /** False: this thread makes the calls on it. */
  severHost(number: number): boolean {
    const channel = this.#hosts.get(number);
    channel?.sever();
    return channel !== undefined;
  }

  /** It is closed. */
  remove(end: ChannelEnd): void {
    const index = this.ends.indexOf(end);
    if (index !== -1) this.ends.splice(index, 1);
  }

  close(): void {
    for (const end of this.ends) end.close();
    this.#introductions.close();
  }

  // ---- DirectHostOwner

  get host(): DirectHostOwner['host'] {
    return this.#owner.host;
  }

  onSaid(): void {
    this.#owner.onSaid();
  }

  onWake(): void {
    this.#owner.onWake();
  }

  requestTurn(): void {
    this.#owner.requestTurn();
  }

  onParted(channel: DirectHost): void {
    this.#hosts.delete(channel.number);
    this.remove(channel.end);
    this.#owner.onEndParted(channel.number);
  }
}
