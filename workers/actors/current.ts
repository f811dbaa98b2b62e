/** The thread's own side of all actors; null where no server runs, as in a test of a module by itself. */
import type { ActorThread } from './actor-thread.ts';

let current: ActorThread | null = null;

export function setActorThread(thread: ActorThread | null): void {
  current = thread;
}

export function actorThread(): ActorThread | null {
  return current;
}
