/**
 * The result of `actor(name)`: an object that looks up the actor's client when a member is read, in the thread that
 * reads it.
 */
import type { ActorThread } from './actor-thread.ts';
import { type ActorState, requireKey } from './client.ts';
import { ActorError, ActorErrorCode } from './error.ts';
import type { ActorClass, ActorModule, Handle } from './types.ts';

/** @param current the thread's own side of all actors, when it is needed; null: there is none */
export function handleOf<C extends ActorClass | ActorModule>(
  name: string,
  current: () => ActorThread | null,
): Handle<C> {
  if (current() !== null) stateOf(name, current());
  return new Proxy(Object.create(null) as object, {
    get: (_target, property) => memberOf(name, property, current),
  }) as Handle<C>;
}

function memberOf(name: string, property: string | symbol, current: () => ActorThread | null): unknown {
  // What is no name of a member, and what `await` and `JSON.stringify` look for.
  if (typeof property === 'symbol' || property === 'then' || property === 'toJSON') return undefined;
  const state = stateOf(name, current());
  if (property === 'each') return state.each();
  const isKeyed = state.settings.kind === 'keyed';
  if (property === 'of') {
    if (!isKeyed)
      throw keyless(name, `expected a method, got of(): a ${state.settings.kind} actor has no keys`);
    return (key: unknown) => {
      requireKey(state.settings, key);
      return state.ask(key);
    };
  }
  if (isKeyed)
    throw keyless(
      name,
      `expected of(key) or each, got ${property}: a keyed actor needs the key first, of(key).${property}`,
    );
  return state.member(property);
}

function stateOf(name: string, thread: ActorThread | null): ActorState {
  const state = thread?.stateOf(name);
  if (state !== undefined) return state;
  const names = thread?.names.join(', ') ?? null;
  const which =
    names === null
      ? 'a thread of a Sluice server whose configuration has actors, or testActors of this copy of the package'
      : names === ''
        ? 'a configuration with actors, this one has none'
        : `one of the configuration's actors (${names})`;
  throw new ActorError(ActorErrorCode.Unknown, `expected ${which}, got ${JSON.stringify(name)}`, {
    begun: 'no',
    by: 'caller',
  });
}

function keyless(name: string, message: string): ActorError {
  return new ActorError(ActorErrorCode.KeyInvalid, `${name}: ${message}`, { begun: 'no', by: 'caller' });
}
