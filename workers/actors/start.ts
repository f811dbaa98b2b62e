/** Imported by threads of servers whose configuration has actors, and by no other. */
import type { ActorBoot } from '../../wire/actors/boot.ts';
import { ActorThread } from './actor-thread.ts';
import { setActorThread } from './current.ts';

/** From now on modules of this thread can call actors. */
export function startActors(boot: ActorBoot): ActorThread {
  const thread = new ActorThread(boot);
  setActorThread(thread);
  return thread;
}
