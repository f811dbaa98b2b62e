/** The options of a pool and of its threads. */
import type { HostOptions } from '../../wire/control.ts';
import type { ThreadCompanion } from './companion.ts';
import type { DispatcherOptions } from './dispatcher.ts';
import type { HangOptions } from './hung-threads.ts';
import type { Prints } from './prints.ts';
import type { RecyclingOptions } from './recycling.ts';

/**
 * The options with which a thread is started. A thread keeps its options, even if the pool starts later
 * threads with others.
 */
export interface ThreadOptions {
  /** Jobs given to one thread at a time. */
  readonly slotsPerThread: number;
  readonly ringBytes: number;
  /** The time from the start of a thread until its application must be loaded. */
  readonly startTimeoutMs: number;
  /** How long a thread must live after its application was loaded before the pool relies on it. */
  readonly minUptimeMs: number;
  /** Added to the niceness of the threads: the reactor must get its turn while they compute. */
  readonly niceIncrement: number;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly host: HostOptions;
  /** Environment and Node's flags of the threads. Default: those of the process. */
  readonly flags?: { readonly env: NodeJS.ProcessEnv; readonly execArgv?: string[] };
  /** Called with the files that a thread loads, if `host.watch` is set. */
  readonly onLoaded?: (files: readonly string[]) => void;
  /** Receives what the application prints. Default: Node passes it on to the streams of the process. */
  readonly prints?: Prints;
  /** Default: none. */
  readonly companion?: ThreadCompanion;
}

/**
 * The options with which threads are started at present. While a pool changes, it has threads of several
 * versions, which are compared by identity.
 */
export interface ThreadVersion {
  /** Counted from 1 by their pool. */
  readonly number: number;
  readonly options: ThreadOptions;
}

export interface ResourceLimits {
  readonly maxOldGenerationSizeMb?: number | undefined;
  readonly maxYoungGenerationSizeMb?: number | undefined;
  readonly codeRangeSizeMb?: number | undefined;
  readonly stackSizeMb?: number | undefined;
}

export interface PoolOptions extends ThreadOptions, DispatcherOptions, HangOptions {
  readonly name: string;
  readonly minThreads: number;
  readonly maxThreads: number;
  /** See `SizingOptions`. */
  readonly growAfterMs: number;
  readonly shrinkBelow: number;
  /**
   * Threads beyond the minimum end one after another, each when the pool could have done without it for this
   * long.
   */
  readonly idleTimeoutMs: number;
  readonly restart: RestartOptions;
  readonly recycle: RecyclingOptions;
  /** How long a replaced thread may take to finish its jobs. */
  readonly retireTimeoutMs: number;
}

export interface RestartOptions {
  /** How many threads that died within `periodMs` are replaced at once. */
  readonly intensity: number;
  readonly periodMs: number;
  /** How long the first replacement beyond that waits, and the longest wait. */
  readonly delayMs: number;
  readonly maxDelayMs: number;
  /** Whether to tell the observer when more threads die than `intensity`. */
  readonly giveUp: boolean;
}
