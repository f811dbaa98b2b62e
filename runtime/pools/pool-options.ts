/** What a pool is made of. */
import type { HostOptions } from '../../wire/control.ts';
import type { ThreadCompanion } from './companion.ts';
import type { DispatcherOptions } from './dispatcher.ts';
import type { HangOptions } from './hung-threads.ts';
import type { Prints } from './prints.ts';
import type { RecyclingOptions } from './recycling.ts';

/**
 * What single threads are started with. A thread keeps its options while the pool may start other threads
 * with other ones.
 */
export interface ThreadOptions {
  /** Jobs given to one thread at a time. */
  readonly slotsPerThread: number;
  readonly ringBytes: number;
  /** From the start of a thread until its application is loaded. */
  readonly startTimeoutMs: number;
  /** A thread has to live for so long after its application was loaded before anybody relies on it. */
  readonly minUptimeMs: number;
  /** Added to the niceness of the threads: the reactor must get its turn while they compute. */
  readonly niceIncrement: number;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly host: HostOptions;
  /** Environment and Node's flags of the threads. Default: those of the process. */
  readonly flags?: { readonly env: NodeJS.ProcessEnv; readonly execArgv?: string[] };
  /** Is told which files a thread loads, if `host.watch` is set. */
  readonly onLoaded?: (files: readonly string[]) => void;
  /** Takes what the application prints. Default: Node passes it on to the streams of the process. */
  readonly prints?: Prints;
  /** Default: none. */
  readonly companion?: ThreadCompanion;
}

/**
 * What threads are started with at a time. While a pool changes, it has threads of several versions, which
 * are told apart by identity.
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
  /** As in `SizingOptions`. */
  readonly growAfterMs: number;
  readonly shrinkBelow: number;
  /**
   * Threads beyond the minimum end one after another, each when the pool could have done without it for so
   * long.
   */
  readonly idleTimeoutMs: number;
  readonly restart: RestartOptions;
  readonly recycle: RecyclingOptions;
  /** How long a thread that another has replaced may take to finish what it has. */
  readonly retireTimeoutMs: number;
}

export interface RestartOptions {
  /** Deaths within `periodMs` after which threads are still replaced at once. */
  readonly intensity: number;
  readonly periodMs: number;
  /** How long the first replacement after that waits, and the longest wait. */
  readonly delayMs: number;
  readonly maxDelayMs: number;
  /** Reports to the observer when more threads die than that. */
  readonly giveUp: boolean;
}
