/**
 * The sampling phase of a profile. It covers every requested thread, from the start or from when the thread
 * begins, until the time is over, the command asks, or the server stops.
 */
import { type InspectedThread, Inspector } from './inspector.ts';
import type { Frame, ProfileLimits, ProfileRequest, ThreadName } from './messages.ts';
import { REACTOR } from './messages.ts';
import { SampledThread, type SampledThreadOwner, type SamplingOptions } from './sampled-thread.ts';

export interface CollectionSink {
  send(head: Frame, bytes?: Uint8Array): void;
}

/** V8's own interval: one sample per millisecond. */
const LEAST_INTERVAL_US = 1_000;
/** How long to wait for a thread to respond before the next one is asked. */
const PATIENCE_MS = 2_000;
/** How long to wait for a thread at all: after that, it is in native code. */
const LAST_PATIENCE_MS = 5_000;
/** A pause between the profiles of two threads, for the reactor's loop. */
const BREATH_MS = 5;

/** Microseconds of the monotonic clock, which V8 also uses for its profiles. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

export function samplingIntervalUs(durationMs: number, maxSamples: number): number {
  return Math.max(LEAST_INTERVAL_US, Math.ceil((durationMs * 1_000) / maxSamples));
}

export class Collection implements SampledThreadOwner {
  readonly #request: ProfileRequest;
  readonly #limits: ProfileLimits;
  readonly #options: SamplingOptions;
  readonly #sink: CollectionSink;
  readonly #inspector: Inspector;
  readonly #names = new Map<number, ThreadName>();
  /** Threads that the reactor has not named yet. */
  readonly #unnamed = new Map<number, InspectedThread>();
  readonly #sampled = new Map<number, SampledThread>();
  readonly #causes = new Map<number, string>();
  #isFollowing = false;
  #isJoining = true;
  #timer: NodeJS.Timeout | null = null;
  #ended: Promise<void> | null = null;

  constructor(
    request: ProfileRequest,
    limits: ProfileLimits,
    names: readonly ThreadName[],
    ownThreadId: number,
    sink: CollectionSink,
  ) {
    this.#request = request;
    this.#limits = limits;
    this.#options = {
      kind: request.kind === 'heap' ? 'heap' : 'cpu',
      intervalUs: samplingIntervalUs(request.durationMs, limits.maxSamplesPerThread),
    };
    this.#sink = sink;
    for (const name of names) this.#names.set(name.threadId, name);
    this.#inspector = new Inspector(ownThreadId, {
      onThread: (thread) => this.#onThread(thread),
      onThreadGone: (threadId) => this.#onThreadGone(threadId),
    });
  }

  async start(): Promise<void> {
    this.#onThread(this.#inspector.main);
    await this.#inspector.follow();
    this.#isFollowing = true;
    this.#timer = setTimeout(() => void this.#takeParts(), this.#limits.segmentMs);
    const starting = [...this.#sampled.values()].map(({ started }) => started);
    await within(PATIENCE_MS, Promise.all(starting));
    this.#sink.send({ type: 'running' });
  }

  /** The reactor names a thread. */
  onName(name: ThreadName): void {
    this.#names.set(name.threadId, name);
    const waiting = this.#unnamed.get(name.threadId);
    if (waiting === undefined) return;
    this.#unnamed.delete(name.threadId);
    this.#onThread(waiting);
  }

  /** The thread is about to end: takes its profile first. */
  async onEnding(threadId: number): Promise<void> {
    const sampled = this.#sampled.get(threadId);
    if (sampled !== undefined) await within(LAST_PATIENCE_MS, sampled.stop());
  }

  /** Why the thread has ended, in words. */
  onCause(threadId: number, cause: string): void {
    if (!this.#sampled.has(threadId)) return;
    this.#causes.set(threadId, cause);
    this.#sink.send({ type: 'gone', threadId, atUs: monotonicUs(), cause });
  }

  /**
   * Stops all threads, one after another. Resolves when all have returned their profiles, or are no longer
   * waited for.
   */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.#isJoining = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const stopping: { readonly sampled: SampledThread; readonly stopped: Promise<void> }[] = [];
    for (const sampled of this.#sampled.values()) {
      const stopped = sampled.stop();
      stopping.push({ sampled, stopped });
      await within(PATIENCE_MS, stopped);
      await new Promise((resolve) => setTimeout(resolve, BREATH_MS));
    }
    await within(LAST_PATIENCE_MS, Promise.all(stopping.map(({ stopped }) => stopped)));
    for (const { sampled } of stopping) {
      if (sampled.state === 'stopped' || sampled.state === 'gone') continue;
      this.onProblem(
        sampled,
        `it did not respond within ${LAST_PATIENCE_MS} ms: it is running or waiting in native code`,
      );
    }
    this.#inspector.close();
  }

  /** The profile is no longer needed. */
  close(): void {
    this.#isJoining = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#inspector.close();
  }

  async #takeParts(): Promise<void> {
    for (const sampled of [...this.#sampled.values()]) {
      // The reactor cannot die alone, so its profile needs no parts, and its loop should stay free.
      if (sampled.name.threadId === 0 || !this.#isJoining) continue;
      await within(PATIENCE_MS, sampled.takePart());
    }
    if (this.#isJoining) this.#timer = setTimeout(() => void this.#takeParts(), this.#limits.segmentMs);
  }

  #onThread(inspected: InspectedThread): void {
    const { threadId } = inspected;
    if (!this.#isJoining) return;
    const name = this.#nameOf(threadId);
    if (name === undefined) {
      this.#unnamed.set(threadId, inspected);
      return;
    }
    if (!this.#isWanted(name)) return;
    const joined = this.#isFollowing;
    this.#sink.send({ type: 'thread', thread: name, atUs: monotonicUs(), joined });
    this.#sampled.set(threadId, new SampledThread(name, inspected, this.#options, this));
  }

  /** Undefined: the reactor will name the thread later. */
  #nameOf(threadId: number): ThreadName | undefined {
    return threadId === 0 ? { threadId, name: REACTOR, pool: '' } : this.#names.get(threadId);
  }

  #isWanted({ name, pool }: ThreadName): boolean {
    const { pool: wantedPool, thread } = this.#request;
    if (thread !== undefined) return name === thread;
    return wantedPool === undefined || pool === wantedPool;
  }

  #onThreadGone(threadId: number): void {
    this.#unnamed.delete(threadId);
    this.#sampled.get(threadId)?.gone();
  }

  // ---- SampledThreadOwner

  onProfile(thread: SampledThread, json: string): void {
    // `{"profile":…}`, without the outer object.
    const start = json.indexOf(':') + 1;
    const bytes = Buffer.from(json.slice(start, -1));
    this.#sink.send({ type: this.#options.kind, threadId: thread.name.threadId }, bytes);
  }

  onProblem({ name: { threadId } }: SampledThread, what: string): void {
    this.#sink.send({ type: 'problem', threadId, what });
  }
}

/** Resolves with the promise, or after this time without it. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
