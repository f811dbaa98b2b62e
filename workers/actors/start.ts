/** Only threads of servers whose configuration has actors import this module. */
import { availableParallelism } from 'node:os';
import type { ActorBoot } from '../../wire/actors/boot.ts';
import { ActorThread } from './actor-thread.ts';
import { setActorThread } from './current.ts';
import { Spin } from './spin.ts';

/** From now on modules of this thread can call actors. */
export function startActors(boot: ActorBoot): ActorThread {
  // On a single core the other thread cannot run while this one looks.
  const spin = availableParallelism() > 1 ? new Spin() : null;
  const thread = new ActorThread(boot, undefined, undefined, spin);
  setActorThread(thread);
  // What has been sent since the last turn, as by code that publishes and then ends its thread.
  process.once('exit', () => thread.publish());
  return thread;
}
