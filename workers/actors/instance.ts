/**
 * One object of an actor's class, and the calls that it has.
 *
 *   starting ──▶ ready ──▶ stopping ──▶ gone
 *      └── start failed ───────────────▶ gone
 *
 * A keyed or single one runs one method to its end before the next, except those that its class lists in `static interleave`. One of a
 * `pool` actor runs `concurrency` of them.
 */
import type { ActorSettings } from '../../wire/actors/boot.ts';
import { CallQueue } from './hosted-call.ts';
import type { ActorContext } from './types.ts';

export type AnyMethod = (...args: unknown[]) => unknown;

export interface HostedMethod {
  readonly run: AnyMethod;
  readonly interleaves: boolean;
  /** It is an async generator: its answer is a stream. */
  readonly streams: boolean;
  /** Parameters before the call, which an argument that was left out must not move. */
  readonly parameters: number;
}

/** An actor whose class this thread has. */
export interface HostedActor {
  readonly index: number;
  readonly settings: ActorSettings;
  readonly create: (context: ActorContext) => object;
  readonly methods: ReadonlyMap<string, HostedMethod>;
  readonly instances: Map<string, Instance>;
}

export class Instance {
  readonly actor: HostedActor;
  readonly key: string;
  state: 'starting' | 'ready' | 'stopping' | 'gone' = 'starting';
  object: object | null = null;
  readonly queue = new CallQueue();
  /** Methods that run and let no other begin. */
  running = 0;
  /** It is being looked through for calls that can begin. */
  isAdvancing = false;

  constructor(actor: HostedActor, key: string) {
    this.actor = actor;
    this.key = key;
  }

  get canBegin(): boolean {
    return this.state === 'ready' && this.running < this.actor.settings.concurrency;
  }
}
