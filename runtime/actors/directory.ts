/**
 * The directory of actors: all calls go through it, so one key has one instance in the process, whatever threads start, end or die
 * meanwhile. A thread's claim table says of each call whether it has begun; a call that has not can go elsewhere, one that has ends once.
 *
 * It joins what its parts know:
 *
 *   threads.ts       which threads there are, from their attachment to their end
 *   open-calls.ts    calls, from their acceptance to their end
 *   delivery.ts      which thread gets what waits
 *   instances.ts     where instances live, and when they stop
 *   call-streams.ts  items of streamed inputs and replies
 *   direct.ts        channels over which two threads call each other without the directory
 */
import type { ChainCall } from '../../wire/actors/messages.ts';
import { DEFAULT_MAX_ERROR_CHARS } from '../../wire/error-report.ts';
import type { TopicSettings } from '../../wire/topics/messages.ts';
import { Topics, type TopicsOptions } from '../topics/topics.ts';
import { CallStreams } from './call-streams.ts';
import { Delivery, type DeliveryOwner } from './delivery.ts';
import { DirectChannels, type DirectOptions } from './direct.ts';
import { FailurePayloads } from './failure-payloads.ts';
import { Instances } from './instances.ts';
import type { ActorLink, AttachingPool, LinkOwner } from './link.ts';
import {
  type ActorCall,
  type Ancestor,
  DirectoryActor,
  type DirectorySettings,
  type Mailbox,
} from './mailbox.ts';
import type { DirectoryObserver } from './observer.ts';
import { OpenCalls, type OpenCallsOwner } from './open-calls.ts';
import { ActorThreads, type AttachedThread } from './threads.ts';
import { ActorTurns } from './turns.ts';

export interface DirectoryOptions {
  readonly actors: readonly DirectorySettings[];
  readonly topics: TopicSettings & TopicsOptions;
  readonly recallAfterMs: number;
  /** Default: no direct channels. */
  readonly direct?: DirectOptions & {
    /** Calls of one thread to one instance before they go over a channel of their own. */
    readonly afterCalls: number;
  };
  readonly maxErrorChars?: number;
}

export class ActorDirectory implements LinkOwner, DeliveryOwner, OpenCallsOwner {
  readonly notRead: Buffer;
  readonly topics: Topics;
  readonly direct: DirectChannels;
  readonly calls: OpenCalls;
  readonly streams: CallStreams;
  readonly instances: Instances;
  readonly #actors: readonly DirectoryActor[];
  readonly #turns: ActorTurns;
  readonly #delivery: Delivery;
  readonly #threads: ActorThreads;
  #state: 'running' | 'draining' | 'ended' = 'running';
  #whenEmpty: PromiseWithResolvers<void> | null = null;

  constructor(options: DirectoryOptions, observer: DirectoryObserver, turns = new ActorTurns()) {
    const failures = new FailurePayloads(options.maxErrorChars);
    const actors = options.actors.map((settings, index) => new DirectoryActor(index, settings));
    this.notRead = failures.encode({
      code: 'SLUICE_ACTOR_OVERLOADED',
      message: 'the reply was dropped: this thread has not read the ones before it',
      begun: 'yes',
    });
    this.topics = new Topics(options.topics);
    this.#actors = actors;
    this.#turns = turns;
    this.direct = new DirectChannels(options.direct ?? { maxChannels: 0 }, (mailbox, host, idleMs) => {
      this.instances.onWorkOver(mailbox, idleMs);
      (host as ActorLink).leaveIfEmpty();
      if (this.#whenEmpty !== null) this.#checkEmpty();
    });
    const { direct } = this;
    this.#delivery = new Delivery(actors, turns, options.recallAfterMs, this);
    const delivery = this.#delivery;
    this.instances = new Instances(actors, turns, delivery, direct, failures, observer);
    const { instances } = this;
    this.calls = new OpenCalls(actors, turns, delivery, instances, direct, failures, observer, this);
    this.streams = new CallStreams(this.calls);
    this.#threads = new ActorThreads(actors, turns, delivery, instances, direct, this.calls, {
      actors: options.actors,
      topics: options.topics,
      direct: {
        afterCalls: options.direct?.maxChannels ? options.direct.afterCalls : 0,
        recallAfterMs: options.recallAfterMs,
      },
      maxErrorChars: options.maxErrorChars ?? DEFAULT_MAX_ERROR_CHARS,
    });
  }

  get actors(): readonly DirectoryActor[] {
    return this.#actors;
  }

  /** Of the threads that there are. */
  get links(): ReadonlySet<ActorLink> {
    return this.#threads.links;
  }

  /** Messages that were accepted and are not over. */
  get openMessages(): number {
    return this.calls.messages;
  }

  /** A thread starts. @param abort ends it, when its ring holds what it cannot have written */
  attach(name: string, pool: AttachingPool, abort: (error: Error) => void): AttachedThread {
    return this.#threads.attach(name, pool, this, abort);
  }

  // ---- time

  /** About once a second. */
  tick(nowMs: number): void {
    this.instances.stopIdle(nowMs);
    this.direct.tick(nowMs);
    this.calls.endDoomed(nowMs);
    this.#turns.request();
  }

  /** See `Delivery.rebalance`. */
  rebalance(nowMs: number): void {
    this.#delivery.rebalance(nowMs);
  }

  // ---- the end

  /** The server stops: resolves when all that was accepted is over. New calls are taken as long as there are threads for them. */
  drain(): Promise<void> {
    if (this.#state === 'running') this.#state = 'draining';
    this.direct.callBackAll();
    this.#whenEmpty ??= Promise.withResolvers();
    this.#checkEmpty();
    return this.#whenEmpty.promise;
  }

  /** Refuses waiting calls that have no thread, and reports those as lost for which no caller waits. */
  end(): void {
    this.#state = 'ended';
    for (const actor of this.#actors) {
      for (const mailbox of [...actor.mailboxes.values(), ...actor.targets.values()])
        this.refuseWaiting(mailbox);
    }
    this.#delivery.close();
    this.calls.close();
  }

  #checkEmpty(): void {
    if (this.openMessages === 0 && this.direct.conversations === 0) this.#whenEmpty?.resolve();
  }

  // ---- OpenCallsOwner and DeliveryOwner

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  onCallOver(): void {
    if (this.#whenEmpty !== null) this.#checkEmpty();
  }

  onExpired(call: ActorCall): void {
    this.calls.expire(call);
  }

  refuseWaiting(mailbox: Mailbox): void {
    this.calls.refuseWaiting(mailbox);
  }

  // ---- LinkOwner

  onManifest(link: ActorLink, index: number, manifest: Buffer): void {
    this.#threads.onManifest(link, index, manifest);
  }

  onLeaving(link: ActorLink): void {
    this.#threads.onLeaving(link);
  }

  onCorrupt(link: ActorLink, error: Error): void {
    this.#threads.onCorrupt(link, error);
  }

  onRoom(link: ActorLink): void {
    this.#delivery.onRoom(link);
  }

  ancestorOf(link: ActorLink, named: readonly ChainCall[]): Ancestor | null {
    return this.direct.ancestorOf(link, named, this.#actors);
  }

  requestTurn(): void {
    this.#turns.request();
  }

  wake(): void {
    this.#turns.wake();
  }
}
