/**
 * What every thread of a pool has beside the pool's own channel: the channel of actors, about which the pool
 * knows nothing.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ActorBoot } from '../../wire/actors/boot.ts';

export interface ThreadCompanion {
  /** Called when a thread starts. @param abort ends the thread, with the cause */
  attach(thread: string, abort: (cause: Error) => void): AttachedCompanion;
}

export interface AttachedCompanion {
  readonly boot: ActorBoot;
  /** To be transferred to the thread. */
  readonly ports: readonly MessagePort[];
  /** True if the thread has received or begun work other than jobs, so its event loop must turn. */
  readonly hasWork: boolean;
  /** The thread has ended, or died. */
  gone(): void;
}
