/**
 * Takes profiles of the running server, one at a time. This part runs in the reactor's thread and does
 * little: it starts a thread that does the work, names the other threads to it, and records exchanges in the
 * meantime.
 */
import { dirname, join } from 'node:path';
import { isMainThread, MessageChannel, Worker } from 'node:worker_threads';
import { clockMicroseconds } from '../../wire/clock.ts';
import type { ErrorReport } from '../../wire/error-report.ts';
import type { ProfilingConfig } from '../config/config.ts';
import { ControlRefusal } from '../control/errors.ts';
import type { ControlExchange, ControlRoutes } from '../control/routes.ts';
import type { Log } from '../logging/log.ts';
import type { Pool, ThreadFollower } from '../pools/pool.ts';
import type { Thread } from '../pools/thread.ts';
import { monotonicUs } from './collection.ts';
import {
  type EndReason,
  type FromProfiling,
  ProfileCode,
  type ProfileRequest,
  type ProfilingBoot,
  REACTOR,
  type ThreadName,
  type ToProfiling,
} from './messages.ts';
import { readRequest } from './request.ts';
import { ExchangeRecorder } from './span-recorder.ts';

/** Samples of one thread in a page, and in memory until they are sent. */
const MAX_SAMPLES_PER_THREAD = 60_000;
const SEGMENT_MS = 10_000;
/** How long a thread that ends waits while its profile is taken. */
const ENDING_MS = 6_000;
/** How long the whole profile may take when the server stops. */
const CLOSING_MS = 5_000;

const HERE = import.meta.url;
/** The modules are TypeScript in the source tree and JavaScript in the published package. */
const THREAD = new URL(`./profiling-thread${HERE.slice(HERE.lastIndexOf('.'))}`, HERE);

/** The server, as the profiler sees it. */
export interface ProfiledServer {
  readonly parts: { readonly pools: readonly Pool[] };
  /** Called for each pool that a reload creates, before its threads start. */
  onPoolCreated: ((pool: Pool) => void) | null;
}

export class Profiler {
  readonly #config: ProfilingConfig;
  readonly #server: ProfiledServer;
  readonly #log: Log;
  #running: RunningProfile | null = null;
  #isClosed = false;
  #count = 0;

  constructor(config: ProfilingConfig, server: ProfiledServer, log: Log) {
    this.#config = config;
    this.#server = server;
    this.#log = log;
    server.onPoolCreated = (pool) => this.#running?.follow(pool);
  }

  /** @param controlPath the path of the control socket, whose folder belongs to the server */
  addRoutes(routes: ControlRoutes, controlPath: () => string | null): void {
    routes.add('POST', '/profiles', (exchange) => this.#onRequest(exchange, controlPath()));
  }

  async #onRequest(exchange: ControlExchange, controlPath: string | null): Promise<void> {
    const request = readRequest(await exchange.json(), this.#config.maxSeconds);
    this.#check(request);
    // Paths of Unix domain sockets are short, so this one is only a few characters longer than the control
    // socket's.
    const socketPath = join(dirname(controlPath ?? ''), `${process.pid}.p${++this.#count}`);
    const running = new RunningProfile(request, socketPath, this.#config, this.#server.parts.pools);
    this.#running = running;
    void running.done.then(() => {
      this.#running = null;
      this.#log.info({ kind: request.kind }, 'profile ended');
    });
    try {
      await running.listening;
    } catch (error) {
      throw unavailable(error instanceof Error ? error.message : String(error));
    }
    this.#log.info({ ...request }, 'profile starts');
    exchange.answer(201, { socket: socketPath });
  }

  /** @throws ControlRefusal */
  #check({ kind, pool, thread }: ProfileRequest): void {
    if (!isMainThread)
      throw unavailable('expected the reactor to run on the process’s main thread, but it runs on another');
    if (this.#isClosed) throw unavailable('the server is stopping');
    if (this.#running !== null) {
      throw new ControlRefusal(
        409,
        ProfileCode.Busy,
        'a profile is already running; only one can run at a time',
      );
    }
    const pools = this.#server.parts.pools.map(({ name }) => name);
    if (pool !== undefined && !pools.includes(pool)) {
      const message = `expected one of the pools ${pools.join(', ')}, got ${pool}`;
      throw new ControlRefusal(404, ProfileCode.UnknownPool, message);
    }
    const names = [...this.#threadNames()].map(({ name }) => name);
    const known = kind === 'heap-snapshot' ? names.filter((name) => name !== REACTOR) : names;
    if (thread === undefined) {
      if (kind !== 'heap-snapshot') return;
      const message = `expected --thread to name the thread whose heap to take, one of ${known.join(', ')}, got none`;
      throw new ControlRefusal(400, ProfileCode.WrongRequest, message);
    }
    if (known.includes(thread)) return;
    const message = `expected one of the threads ${known.join(', ')}, got ${thread}`;
    throw new ControlRefusal(404, ProfileCode.UnknownThread, message);
  }

  *#threadNames(): Iterable<ThreadName> {
    yield { threadId: 0, name: REACTOR, pool: '' };
    for (const pool of this.#server.parts.pools)
      for (const thread of pool.threads) yield nameOf(pool, thread);
  }

  /**
   * Called when the server stops: sends what was profiled and ends the profile. Resolves when that is done.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running?.close('server-stops');
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#isClosed = true;
    this.#running?.destroy();
  }
}

function unavailable(message: string): ControlRefusal {
  return new ControlRefusal(503, ProfileCode.Unavailable, message);
}

function nameOf(pool: Pool, { vitals, name }: Thread): ThreadName {
  return { threadId: vitals.threadId, name, pool: pool.name };
}

class RunningProfile implements ThreadFollower {
  readonly listening: Promise<void>;
  /** Resolves when the profile's thread has ended. */
  readonly done: Promise<void>;
  readonly #request: ProfileRequest;
  readonly #pools: Pool[];
  readonly #recorder: ExchangeRecorder;
  readonly #worker: Worker;
  #state: 'waiting' | 'recording' | 'over' = 'waiting';
  /** Threads that may end once their profile has been taken. */
  readonly #ending = new Map<number, PromiseWithResolvers<void>>();
  readonly #listening = Promise.withResolvers<void>();

  constructor(request: ProfileRequest, socketPath: string, config: ProfilingConfig, pools: readonly Pool[]) {
    this.#request = request;
    this.#pools = [...pools];
    this.#recorder = new ExchangeRecorder(config.maxExchanges, {
      nowMs: () => performance.now(),
      toMonotonicUs: monotonicUs() - Math.round(performance.now() * 1_000),
      wireUs: () => clockMicroseconds(),
    });
    this.listening = this.#listening.promise;
    const boot: ProfilingBoot = {
      request,
      socketPath,
      limits: {
        maxBytes: config.maxBytes,
        maxSamplesPerThread: MAX_SAMPLES_PER_THREAD,
        segmentMs: SEGMENT_MS,
      },
      threads: pools.flatMap((pool) =>
        [...pool.threads].map((thread) => nameOf(pool, thread)).filter(({ threadId }) => threadId !== 0),
      ),
    };
    // Tools that are injected into the server's threads must not run in this one.
    this.#worker = new Worker(THREAD, { workerData: boot, execArgv: [], env: {}, name: 'profiling' });
    for (const pool of pools) {
      pool.follower = this;
      for (const thread of pool.threads) thread.profile.setRunning(true);
    }
    const ended = Promise.withResolvers<void>();
    this.done = ended.promise;
    this.#worker.on('message', (message: FromProfiling) => this.#hear(message));
    this.#worker.on('error', (error) => this.#listening.reject(error));
    this.#worker.on('exit', () => {
      this.#unfollow();
      this.#listening.reject(new Error('the profiling thread ended'));
      ended.resolve();
    });
    // The caller that asked for the profile gets the error.
    this.listening.catch(() => undefined);
  }

  #hear(message: FromProfiling): void {
    switch (message.type) {
      case 'listening':
        this.#listening.resolve();
        break;
      case 'failed':
        this.#listening.reject(new Error(`the profile's socket: ${message.why}`));
        break;
      case 'began':
        this.#begin();
        break;
      case 'finished':
        this.#ending.get(message.threadId)?.resolve();
        break;
      case 'sampled':
        this.#stopRecording();
        this.#tell({ type: 'exchanges', table: this.#recorder.table() });
        break;
      case 'done':
        this.#unfollow();
        break;
    }
  }

  #begin(): void {
    if (this.#request.kind === 'heap-snapshot') this.#askForSnapshot();
    if (this.#request.kind !== 'cpu') return;
    this.#state = 'recording';
    for (const pool of this.#pools) this.#record(pool);
  }

  #record(pool: Pool): void {
    pool.dispatcher.spans = this.#recorder.forPool(pool.name);
  }

  /** A new pool that has no threads yet. */
  follow(pool: Pool): void {
    if (this.#state === 'over') return;
    this.#pools.push(pool);
    pool.follower = this;
    if (this.#state === 'recording') this.#record(pool);
  }

  #askForSnapshot(): void {
    for (const pool of this.#pools) {
      for (const thread of pool.threads) {
        if (thread.name !== this.#request.thread) continue;
        const { port1, port2 } = new MessageChannel();
        this.#worker.postMessage({ type: 'snapshot', port: port1 } satisfies ToProfiling, [port1]);
        pool
          .sendHeapSnapshot(thread, port2)
          .catch((error: unknown) => this.#tell({ type: 'snapshot-failed', why: String(error) }));
        return;
      }
    }
    this.#tell({ type: 'snapshot-failed', why: `thread ${this.#request.thread} has ended` });
  }

  #stopRecording(): void {
    this.#state = 'over';
    for (const pool of this.#pools) pool.dispatcher.spans = null;
  }

  #unfollow(): void {
    this.#stopRecording();
    for (const pool of this.#pools) {
      if (pool.follower !== this) continue;
      pool.follower = null;
      for (const thread of pool.threads) thread.profile.setRunning(false);
    }
    for (const ending of this.#ending.values()) ending.resolve();
    this.#ending.clear();
  }

  #tell(message: ToProfiling): void {
    this.#worker.postMessage(message);
  }

  /** Resolves when the command has received what exists by now, or does not read it. */
  async close(reason: EndReason): Promise<void> {
    this.#tell({ type: 'end', reason });
    const timer = setTimeout(() => this.destroy(), CLOSING_MS);
    await this.done;
    clearTimeout(timer);
  }

  destroy(): void {
    void this.#worker.terminate();
  }

  // ---- ThreadFollower

  onThreadBegan(pool: Pool, thread: Thread): void {
    thread.profile.setRunning(true);
    this.#tell({ type: 'began', thread: nameOf(pool, thread) });
  }

  async onThreadEnding(_pool: Pool, { vitals: { threadId } }: Thread): Promise<void> {
    const finished = Promise.withResolvers<void>();
    this.#ending.set(threadId, finished);
    this.#tell({ type: 'ending', threadId });
    const timer = setTimeout(() => finished.resolve(), ENDING_MS);
    await finished.promise;
    clearTimeout(timer);
    this.#ending.delete(threadId);
  }

  onThreadGone(_pool: Pool, { vitals: { threadId } }: Thread, cause: ErrorReport | undefined): void {
    const why = cause === undefined ? 'the server told it to end' : `${cause.name}: ${cause.message}`;
    this.#tell({ type: 'gone', threadId, cause: why });
  }
}
