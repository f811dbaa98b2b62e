/** The shape of a status: JSON. docs/control-socket.md has it in tables. Types only, so that whoever embeds a server sees no others. */
import type { DeadlineCounters } from '../deadlines/counters.ts';
import type { OutcomeCounters } from '../exchange/outcomes.ts';

/** `leaving`: it has been told to stop, and takes requests for `drainDelayMs` yet. */
export type ServerState = 'starting' | 'running' | 'leaving' | 'draining' | 'ended';

export interface ServerStatus {
  readonly version: string;
  readonly pid: number;
  readonly state: ServerState;
  /** When the server object was made, ISO 8601; and how long ago. */
  readonly startedAt: string;
  readonly uptimeMs: number;
  /** The thread that owns the sockets. */
  readonly reactor: LoopStatus;
  readonly listeners: readonly ListenerStatus[];
  readonly connections: ConnectionStatus;
  readonly pools: readonly PoolStatus[];
  readonly actors: readonly ActorStatus[];
  /** Null: as of `topics`. */
  readonly directChannels: DirectChannelsStatus | null;
  /** Null: the configuration has neither topics nor actors. */
  readonly topics: TopicsStatus | null;
  /** Requests that no route matched, by what became of them. */
  readonly unrouted: ExchangeStatus;
  /** How often each deadline has ended something. */
  readonly deadlines: Readonly<DeadlineCounters>;
}

export interface ListenerStatus {
  /** `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/app.sock`. */
  readonly address: string;
  readonly tls: boolean;
}

export interface ConnectionStatus {
  /** Over all listeners, whatever they speak, or have yet to say what they do. */
  readonly open: number;
  readonly max: number;
  readonly http1: number;
  readonly http2: number;
  /** The server has ended them and their peers have not. */
  readonly lingering: number;
}

/** An event loop, since it began. */
export interface LoopStatus {
  /** Time in which it had something to do: it ran code, or waited within a call. */
  readonly activeMs: number;
  readonly idleMs: number;
  /** The active part of the last second or so, 0 to 1. */
  readonly utilization: number;
}

/** A pool whose threads cannot run what is on the disk. */
export interface StaleStatus {
  /** ISO 8601. */
  readonly since: string;
  readonly why: string;
}

export interface PoolStatus {
  readonly name: string;
  /** What its threads are started with: 1 at first, and another after each reload. */
  readonly version: number;
  /** The last reload was given up for its sake: what runs is not what is on the disk; null: it was not. */
  readonly stale: StaleStatus | null;
  /** `degraded`: fewer threads than the minimum take exchanges. */
  readonly state: 'starting' | 'running' | 'degraded' | 'draining';
  /** Exchanges that wait for a thread, and how many may. */
  readonly queued: number;
  readonly maxQueued: number;
  /** How many threads it may have. */
  readonly minThreads: number;
  readonly maxThreads: number;
  readonly exchanges: ExchangeStatus;
  readonly threads: readonly ThreadStatus[];
  readonly startedThreads: number;
  /** Threads that were replaced although they were well. */
  readonly recycledThreads: number;
  readonly diedThreads: number;
  /** Of these, those that were ended because they hung. */
  readonly hungThreads: number;
  /** Threads that were ended and that run all the same, in native code or in a call of the system's. */
  readonly unendedThreads: number;
  /** Until a thread is started in the place of one that has died; null: none is missing. */
  readonly nextStartInMs: number | null;
  /** The thread that died last, and of what; null: none has. */
  readonly lastDeath: DeathStatus | null;
  /** Exchanges that were given to one thread and taken back for another. */
  readonly recalledExchanges: number;
  /** Of all threads, those that are gone included. */
  readonly total: TallyStatus;
}

export interface DeathStatus {
  readonly thread: string;
  readonly name: string;
  readonly message: string;
  readonly agoMs: number;
}

/** How many have begun, how many are open, and how the others have ended. */
export interface ExchangeStatus extends Readonly<OutcomeCounters> {
  readonly open: number;
}

/** What has happened to a thread, or to its pool. */
export interface PoolEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly pool: string;
  /** Absent: it is the pool as a whole. */
  readonly thread?: string;
  readonly what:
    | 'started'
    | 'died'
    | 'overdue'
    | 'back'
    | 'recycled'
    | 'not-recycled'
    | 'degraded'
    | 'recovered';
  readonly why?: string;
}

export interface ThreadStatus {
  readonly name: string;
  /** Of the pool's versions. */
  readonly version: number;
  /** Node's; null: it does not run yet. */
  readonly threadId: number | null;
  readonly state: 'starting' | 'ready' | 'draining' | 'dead';
  /** Exchanges that it has been given and has not begun, and those that it has begun. */
  readonly waiting: number;
  readonly running: number;
  /** Of those, the one that it began first: how long ago; null: there is none. */
  readonly longestRunningMs: number | null;
  /** Of those, how many have something to send and no credit for it. */
  readonly creditStalled: number;
  /** It has announced that it sleeps: it has nothing to do. */
  readonly isAsleep: boolean;
  /** Since its loop came around last. Of one that is not asleep: for so long it has computed, or waited within a call. */
  readonly turnAgeMs: number;
  readonly loop: LoopStatus;
  /** How full the rings in shared memory are: the one to the thread, and the one from it. */
  readonly requestRing: RingStatus;
  readonly responseRing: RingStatus;
  /** Of its heap in use, garbage included; the same behind the last large collection; and what its objects hold outside of it. */
  readonly heapBytes: number;
  readonly liveHeapBytes: number;
  readonly externalBytes: number;
  /** Garbage collection: how often, and how long it took, of `loop.activeMs`. */
  readonly collections: number;
  readonly collectingMs: number;
  readonly total: TallyStatus;
}

export interface RingStatus {
  /** Written, and not read yet. */
  readonly usedBytes: number;
  readonly bytes: number;
}

/** Of exchanges that threads have ended; stalls also of those that are open. */
export interface TallyStatus {
  readonly ended: number;
  /** Of these, those that the thread's death cut off. */
  readonly lost: number;
  /** Content that has crossed to the threads, and from them. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly creditStalls: number;
  readonly creditStalledMs: number;
  /** From admission until the exchange was given to the thread that began it. */
  readonly queueWait: WaitStatus;
  /** From there until the thread began it. */
  readonly claimWait: WaitStatus;
  /** From there to its end. */
  readonly service: WaitStatus;
}

export interface ActorStatus {
  readonly name: string;
  readonly kind: 'pool' | 'keyed' | 'single';
  readonly pool: string;
  /** That live in a thread now. */
  readonly instances: number;
  /** With an instance or messages: of a keyed actor one for each key. */
  readonly mailboxes: number;
  /** Accepted and not over, begun ones included, in all mailboxes. */
  readonly messages: number;
  readonly bytes: number;
  /** The most that one mailbox has ever held. */
  readonly deepestMailbox: number;
  readonly accepted: number;
  /** Mailboxes were full, there were too many keys, or the call would have waited for itself. */
  readonly refused: number;
  /** Tells whose method failed, and those that were accepted and not handled to their end. */
  readonly failedTells: number;
  /** Instances that have begun anew of their own will. */
  readonly restarts: number;
  readonly lostTells: number;
  /** In the mailbox: from when a call was accepted until it was given to the thread that ended it. */
  readonly queueWait: WaitStatus;
  /** Of all threads, those that are gone included. */
  readonly total: ActorWorkStatus;
  /** Of the actor's pool. */
  readonly threads: readonly ActorThreadStatus[];
}

/** What threads have done for an actor. */
export interface ActorWorkStatus {
  readonly begun: number;
  readonly ended: number;
  /** Of those that have ended, what threw or answered with what cannot be sent. */
  readonly failed: number;
  /** From when the thread was given calls until their methods began, and from there to their ends, all together. */
  readonly waitMs: number;
  readonly runMs: number;
}

export interface ActorThreadStatus extends ActorWorkStatus {
  readonly thread: string;
  /** Calls that it has, begun or not. */
  readonly given: number;
}

/** Channels straight between two threads, over which one calls instances that live in the other. */
export interface DirectChannelsStatus {
  /** Now, of at most `max`. */
  readonly channels: number;
  readonly max: number;
  /** Of one thread with one instance each, over these. */
  readonly conversations: number;
  /** Since the start: channels that were made, conversations that began, and those that were not to be had. */
  readonly made: number;
  readonly begun: number;
  readonly refused: number;
  /** Calls over them, as far as the reactor has heard: it does when a conversation ends. */
  readonly calls: number;
}

export interface TopicsStatus {
  /** With subscriptions. */
  readonly topics: number;
  /** While somebody had subscribed. */
  readonly published: number;
  /** One for each message and thread; and of these, what was dropped since a thread did not read. */
  readonly sent: number;
  readonly dropped: number;
  /** Subscriptions beyond `maxTopics`. */
  readonly refused: number;
  readonly threads: readonly TopicThreadStatus[];
}

export interface TopicThreadStatus {
  readonly thread: string;
  /** That it has subscribed to. */
  readonly topics: number;
  /** Messages that wait beside its ring, since it does not read. */
  readonly waitingBytes: number;
  readonly dropped: number;
}

export interface WaitStatus {
  readonly count: number;
  readonly sumMs: number;
  /** At most a quarter too high. */
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /**
   * What each bucket that is not empty holds at most, and how often, for whoever subtracts two readings. There are 128 at most; of
   * single threads they are left out.
   */
  readonly buckets?: readonly (readonly [mostMs: number, count: number])[];
}
