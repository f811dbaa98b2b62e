/** What a thread learns about actors when it starts. */
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
  /** Messages that one instance of a `pool` actor handles at a time; 1 for the other kinds. */
  readonly concurrency: number;
  readonly deadlineMs: number;
  /** Limits for the calls of one thread to this actor that have not ended: their number, and their bytes. */
  readonly callerMessages: number;
  readonly callerBytes: number;
  readonly maxKeyChars: number;
  /** How deep calls may be nested. */
  readonly maxCallDepth: number;
  /** Messages that a mailbox holds. */
  readonly mailboxMessages: number;
  /** Bytes of a message's arguments, and of a reply. */
  readonly maxMessageBytes: number;
  readonly maxMessageDepth: number;
  readonly maxSharedReferences: number;
  /** Items of a streamed reply that may be in flight before the reader asks for them. */
  readonly streamItems: number;
  /** How long a streamed reply may take to end by itself after its reader has left. */
  readonly streamGraceMs: number;
  /** Of an instance's `start`, and of its `stop`. */
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
}

export interface ActorBoot {
  readonly channel: ActorChannelTransfer;
  /** Memory for `ActorCounters`. */
  readonly counters: SharedArrayBuffer;
  readonly thread: string;
  readonly pool: string;
  readonly actors: readonly ActorSettings[];
  readonly topics: TopicSettings;
  readonly direct: {
    /** After this many calls to one instance, this thread asks for a direct channel; 0: it never does. */
    readonly afterCalls: number;
    /** A call of a `pool` actor that its thread has not begun after this time may go to another thread. */
    readonly recallAfterMs: number;
  };
  /** URL of the module whose exports are this pool's actors; null: the pool hosts none. */
  readonly module: string | null;
  readonly maxErrorChars: number;
}
