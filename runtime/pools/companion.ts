/** What goes along with each thread of a pool, on a channel of its own that the pool does not know: the channel of actors. */
import type { MessagePort } from 'node:worker_threads';
import type { ActorBoot } from '../../wire/actors/boot.ts';

export interface ThreadCompanion {
  /** A thread starts. @param abort ends it, with the cause */
  attach(thread: string, abort: (cause: Error) => void): AttachedCompanion;
}

export interface AttachedCompanion {
  readonly boot: ActorBoot;
  /** To be transferred to the thread. */
  readonly ports: readonly MessagePort[];
  /** The thread has ended, or died. */
  gone(): void;
}
