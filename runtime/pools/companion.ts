/**
 * What every thread of a pool gets beside the pool's own channel: the channel of actors, which the pool does
 * not know.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ActorBoot } from '../../wire/actors/boot.ts';

export interface ThreadCompanion {
  /** A thread starts. @param abort ends the thread, with the cause */
  attach(thread: string, abort: (cause: Error) => void): AttachedCompanion;
}

export interface AttachedCompanion {
  readonly boot: ActorBoot;
  /** To be transferred to the thread. */
  readonly ports: readonly MessagePort[];
  /** The thread has been given something that is no job, or has begun it, so its event loop has to turn. */
  readonly hasWork: boolean;
  /** The thread has ended, or died. */
  gone(): void;
}
