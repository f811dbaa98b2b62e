/** What a pool is made of. */
import type { HostOptions } from '../../wire/control.ts';
import type { ThreadCompanion } from './companion.ts';
import type { DispatcherOptions } from './dispatcher.ts';
import type { HangOptions } from './hung-threads.ts';
import type { Prints } from './prints.ts';
import type { RecyclingOptions } from './recycling.ts';

/** Of single threads: a thread keeps those that it was started with, while the pool may start others of another version. */
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
  /** Environment and Node's flags of the threads; default: the process's own. */
  readonly flags?: { readonly env: NodeJS.ProcessEnv; readonly execArgv?: string[] };
  /** Hears which files a thread loads, where `host.watch` is set. */
  readonly onLoaded?: (files: readonly string[]) => void;
  /** Takes what the application prints; default: Node passes it on, to the process's own streams. */
  readonly prints?: Prints;
  /** Default: none. */
  readonly companion?: ThreadCompanion;
}

/** What threads are started with at a time: the same for each. While a pool changes it has threads of several. Told apart by identity. */
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
  /** As `SizingOptions`. */
  readonly growAfterMs: number;
  readonly shrinkBelow: number;
  /** Threads over the minimum end, one after another, when the pool could have done without for so long. */
  readonly idleTimeoutMs: number;
  readonly restart: RestartOptions;
  readonly recycle: RecyclingOptions;
  /** A thread that another has replaced may finish what it has for so long. */
  readonly retireTimeoutMs: number;
}

export interface RestartOptions {
  /** Deaths within `periodMs` that are made good at once. */
  readonly intensity: number;
  readonly periodMs: number;
  /** What the first replacement beyond that waits for, and the longest wait. */
  readonly delayMs: number;
  readonly maxDelayMs: number;
  /** Says so to the observer when more die than that. */
  readonly giveUp: boolean;
}
