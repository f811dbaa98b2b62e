/** A thread's side of all actors: the calls that it makes and the actors that it hosts. It drives its channels in turns (turns.ts). */
import { performance } from 'node:perf_hooks';
import type { ActorBoot, ActorSettings } from '../../wire/actors/boot.ts';
import { openActorChannel } from '../../wire/actors/channel.ts';
import { ActorCounters } from '../../wire/actors/counters.ts';
import type { ActorManifest, ActorThreadHandler, Grant } from '../../wire/actors/messages.ts';
import type { ActorThreadEnd } from '../../wire/actors/thread-end.ts';
import { type AtomicWords, hardwareAtomics } from '../../wire/atomics.ts';
import type { PayloadLimits } from '../../wire/payload/forms.ts';
import type { Clock } from '../../wire/running-timer.ts';
import { ThreadTopics } from '../topics/thread-topics.ts';
import { CallSource } from './call-source.ts';
import { Calls } from './calls.ts';
import { ActorState } from './client.ts';
import { Channels, type ChannelsOwner } from './direct/channels.ts';
import type { DirectCaller } from './direct/direct-caller.ts';
import { ActorHost } from './host.ts';
import type { HostedCall } from './hosted-call.ts';
import { loadActors } from './load.ts';
import type { MadeCall } from './made-call.ts';
import { decoder, freeEncoder } from './payloads.ts';
import type { Spin } from './spin.ts';
import type { Send, ThreadLink } from './thread-link.ts';
import { OUTERMOST, Turns, type TurnsOwner } from './turns.ts';
import type { ActorContext } from './types.ts';

/** Things that wait for time to pass. */
export interface Timers {
  readonly nowMs: number;
  set(callback: () => void, afterMs: number): object;
  clear(timer: object): void;
}

const SYSTEM_TIMERS: Timers = {
  get nowMs() {
    return performance.now();
  },
  set: (callback, afterMs) =>
    // The port keeps the thread, as long as there is anything to wait for.
    (
      OUTERMOST.runInAsyncScope(setTimeout, undefined, callback, afterMs) as unknown as NodeJS.Timeout
    ).unref(),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

export class ActorThread implements ActorThreadHandler, ThreadLink, ChannelsOwner, TurnsOwner {
  readonly end: ActorThreadEnd;
  readonly calls: Calls;
  readonly host: ActorHost;
  readonly topics: ThreadTopics;
  readonly counters: ActorCounters;
  readonly clock: Clock;
  /** By number. */
  readonly states: readonly ActorState[];
  readonly #boot: ActorBoot;
  readonly #byName = new Map<string, ActorState>();
  /** The reactor's channel as one that calls are given over. */
  readonly #source: CallSource<HostedCall>;
  readonly #channels: Channels;
  readonly #turns: Turns;
  readonly #timers: Timers;
  #left: PromiseWithResolvers<void> | null = null;

  /** @param spin null: the thread sleeps without a look */
  constructor(
    boot: ActorBoot,
    atomics: AtomicWords = hardwareAtomics,
    timers: Timers = SYSTEM_TIMERS,
    spin: Spin | null = null,
  ) {
    this.#boot = boot;
    this.#timers = timers;
    this.clock = {
      now: () => timers.nowMs,
      after: (ms, run) => {
        const timer = timers.set(run, ms);
        return () => timers.clear(timer);
      },
    };
    this.counters = new ActorCounters(boot.counters);
    this.end = openActorChannel(boot.channel, this, atomics);
    this.#source = new CallSource(0, this.end, () => this.onSaid());
    this.#channels = new Channels(boot.channel.introductions, atomics, this);
    const { ends } = this.#channels;
    ends.push(this.end);
    this.#turns = new Turns(ends, this, spin);
    this.calls = new Calls(this, boot.direct);
    this.host = new ActorHost(this);
    this.topics = new ThreadTopics(this, boot.topics, boot.maxErrorChars, { decoder, freeEncoder });
    this.states = boot.actors.map((settings, index) => {
      const limits: PayloadLimits = {
        maxBytes: settings.maxMessageBytes,
        maxDepth: settings.maxMessageDepth,
        maxReferences: settings.maxSharedReferences,
        maxErrorChars: boot.maxErrorChars,
      };
      const state = new ActorState(index, settings, limits, this.calls);
      this.#byName.set(settings.name, state);
      return state;
    });
    this.requestTurn();
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  stateOf(name: string): ActorState | undefined {
    return this.#byName.get(name);
  }

  limitsOf(actor: number): PayloadLimits {
    return (this.states[actor] as ActorState).limits;
  }

  contextOf({ name }: ActorSettings, key: string, restart: (reason?: unknown) => void): ActorContext {
    const { pool, thread } = this.#boot;
    return Object.freeze({ actor: name, key, pool, thread, restart });
  }

  /**
   * Loads the actors of this thread's pool, and reports to the reactor that they can be called.
   * @param reached gets the name of what the thread is waiting for; empty: for nothing that has a name
   * @throws ActorLoadError, and whatever the module, a constructor or a `start` throws
   */
  async load(module: string, reached: (step: string) => void): Promise<void> {
    const { actors, pool } = this.#boot;
    const own = [...actors.entries()].filter(([, settings]) => settings.pool === pool);
    await this.host.open(await loadActors(module, own), reached);
  }

  /**
   * Prepares the end of the thread. Begun calls end, instances stop, and unbegun calls go to other threads. The
   * thread's own calls continue. Resolves when nothing is left.
   */
  async leave(failed: (error: unknown) => void): Promise<void> {
    this.#left ??= Promise.withResolvers();
    this.send(NOTHING, 0, (end) => end.sendLeaving());
    await this.#left.promise;
    await this.host.stopAll(failed);
  }

  /** Messages that wait for room in the ring. */
  get unsentMessages(): number {
    return this.#source.outbox.waiting;
  }

  get isOpen(): boolean {
    return this.#source.outbox.isOpen;
  }

  close(): void {
    this.#channels.close();
    this.calls.endAll();
    this.topics.endAll();
  }

  /** Timers run outside every application's async context. */
  setTimer(callback: () => void, afterMs: number): object {
    return this.#timers.set(callback, afterMs);
  }

  clearTimer(timer: object | undefined): void {
    if (timer !== undefined) this.#timers.clear(timer);
  }

  /** Sends a message to the reactor, now or when there is room. The payload is copied if it has to wait. */
  send(bytes: Uint8Array, length: number, send: Send): void {
    this.#source.outbox.send(bytes, length, send);
  }

  /** Sends a message if there is room for it and nothing else waits. If not, `topics.flush` follows. */
  trySend(send: (end: ActorThreadEnd) => boolean): boolean {
    return this.#source.outbox.trySend(send);
  }

  onSaid(): void {
    this.#turns.said();
  }

  /** The thread ends and takes no further turn. */
  publish(): void {
    this.#turns.publish();
  }

  // ---- turns

  requestTurn(): void {
    this.#turns.request();
  }

  get turnClockMs(): number {
    return this.#turns.clockMs;
  }

  /** See `Turns.isLateAt`. */
  get isLate(): boolean {
    return this.#turns.isLateAt(performance.now());
  }

  isLateAt(nowMs: number): boolean {
    return this.#turns.isLateAt(nowMs);
  }

  hold(): void {
    this.#turns.hold();
  }

  release(): void {
    this.#turns.release();
  }

  /** It takes no turn before somebody wants something of it. */
  get isIdle(): boolean {
    return this.#turns.isIdleBut(this.end);
  }

  onWake(): void {
    this.#turns.wake();
  }

  get openCalls(): number {
    return this.calls.openCalls;
  }

  get running(): number {
    return this.host.running;
  }

  get ended(): number {
    return this.host.ended;
  }

  get hasReady(): boolean {
    return this.host.hasReady;
  }

  advanceReady(): void {
    this.host.advanceReady();
  }

  onWritable(): void {
    if (this.#source.outbox.flush()) this.topics.flush();
    this.requestTurn();
  }

  /** The reactor's side has corrupted the ring. Nothing more can be sent, so the thread ends and is replaced. */
  onCorrupt(error: Error): void {
    throw error;
  }

  // ---- from the reactor

  onDeliver(
    slot: number,
    generation: number,
    actor: number,
    flags: number,
    deadlineMs: number,
    key: string,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    this.host.onDeliver(this.#source, slot, generation, actor, flags, deadlineMs, key, bytes, start, end);
  }

  onAbort(slot: number, generation: number): void {
    this.host.onAbort(this.#source, slot, generation);
  }

  onStop(actor: number, key: string): void {
    this.host.onStop(actor, key);
  }

  onResult(id: number, how: number, bytes: Buffer, start: number, end: number): void {
    this.calls.onResult(id, how, bytes, start, end);
  }

  onItem(id: number, bytes: Buffer, start: number, end: number): void {
    this.calls.onItem(id, bytes, start, end);
  }

  onPart(
    id: number,
    how: number,
    thread: string,
    key: string,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    this.calls.onPart(id, how, thread, key, bytes, start, end);
  }

  onPull(slot: number, generation: number, items: number): void {
    this.host.onPull(this.#source, slot, generation, items);
  }

  onSubscribed(id: number, sequence: number | null): void {
    this.topics.onSubscribed(id, sequence);
  }

  onEvent(id: number, sequence: number, bytes: Buffer, start: number, end: number): void {
    this.topics.onEvent(id, sequence, bytes, start, end);
  }

  onInput(
    slot: number,
    generation: number,
    input: number,
    how: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    this.host.onInput(this.#source, slot, generation, input, how, bytes, start, end);
  }

  onWant(id: number, input: number, items: number): void {
    this.calls.onWant(id, input, items);
  }

  onManifest(actor: number, bytes: Buffer, start: number, end: number): void {
    const state = this.states[actor];
    state?.learn(decoder.decode(bytes, start, end, state.limits) as ActorManifest);
  }

  onLeft(): void {
    this.#left?.resolve();
  }

  // ---- direct channels

  onMeet(channel: number, role: number, backlogBytes: number): void {
    this.#channels.meet(channel, role, backlogBytes);
  }

  onJoined(id: number, grant: Grant): void {
    this.calls.onJoined(id, grant);
  }

  onCallBack(conversation: number): void {
    this.calls.ways.onCallBack(conversation);
  }

  /** It may have ended here already. */
  onSever(channel: number): void {
    if (!this.#channels.severHost(channel)) this.#endCaller(channel);
  }

  onChannel(channel: DirectCaller): void {
    this.calls.ways.onChannel(channel);
  }

  onResultOf(call: MadeCall, how: number, bytes: Buffer, start: number, end: number): void {
    this.calls.onResultOf(call, how, bytes, start, end);
  }

  onItemOf(call: MadeCall, bytes: Buffer, start: number, end: number): void {
    this.calls.onItemOf(call, bytes, start, end);
  }

  onBroken({ number }: DirectCaller): void {
    this.#endCaller(number);
  }

  #endCaller(number: number): void {
    const channel = this.calls.onSevered(number);
    if (channel === null) return;
    this.#channels.remove(channel.end);
    this.onEndParted(number);
  }

  onEndParted(channel: number): void {
    this.send(NOTHING, 0, (end) => end.sendParted(channel));
  }
}

const NOTHING = new Uint8Array(0);
