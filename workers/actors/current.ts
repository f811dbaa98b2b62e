/**
 * The thread's own side of all actors; null where no server runs, as in a test of a module by itself. In a test of actors one thread stands
 * for several, and whose side it is depends on who asks.
 */
import type { ActorThread } from './actor-thread.ts';

let current: () => ActorThread | null = () => null;

export function setActorThread(thread: ActorThread | null): void {
  current = () => thread;
}

/** For tests of actors. @param source says for whoever runs now */
export function setActorThreadSource(source: () => ActorThread | null): void {
  current = source;
}

export function actorThread(): ActorThread | null {
  return current();
}
