/**
 * The threads of a test of actors. All run in one thread, each with its own end of a channel to the
 * directory, as in a server.
 */

import type { ActorSettings } from '../../wire/actors/boot.ts';
import { hardwareAtomics } from '../../wire/atomics.ts';
import { WireError } from '../../wire/errors.ts';
import { ActorThread } from '../../workers/actors/actor-thread.ts';
import type { HostedCall } from '../../workers/actors/hosted-call.ts';
import type { HostedActor } from '../../workers/actors/instance.ts';
import type { ActorDirectory } from '../actors/directory.ts';
import type { AttachedThread } from '../actors/threads.ts';
import type { ManualClock } from './manual-clock.ts';

/** Memory between a thread and the directory. */
export interface ThreadMemory {
  readonly ringBytes: number;
  /** What may wait for the thread while it does not read. */
  readonly backlogBytes: number;
}

const MEMORY: ThreadMemory = { ringBytes: 1_048_576, backlogBytes: 16_777_216 };

/** Plays the role of a thread. */
export class TestThread {
  readonly side: ActorThread;
  readonly #attached: AttachedThread;

  /** @param abort ends it, at the directory's request */
  constructor(
    directory: ActorDirectory,
    name: string,
    pool: string,
    clock: ManualClock,
    abort: (error: Error) => void = fail,
    memory: ThreadMemory = MEMORY,
  ) {
    const settings = { ...memory, name: pool, callsPerThread: 1_024 };
    this.#attached = directory.attach(name, { ...settings, module: null }, abort);
    this.side = new ActorThread(this.#attached.boot, hardwareAtomics, clock);
  }

  /** Ends without notice. */
  die(): void {
    this.side.close();
    this.#attached.gone();
  }
}

function fail(error: Error): never {
  throw error;
}

/** The thread that an actor lives in, and the next one after its end. */
export class Host {
  readonly #name: string;
  readonly #index: number;
  readonly #create: (index: number, settings: ActorSettings) => HostedActor<HostedCall>;
  readonly #directory: ActorDirectory;
  readonly #clock: ManualClock;
  /** The thread that each actor's own calls come from. */
  readonly #homes: WeakMap<HostedActor<HostedCall>, ActorThread>;
  #starts = 0;
  #thread: TestThread | null = null;

  constructor(
    name: string,
    index: number,
    create: (index: number, settings: ActorSettings) => HostedActor<HostedCall>,
    directory: ActorDirectory,
    clock: ManualClock,
    homes: WeakMap<HostedActor<HostedCall>, ActorThread>,
  ) {
    this.#name = name;
    this.#index = index;
    this.#create = create;
    this.#directory = directory;
    this.#clock = clock;
    this.#homes = homes;
  }

  get side(): ActorThread | null {
    return this.#thread?.side ?? null;
  }

  async start(): Promise<void> {
    const thread = new TestThread(
      this.#directory,
      `${this.#name}-${++this.#starts}`,
      this.#name,
      this.#clock,
      (error) => this.#aborted(error),
    );
    const { settings } = thread.side.states[this.#index] as (typeof thread.side.states)[number];
    const actor = this.#create(this.#index, settings);
    this.#homes.set(actor, thread.side);
    this.#thread = thread;
    await thread.side.host.open([actor]);
  }

  /** The directory ends the thread, and another takes its place. */
  #aborted(error: Error): void {
    // The ring is broken, which is never part of a test.
    if (error instanceof WireError) throw error;
    setImmediate(() => {
      this.kill();
      void this.start();
    });
  }

  kill(): void {
    this.#thread?.die();
    this.#thread = null;
  }

  /**
   * Its instances stop, and live in another thread from then on.
   * @param failed gets what a `stop` throws
   */
  async replace(failed: (error: unknown) => void): Promise<void> {
    const old = this.#thread;
    await this.start();
    await old?.side.leave(failed);
    old?.die();
  }
}
