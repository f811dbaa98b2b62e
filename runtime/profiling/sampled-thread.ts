/**
 * One thread under a CPU profile or a sampling heap profile.
 *
 *   starting ─▶ running ─▶ stopping ─▶ stopped
 *       └──────────┴───────────┴─────▶ gone
 *
 * A CPU profile of an application thread is taken in parts, each sent before the next begins, because V8 returns nothing
 * of a running profile. So a thread that dies leaves its parts. A heap profile continues while it is read.
 */
import { type InspectedThread, ThreadGoneError } from './inspector.ts';
import type { ThreadName } from './messages.ts';

export interface SampledThreadOwner {
  /** The next part of a CPU profile, or a heap profile that replaces the previous one: `{"profile":…}`. */
  onProfile(thread: SampledThread, json: string): void;
  onProblem(thread: SampledThread, what: string): void;
}

export interface SamplingOptions {
  readonly kind: 'cpu' | 'heap';
  readonly intervalUs: number;
}

/** Bytes between two samples of allocations; V8's own half a megabyte misses what a request allocates. */
const HEAP_INTERVAL_BYTES = 32_768;

export class SampledThread {
  readonly name: ThreadName;
  #state: 'starting' | 'running' | 'stopping' | 'stopped' | 'gone' = 'starting';
  readonly #inspected: InspectedThread;
  readonly #options: SamplingOptions;
  readonly #owner: SampledThreadOwner;
  #stopped: Promise<void> | null = null;
  /** Requests are made one after another. */
  #busy: Promise<void>;

  constructor(
    name: ThreadName,
    inspected: InspectedThread,
    options: SamplingOptions,
    owner: SampledThreadOwner,
  ) {
    this.name = name;
    this.#inspected = inspected;
    this.#options = options;
    this.#owner = owner;
    this.#busy = this.#attempt('did not start', () => this.#start());
  }

  get state(): 'starting' | 'running' | 'stopping' | 'stopped' | 'gone' {
    return this.#state;
  }

  async #start(): Promise<void> {
    if (this.#options.kind === 'cpu') {
      await this.#inspected.post('Profiler.enable');
      await this.#inspected.post('Profiler.setSamplingInterval', { interval: this.#options.intervalUs });
      await this.#inspected.post('Profiler.start');
    } else {
      await this.#inspected.post('HeapProfiler.enable');
      await this.#inspected.post('HeapProfiler.startSampling', { samplingInterval: HEAP_INTERVAL_BYTES });
    }
    if (this.state === 'starting') this.#state = 'running';
  }

  /** Resolves when sampling has started, or never will. */
  get started(): Promise<void> {
    return this.#busy;
  }

  /** Takes what was sampled since the last part. */
  takePart(): Promise<void> {
    if (this.state !== 'running') return this.#busy;
    this.#busy = this.#attempt('gave no part of its profile', async () => {
      const isCpu = this.#options.kind === 'cpu';
      const json = await this.#inspected.post(isCpu ? 'Profiler.stop' : 'HeapProfiler.getSamplingProfile');
      this.#owner.onProfile(this, json);
      if (isCpu && this.state === 'running') await this.#inspected.post('Profiler.start');
    });
    return this.#busy;
  }

  /** Resolves when the profile was given to the owner, or never will be. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    if (this.state === 'running') this.#state = 'stopping';
    await this.#busy;
    // It only started now, or has ended in the meantime.
    if (this.state !== 'running' && this.state !== 'stopping') return;
    this.#state = 'stopping';
    await this.#attempt('gave no profile', async () => {
      const isCpu = this.#options.kind === 'cpu';
      const json = await this.#inspected.post(isCpu ? 'Profiler.stop' : 'HeapProfiler.stopSampling');
      this.#owner.onProfile(this, json);
    });
    this.#state = 'stopped';
  }

  /** The thread has ended. */
  gone(): void {
    this.#state = 'gone';
  }

  async #attempt(failure: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      // The end of a thread is reported separately.
      if (error instanceof ThreadGoneError) return;
      this.#state = 'stopped';
      this.#owner.onProblem(this, `it ${failure}: ${error instanceof Error ? error.message : error}`);
    }
  }
}
