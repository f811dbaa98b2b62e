/**
 * What the parts of a profile send to each other: types, and the codes of refusals.
 *
 *   command ──POST /profiles──▶ reactor ──▶ profiling thread        over the control socket; the reply names a socket
 *   command ◀══════ frames of a profile ═══ profiling thread        over that socket, bypassing the reactor's event loop
 */
import type { MessagePort } from 'node:worker_threads';

export const ProfileCode = {
  /** A profile is already running. */
  Busy: 'SLUICE_PROFILE_BUSY',
  UnknownThread: 'SLUICE_PROFILE_UNKNOWN_THREAD',
  UnknownPool: 'SLUICE_PROFILE_UNKNOWN_POOL',
  /** The request is malformed, or longer than allowed. */
  WrongRequest: 'SLUICE_PROFILE_WRONG_REQUEST',
  /** The server is draining, or its reactor is not on the process's main thread. */
  Unavailable: 'SLUICE_PROFILE_UNAVAILABLE',
} as const;
export type ProfileCode = (typeof ProfileCode)[keyof typeof ProfileCode];

export const profileKinds = ['cpu', 'heap', 'heap-snapshot'] as const;
export type ProfileKind = (typeof profileKinds)[number];

/** The name of the reactor's thread in a profile. */
export const REACTOR = 'reactor';

export interface ProfileRequest {
  readonly kind: ProfileKind;
  /** Profile only threads of this pool. */
  readonly pool?: string | undefined;
  /** Profile only this thread, by its name. */
  readonly thread?: string | undefined;
  readonly durationMs: number;
}

/** An application thread, or another thread of the process. */
export interface ThreadName {
  /** Node's number; 0 is the reactor's. */
  readonly threadId: number;
  readonly name: string;
  /** The pool's name; empty: the thread belongs to none. */
  readonly pool: string;
}

export interface ProfileLimits {
  /** The most bytes that a profile may send in total. */
  readonly maxBytes: number;
  /** Most samples of one thread's CPU profile: a longer profile takes them less often. */
  readonly maxSamplesPerThread: number;
  /**
   * How long a CPU profile of an application thread runs before its first part is sent and the next begins.
   */
  readonly segmentMs: number;
}

/** Passed to the profiling thread when it starts. */
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
  /** The thread may end after the reply `finished`. */
  | { readonly type: 'ending'; readonly threadId: number }
  | { readonly type: 'gone'; readonly threadId: number; readonly cause: string }
  | { readonly type: 'end'; readonly reason: EndReason }
  | { readonly type: 'exchanges'; readonly table: ExchangeTable }
  | { readonly type: 'snapshot'; readonly port: MessagePort }
  /** The thread whose snapshot was requested cannot send it. */
  | { readonly type: 'snapshot-failed'; readonly why: string };

/** From the profiling thread to the reactor. */
export type FromProfiling =
  /** The command may connect. */
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly why: string }
  /**
   * The command has connected: the reactor must begin to record exchanges, or ask the thread for its
   * snapshot.
   */
  | { readonly type: 'began' }
  | { readonly type: 'finished'; readonly threadId: number }
  /** No more threads are profiled; the reactor must send `exchanges`. */
  | { readonly type: 'sampled' }
  | { readonly type: 'done' };

/**
 * The exchanges of a profile, in columns with one row per exchange: microseconds of the process's monotonic
 * clock, which V8's profiles use too. -1: it has not happened.
 */
export interface ExchangeTable {
  /** The table contains one exchange out of this many. */
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

/** The heads of frames from the profiling thread to the command; bytes follow some of them. */
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
  /** The threads that existed at the start are being sampled, or do not respond yet. */
  | { readonly type: 'running' }
  | { readonly type: 'thread'; readonly thread: ThreadName; readonly atUs: number; readonly joined: boolean }
  /** Followed by bytes: the next part of this thread's CPU profile, as V8 returns it. */
  | { readonly type: 'cpu'; readonly threadId: number }
  /** Followed by bytes: a heap profile as V8 returns it, which replaces the previous one. */
  | { readonly type: 'heap'; readonly threadId: number }
  /** Followed by bytes: the next piece of a heap snapshot. */
  | { readonly type: 'snapshot' }
  | { readonly type: 'snapshot-end'; readonly stoodStillMs: number }
  | { readonly type: 'gone'; readonly threadId: number; readonly atUs: number; readonly cause: string }
  | { readonly type: 'problem'; readonly threadId: number; readonly what: string }
  /** Followed by bytes: an `ExchangeTable`. */
  | { readonly type: 'exchanges' }
  | { readonly type: 'end'; readonly reason: EndReason; readonly endUs: number };
