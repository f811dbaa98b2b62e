/**
 * One object of an actor's class, and the calls that it has.
 *
 *   starting ──▶ ready ──▶ stopping ──▶ gone
 *    ▲  │         └──▶ restarting ─┐
 *    │  └── start failed ─────────│──▶ gone
 *    └────────────────────────────┘
 *
 * A keyed or single one runs one method to its end before the next, except those that its class lists in `static interleave`. One of a
 * `pool` actor runs `concurrency` of them.
 */
import { AsyncResource } from 'node:async_hooks';
import type { ActorSettings } from '../../wire/actors/boot.ts';
import { CallQueue, type Queued } from './call-queue.ts';
import type { ActorContext } from './types.ts';

export type AnyMethod = (...args: unknown[]) => unknown;

export interface HostedMethod {
  readonly run: AnyMethod;
  readonly interleaves: boolean;
  /** True for an async generator, whose reply is a stream. */
  readonly streams: boolean;
  /** The number of parameters before the call, which missing arguments must not shift. */
  readonly parameters: number;
}

/** An actor whose class this thread has loaded. */
export interface HostedActor<C extends Queued<C>> {
  readonly index: number;
  readonly settings: ActorSettings;
  readonly create: (context: ActorContext) => object;
  readonly methods: ReadonlyMap<string, HostedMethod>;
  readonly instances: Map<string, Instance<C>>;
}

/** @typeParam C its calls */
export class Instance<C extends Queued<C>> {
  readonly actor: HostedActor<C>;
  readonly key: string;
  state: 'starting' | 'ready' | 'restarting' | 'stopping' | 'gone' = 'starting';
  object: object | null = null;
  readonly queue = new CallQueue<C>();
  /** The async context of its constructor, `start` and `stop`, which no call shares. */
  readonly #context = new AsyncResource('SLUICE_ACTOR');
  /** Running methods that exclude others. */
  running = 0;
  /** All running methods. */
  begun = 0;
  /** The number of objects so far. The context of an earlier object restarts nothing. */
  objects = 0;
  /** Resolves when its next object has started or failed to start; null: none is being created. */
  opening: Promise<void> | null = null;
  /** Its queue is being searched for calls that can begin. */
  isAdvancing = false;

  constructor(actor: HostedActor<C>, key: string) {
    this.actor = actor;
    this.key = key;
  }

  /** Makes the object and starts it. @returns what `start` gives @throws what the constructor or `start` throws */
  open(context: ActorContext): unknown {
    return this.#context.runInAsyncScope(() => {
      this.objects++;
      this.object = this.actor.create(context);
      return settled((this.object as { start?(): unknown }).start?.());
    });
  }

  /** @returns what `stop` gives @throws what it throws */
  close(): unknown {
    return this.#context.runInAsyncScope(() => settled((this.object as { stop?(): unknown }).stop?.()));
  }

  get canBegin(): boolean {
    return this.state === 'ready' && this.running < this.actor.settings.concurrency;
  }
}

/** A promise where the value is one, or is like one: reading and calling its `then` runs the code that made it. */
export function settled(value: unknown): unknown {
  return isThenable(value) ? Promise.resolve(value) : value;
}

function isThenable(value: unknown): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return typeof (value as { then?: unknown }).then === 'function';
}
