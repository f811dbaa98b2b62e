/** A call that this thread has received: first in an instance's queue, then running, then over. */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { clockMilliseconds } from '../../wire/clock.ts';
import type { Queued } from './call-queue.ts';
import type { CallSource } from './call-source.ts';
import { type Carried, withCarried } from './carried.ts';
import { type Chain, chainWith } from './chain.ts';
import type { MethodRecord } from './diagnostics.ts';
import type { HostedInput } from './hosted-input.ts';
import type { HostedMethod, Instance } from './instance.ts';
import type { SentStream } from './sent-stream.ts';
import type { Call } from './types.ts';

/** A call that a method makes. It ends with the method's own call. */
export interface Child {
  abandon(): void;
}

/** The call whose method is running. Calls made within it inherit its deadline and its end. */
export const runningCall: AsyncLocalStorage<HostedCall> = new AsyncLocalStorage();

/**
 * Runs in an async scope of its own, which ends when this returns, so the stores are entered and need not be left one by one. A snapshot would
 * cost more than the rest of the call.
 */
function enter<A extends unknown[], R>(call: HostedCall, run: (...args: A) => R, args: A): R {
  runningCall.enterWith(call);
  return call.carried === null ? run(...args) : withCarried(call.carried, run, args, call);
}

export class HostedCall implements Call, Queued<HostedCall> {
  readonly source: CallSource<HostedCall>;
  readonly slot: number;
  readonly generation: number;
  readonly flags: number;
  /** The deadline, by `clockMilliseconds`. */
  readonly deadlineMs: number;
  readonly instance: Instance<HostedCall>;
  state: 'queued' | 'running' | 'over' = 'queued';
  /** `performance.now()` when the thread received the call, and when its method began. */
  readonly givenAtMs: number;
  begunAtMs = 0;
  /** Set while the call is queued. */
  payload: Buffer | null = null;
  /** The stream of a call that replies with one, from the call's beginning on. */
  stream: SentStream | null = null;
  /** Sends the reply when the stream has returned because of an item that could not be sent; null: every item could be sent. */
  refused: (() => void) | null = null;
  /** Its streamed inputs; null: none. */
  inputs: readonly HostedInput[] | null = null;
  method: HostedMethod | null = null;
  /** The stores that the call carries; null: none. */
  carried: Carried | null = null;
  /** The method has begun, so all carried stores could be entered. */
  hasEntered = false;
  /** What the payload says of the calls that wait for this one; undefined: no method has made it. */
  carriedChain: unknown = undefined;
  /** Null without a subscriber. */
  record: MethodRecord | null = null;
  previous: HostedCall | null = null;
  next: HostedCall | null = null;
  #children: Set<Child> | null = null;
  #chain: Chain | null = null;
  /**
   * The async context of this call alone, created before application code has run. A turn begins many calls. A store that one call enters
   * (`AsyncLocalStorage.enterWith`) in the turn's context would leak into the next call.
   */
  readonly #context = new AsyncResource('SLUICE_ACTOR_CALL');
  #controller: AbortController | null = null;
  #aborted: { readonly reason: unknown } | null = null;

  constructor(
    source: CallSource<HostedCall>,
    slot: number,
    generation: number,
    flags: number,
    deadlineMs: number,
    instance: Instance<HostedCall>,
    givenAtMs: number,
  ) {
    this.givenAtMs = givenAtMs;
    this.source = source;
    this.slot = slot;
    this.generation = generation;
    this.flags = flags;
    this.deadlineMs = deadlineMs;
    this.instance = instance;
  }

  /** Runs a function in the call's context. */
  within<A extends unknown[], R>(run: (...args: A) => R, ...args: A): R {
    return this.#context.runInAsyncScope(enter<A, R>, undefined, this, run, args);
  }

  /** This call and the calls that wait for it. Created when the method makes a call, because most methods make none. */
  get chain(): Chain {
    if (this.#chain === null) {
      const { slot, generation, flags, instance } = this;
      const { number: channel } = this.source;
      const call = { channel, slot, generation, actor: instance.actor.index, flags, key: instance.key };
      this.#chain = chainWith(call, this.carriedChain);
    }
    return this.#chain;
  }

  /** Created on first use, because most methods never use it. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#aborted !== null) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return (this.deadlineMs - clockMilliseconds()) | 0;
  }

  /** Why the caller gave the call up; null: the caller waits. */
  get aborted(): { readonly reason: unknown } | null {
    return this.#aborted;
  }

  adopt(child: Child): void {
    this.#children ??= new Set();
    this.#children.add(child);
  }

  disown(child: Child): void {
    this.#children?.delete(child);
  }

  abort(reason: unknown): void {
    if (this.#aborted !== null) return;
    this.#aborted = { reason };
    const controller = this.#controller;
    if (controller !== null) this.within(() => controller.abort(reason));
    for (const child of this.#children ?? []) child.abandon();
    this.endInputs(reason);
  }

  /** No more items arrive. A reader of an incomplete input gets the reason. */
  endInputs(reason: unknown): void {
    for (const input of this.inputs ?? []) input.end({ error: reason });
  }
}
