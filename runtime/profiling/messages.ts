/**
 * What the parts of a profile say to each other. Types, and the codes of what is refused.
 *
 *   command ──POST /profiles──▶ reactor ──▶ profiling thread        over the control socket; the answer names a socket
 *   command ◀══════ frames of a profile ═══ profiling thread        over that socket, past the reactor's event loop
 */
import type { MessagePort } from 'node:worker_threads';

export const ProfileCode = {
  /** One runs already. */
  Busy: 'SLUICE_PROFILE_BUSY',
  UnknownThread: 'SLUICE_PROFILE_UNKNOWN_THREAD',
  UnknownPool: 'SLUICE_PROFILE_UNKNOWN_POOL',
  /** What is asked for is not well formed, or longer than is allowed. */
  WrongRequest: 'SLUICE_PROFILE_WRONG_REQUEST',
  /** The server drains, or its reactor is not the process's main thread. */
  Unavailable: 'SLUICE_PROFILE_UNAVAILABLE',
} as const;
export type ProfileCode = (typeof ProfileCode)[keyof typeof ProfileCode];

export const profileKinds = ['cpu', 'heap', 'heap-snapshot'] as const;
export type ProfileKind = (typeof profileKinds)[number];

/** The name of the reactor's thread in a profile. */
export const REACTOR = 'reactor';

export interface ProfileRequest {
  readonly kind: ProfileKind;
  /** Threads of this pool only. */
  readonly pool?: string | undefined;
  /** This thread only, by its name. */
  readonly thread?: string | undefined;
  readonly durationMs: number;
}

/** An application's thread, or another one of the process. */
export interface ThreadName {
  /** Node's; 0 is the reactor's. */
  readonly threadId: number;
  readonly name: string;
  /** Empty: of none. */
  readonly pool: string;
}

export interface ProfileLimits {
  /** What a profile may send in all. */
  readonly maxBytes: number;
  /** Samples of one thread's CPU profile: a longer one takes them less often. */
  readonly maxSamplesPerThread: number;
  /** How long a CPU profile of an application's thread runs before its first part is sent, and the next begins. */
  readonly segmentMs: number;
}

/** Handed to the profiling thread when it starts. */
export interface ProfilingBoot {
  readonly request: ProfileRequest;
  readonly socketPath: string;
  readonly limits: ProfileLimits;
  readonly threads: readonly ThreadName[];
}

/** Why a profile has ended. */
export type EndReason = 'time' | 'asked' | 'server-stops' | 'bytes';

/** From the reactor to the profiling thread. */
export type ToProfiling =
  | { readonly type: 'began'; readonly thread: ThreadName }
  /** The thread ends when this is answered with `finished`. */
  | { readonly type: 'ending'; readonly threadId: number }
  | { readonly type: 'gone'; readonly threadId: number; readonly cause: string }
  | { readonly type: 'end'; readonly reason: EndReason }
  | { readonly type: 'exchanges'; readonly table: ExchangeTable }
  | { readonly type: 'snapshot'; readonly port: MessagePort }
  /** The thread that was asked for one cannot send it. */
  | { readonly type: 'snapshot-failed'; readonly why: string };

/** From the profiling thread to the reactor. */
export type FromProfiling =
  /** The command may connect. */
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly why: string }
  /** The command is there: exchanges are to be followed, or the thread asked for its snapshot. */
  | { readonly type: 'began' }
  | { readonly type: 'finished'; readonly threadId: number }
  /** No more threads are profiled: `exchanges` is expected. */
  | { readonly type: 'sampled' }
  | { readonly type: 'done' };

/**
 * The exchanges of a profile, a row each, in columns: microseconds of the process's monotonic clock, which is that of V8's
 * profiles. -1: it has not happened.
 */
export interface ExchangeTable {
  /** One exchange of so many is in it. */
  readonly oneOf: number;
  readonly labels: readonly string[];
  readonly threads: readonly string[];
  readonly pools: readonly string[];
  readonly rows: readonly ExchangeRow[];
}

export type ExchangeRow = readonly [
  label: number,
  pool: number,
  thread: number,
  submittedUs: number,
  assignedUs: number,
  begunUs: number,
  firstByteUs: number,
  releasedUs: number,
  endedUs: number,
  recalls: number,
  isRefused: number,
  ...stalls: number[],
];

/** The heads of frames from the profiling thread to the command; some have bytes behind them. */
export type Frame =
  | {
      readonly type: 'started';
      readonly pid: number;
      readonly kind: ProfileKind;
      readonly node: string;
      /** Monotonic, as in the profiles. */
      readonly startUs: number;
      readonly wallClockMs: number;
      readonly intervalUs: number;
      readonly durationMs: number;
    }
  /** The threads that there were are being sampled, or do not answer yet. */
  | { readonly type: 'running' }
  | { readonly type: 'thread'; readonly thread: ThreadName; readonly atUs: number; readonly joined: boolean }
  /** Bytes: a CPU profile as V8 gives it, the next part of this thread's. */
  | { readonly type: 'cpu'; readonly threadId: number }
  /** Bytes: a heap profile as V8 gives it, in place of the one before. */
  | { readonly type: 'heap'; readonly threadId: number }
  /** Bytes: the next of a heap snapshot. */
  | { readonly type: 'snapshot' }
  | { readonly type: 'snapshot-end'; readonly stoodStillMs: number }
  | { readonly type: 'gone'; readonly threadId: number; readonly atUs: number; readonly cause: string }
  | { readonly type: 'problem'; readonly threadId: number; readonly what: string }
  /** Bytes: an `ExchangeTable`. */
  | { readonly type: 'exchanges' }
  | { readonly type: 'end'; readonly reason: EndReason; readonly endUs: number };
