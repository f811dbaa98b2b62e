/** What `sluice/actors` exports. docs/actors.md tells how to use it. */
import { type ActorState, requireKey } from './client.ts';
import { actorThread } from './current.ts';
import { ActorError, ActorErrorCode } from './error.ts';
import type { ActorClass, Handle } from './types.ts';

export { TopicError, TopicErrorCode } from '../topics/error.ts';
export type { SubscribeOptions, Subscription, WhenFull } from '../topics/subscription.ts';
export { type Topic, topic } from '../topics/topic.ts';
export { ActorError, ActorErrorCode, type Begun, type EndedBy } from './error.ts';
export type { ActorContext, Ask, Call, CallOptions, Client, Handle, Keyed, Tell } from './types.ts';

/**
 * A handle for the actor of this name, as the configuration has it. It owns nothing and needs no disposal; it may be made when a module is
 * loaded, by any application, actor or lifespan hook.
 * @throws ActorError `SLUICE_ACTOR_UNKNOWN`, which lists the actors that there are
 */
export function actor<C extends ActorClass>(name: string): Handle<C> {
  if (actorThread() !== null) stateOf(name);
  return new Proxy(Object.create(null) as object, {
    get: (_target, property) => memberOf(name, property),
  }) as Handle<C>;
}

function memberOf(name: string, property: string | symbol): unknown {
  // What is no name of a member, and what `await` looks for.
  if (typeof property === 'symbol' || property === 'then') return undefined;
  const state = stateOf(name);
  const isKeyed = state.settings.kind === 'keyed';
  if (property === 'of') {
    if (!isKeyed) throw keyless(name, `${name} is no keyed actor: call its methods without a key`);
    return (key: unknown) => {
      requireKey(name, key);
      return state.ask(key);
    };
  }
  if (isKeyed) throw keyless(name, `${name} is a keyed actor: name the instance by of(key), then its method`);
  const client = state.ask('');
  const member: unknown = Reflect.get(client, property);
  return typeof member === 'function' ? member.bind(client) : member;
}

function stateOf(name: string): ActorState {
  const thread = actorThread();
  const state = thread?.stateOf(name);
  if (state !== undefined) return state;
  const known = thread === null ? [] : thread.names;
  const which =
    known.length > 0
      ? `one of the configuration's actors (${known.join(', ')})`
      : 'a server whose configuration has actors';
  throw new ActorError(ActorErrorCode.Unknown, `expected ${which}, got ${JSON.stringify(name)}`, {
    begun: 'no',
    by: 'caller',
  });
}

function keyless(name: string, message: string): ActorError {
  return new ActorError(ActorErrorCode.KeyInvalid, `${name}: ${message}`, { begun: 'no', by: 'caller' });
}
