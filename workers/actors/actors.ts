/** What `sluice/actors` exports. docs/actors.md tells how to use it. */
import { actorThread } from './current.ts';
import { handleOf } from './handle.ts';
import type { ActorClass, ActorModule, Handle } from './types.ts';

export { TopicError, TopicErrorCode } from '../topics/error.ts';
export type { SubscribeOptions, Subscription, WhenFull } from '../topics/subscription.ts';
export { type Topic, topic } from '../topics/topic.ts';
export { callOptions } from './call-options.ts';
export {
  type Carrier,
  carry,
  type TraceContext,
  type TraceFields,
  traceContext,
  traceOf,
} from './carried.ts';
export type { CallKind, CallRecord, MethodRecord } from './diagnostics.ts';
export { ActorError, ActorErrorCode, type Begun, type EndedBy } from './error.ts';
export type {
  ActorContext,
  Ask,
  Call,
  CallOptions,
  Client,
  Each,
  EachResult,
  Handle,
  Keyed,
  Tell,
  Unkeyed,
} from './types.ts';

/**
 * Returns a handle for the actor of this name in the configuration. It owns nothing and needs no disposal. Any
 * application, actor or lifespan hook may call it, also while a module loads.
 * @throws ActorError `SLUICE_ACTOR_UNKNOWN`, which lists the existing actors
 */
export function actor<C extends ActorClass | ActorModule>(name: string): Handle<C> {
  return handleOf<C>(name, actorThread);
}
