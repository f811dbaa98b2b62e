/** Types of a status, as JSON. docs/control-socket.md explains the members. Only types, so that embedding programs see no others. */
import type { DeadlineCounters } from '../deadlines/counters.ts';
import type { OutcomeCounters } from '../exchange/outcomes.ts';

/** `leaving`: it has been told to stop and still accepts requests for `drainDelayMs`. */
export type ServerState = 'starting' | 'running' | 'leaving' | 'draining' | 'ended';

export interface ServerStatus {
  readonly version: string;
  readonly pid: number;
  readonly state: ServerState;
  /** When the server was created, ISO 8601, and how long ago. */
  readonly startedAt: string;
  readonly uptimeMs: number;
  /** The thread that owns the sockets. */
  readonly reactor: LoopStatus;
  readonly listeners: readonly ListenerStatus[];
  readonly connections: ConnectionStatus;
  readonly pools: readonly PoolStatus[];
  readonly actors: readonly ActorStatus[];
  /** Null if the configuration has neither actors nor topics. */
  readonly directChannels: DirectChannelsStatus | null;
  /** Null if the configuration has neither actors nor topics. */
  readonly topics: TopicsStatus | null;
  /** Requests that no route matched, by outcome. */
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
  /** Over all listeners, including connections whose protocol is not known yet. */
  readonly open: number;
  readonly max: number;
  readonly http1: number;
  readonly http2: number;
  /** Ended by the server, not yet by their peers. */
  readonly lingering: number;
}

/** An event loop, since its start. */
export interface LoopStatus {
  /** Time in which it ran code or waited within a call. */
  readonly activeMs: number;
  readonly idleMs: number;
  /** The active part of the last second or so, 0 to 1. */
  readonly utilization: number;
}

/** A pool that does not run the version on the disk. */
export interface StaleStatus {
  /** ISO 8601. */
  readonly since: string;
  readonly why: string;
}

export interface PoolStatus {
  readonly name: string;
  /** The version that new threads load: 1 at first, and another after each reload. */
  readonly version: number;
  /** Why the last reload failed for this pool, which still runs the older version; null if it did not fail. */
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
  /** Healthy threads that were replaced. */
  readonly recycledThreads: number;
  readonly diedThreads: number;
  /** Of these, those that were ended because they hung. */
  readonly hungThreads: number;
  /** Threads that were ended but still run, in native code or in a system call. */
  readonly unendedThreads: number;
  /** Time until the next thread is started to replace a dead one; null if none is missing. */
  readonly nextStartInMs: number | null;
  /** The last death and its cause; null if no thread has died. */
  readonly lastDeath: DeathStatus | null;
  /** Exchanges given to one thread and taken back for another. */
  readonly recalledExchanges: number;
  /** Sums over all threads, including those that have ended. */
  readonly total: TallyStatus;
}

export interface DeathStatus {
  readonly thread: string;
  readonly name: string;
  readonly message: string;
  readonly agoMs: number;
}

/** How many exchanges have begun, how many are open, and how the others have ended. */
export interface ExchangeStatus extends Readonly<OutcomeCounters> {
  readonly open: number;
}

/** An event of a thread or of its pool. */
export interface PoolEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly pool: string;
  /** Absent if the event concerns the whole pool. */
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
  /** The version of the pool that it runs. */
  readonly version: number;
  /** Node's thread id; null before it runs. */
  readonly threadId: number | null;
  readonly state: 'starting' | 'ready' | 'draining' | 'dead';
  /** Exchanges given to it that it has not begun, and those that it has begun. */
  readonly waiting: number;
  readonly running: number;
  /** Age of its oldest begun exchange; null if there is none. */
  readonly longestRunningMs: number | null;
  /** Begun exchanges that have something to send but no credit. */
  readonly creditStalled: number;
  /** It has announced that it sleeps, because it has nothing to do. */
  readonly isAsleep: boolean;
  /** Time since its event loop last turned. If it is not asleep, it has computed or waited within a call for this long. */
  readonly turnAgeMs: number;
  readonly loop: LoopStatus;
  /** The rings in shared memory: to the thread, and from it. */
  readonly requestRing: RingStatus;
  readonly responseRing: RingStatus;
  /** Heap in use, garbage included; heap after the last major collection; memory held outside of the heap. */
  readonly heapBytes: number;
  readonly liveHeapBytes: number;
  readonly externalBytes: number;
  /** Garbage collections: how many, and their total time, which is part of `loop.activeMs`. */
  readonly collections: number;
  readonly collectingMs: number;
  readonly total: TallyStatus;
}

export interface RingStatus {
  /** Written and not read yet. */
  readonly usedBytes: number;
  readonly bytes: number;
}

/** Sums over exchanges that threads have ended; stalls also include open ones. */
export interface TallyStatus {
  readonly ended: number;
  /** Of these, how many the thread's death cut off. */
  readonly lost: number;
  /** Content sent to threads, and received from them. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly creditStalls: number;
  readonly creditStalledMs: number;
  /** From admission until the exchange was given to the thread that began it. */
  readonly queueWait: WaitStatus;
  /** From then until the thread began it. */
  readonly claimWait: WaitStatus;
  /** From then to its end. */
  readonly service: WaitStatus;
}

export interface ActorStatus {
  readonly name: string;
  readonly kind: 'pool' | 'keyed' | 'single';
  readonly pool: string;
  /** Live instances. */
  readonly instances: number;
  /** Mailboxes with an instance or messages; a keyed actor has one for each key. */
  readonly mailboxes: number;
  /** Messages accepted and not over, begun ones included, in all mailboxes. */
  readonly messages: number;
  readonly bytes: number;
  /** The most messages that one mailbox has held. */
  readonly deepestMailbox: number;
  readonly accepted: number;
  /** Refused because a mailbox was full, there were too many keys, or the call would have waited for itself. */
  readonly refused: number;
  /** Tells whose method failed, and tells that were accepted and not completed. */
  readonly failedTells: number;
  /** How often instances have restarted themselves. */
  readonly restarts: number;
  readonly lostTells: number;
  /** Time in the mailbox, until the call was given to the thread that ended it. */
  readonly queueWait: WaitStatus;
  /** Sums over all threads, including ended ones. */
  readonly total: ActorWorkStatus;
  /** Threads of the actor's pool. */
  readonly threads: readonly ActorThreadStatus[];
}

/** What threads have done for an actor. */
export interface ActorWorkStatus {
  readonly begun: number;
  readonly ended: number;
  /** Ended calls that threw or returned a value that cannot be sent. */
  readonly failed: number;
  /** Replies of asks that were dropped, because their callers had given up or were gone when the methods ended. */
  readonly dropped: number;
  /** Total times from when the thread was given a call until its method began, and from then to its end. */
  readonly waitMs: number;
  readonly runMs: number;
}

export interface ActorThreadStatus extends ActorWorkStatus {
  readonly thread: string;
  /** Calls given to it, begun or not. */
  readonly given: number;
}

/** Direct channels between two threads, over which one calls instances in the other. */
export interface DirectChannelsStatus {
  /** Open channels, at most `max`. */
  readonly channels: number;
  readonly max: number;
  /** Open conversations of one thread with one instance each. */
  readonly conversations: number;
  /** Since the start: channels that were opened, conversations that began, and requests for one that were refused. */
  readonly made: number;
  readonly begun: number;
  readonly refused: number;
  /** Calls over them. The reactor learns the number when a conversation ends. */
  readonly calls: number;
}

export interface TopicsStatus {
  /** Topics with subscriptions. */
  readonly topics: number;
  /** Messages published while there was a subscription. */
  readonly published: number;
  /** One for each message and thread; and how many of these were dropped because a thread did not read. */
  readonly sent: number;
  readonly dropped: number;
  /** Subscriptions refused because of `maxTopics`. */
  readonly refused: number;
  readonly threads: readonly TopicThreadStatus[];
}

export interface TopicThreadStatus {
  readonly thread: string;
  /** Topics that it has subscribed to. */
  readonly topics: number;
  /** Messages that wait beside its full ring. */
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
   * Upper bound and count of each non-empty bucket, so that two readings can be subtracted. There are at most 128; single threads have
   * none.
   */
  readonly buckets?: readonly (readonly [mostMs: number, count: number])[];
}
