/** What a thread is told of actors when it starts. */
import type { TopicSettings } from '../topics/messages.ts';
import type { ActorChannelTransfer } from './channel.ts';

export type ActorKind = 'pool' | 'keyed' | 'single';

/** One actor, as every thread knows it. Actors are numbered by their place in the list. */
export interface ActorSettings {
  readonly name: string;
  readonly kind: ActorKind;
  /** Export of its pool's module: a class. Empty: the functions that the module exports are its methods. */
  readonly export: string;
  readonly pool: string;
  /** Messages that one instance of a `pool` actor handles at a time; 1 for the others. */
  readonly concurrency: number;
  readonly deadlineMs: number;
  /** Calls of one thread to this actor that have not ended, and bytes of them. */
  readonly callerMessages: number;
  readonly callerBytes: number;
  readonly maxKeyChars: number;
  /** Calls within calls. */
  readonly maxCallDepth: number;
  /** Of a mailbox. */
  readonly mailboxMessages: number;
  /** Of a message's arguments, and of a reply. */
  readonly maxMessageBytes: number;
  readonly maxMessageDepth: number;
  readonly maxSharedReferences: number;
  /** Items of a streamed reply on their way ahead of their reader. */
  readonly streamItems: number;
  /** A streamed reply that was given up has so long to end by itself. */
  readonly streamGraceMs: number;
  /** Of an instance's `start`, and of its `stop`. */
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
}

export interface ActorBoot {
  readonly channel: ActorChannelTransfer;
  /** For `ActorCounters`. */
  readonly counters: SharedArrayBuffer;
  readonly thread: string;
  readonly pool: string;
  readonly actors: readonly ActorSettings[];
  readonly topics: TopicSettings;
  readonly direct: {
    /** Calls of this thread to one instance before they go over a channel of their own; 0: they never do. */
    readonly afterCalls: number;
    /** A call that no thread of a `pool` actor has begun after so long may go to another one. */
    readonly recallAfterMs: number;
  };
  /** URL of the module whose exports are this pool's actors; null: it hosts none. */
  readonly module: string | null;
  readonly maxErrorChars: number;
}
