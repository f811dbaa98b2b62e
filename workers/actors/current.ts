/**
 * This thread's side of all actors. It is null where no server runs, for example when a test imports a module by
 * itself. In a test of actors one thread stands for several, and the caller decides which side it gets.
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
