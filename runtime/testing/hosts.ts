/** The threads of a test of actors: all in one, each with its own end of a channel to the directory, as in a server. */

import { hardwareAtomics } from '../../wire/atomics.ts';
import { ActorThread } from '../../workers/actors/actor-thread.ts';
import type { HostedActor } from '../../workers/actors/instance.ts';
import { type AnyClass, hostedActor } from '../../workers/actors/load.ts';
import type { ActorDirectory, AttachedThread } from '../actors/directory.ts';
import type { ManualClock } from './manual-clock.ts';

const RING_BYTES = 1_048_576;

/** One that stands for a thread. */
export class TestThread {
  readonly side: ActorThread;
  readonly #attached: AttachedThread;

  constructor(directory: ActorDirectory, name: string, pool: string, clock: ManualClock) {
    const fail = (error: Error): never => {
      throw error;
    };
    this.#attached = directory.attach(name, { name: pool, ringBytes: RING_BYTES, module: null }, fail);
    this.side = new ActorThread(this.#attached.boot, hardwareAtomics, clock);
  }

  /** It ends without a word. */
  die(): void {
    this.side.close();
    this.#attached.gone();
  }
}

/** The thread that an actor lives in, and the next one after its end. */
export class Host {
  readonly #name: string;
  readonly #index: number;
  readonly #Class: AnyClass;
  readonly #directory: ActorDirectory;
  readonly #clock: ManualClock;
  /** Which thread an actor's own calls come from. */
  readonly #homes: WeakMap<HostedActor, ActorThread>;
  #starts = 0;
  #thread: TestThread | null = null;

  constructor(
    name: string,
    index: number,
    Class: AnyClass,
    directory: ActorDirectory,
    clock: ManualClock,
    homes: WeakMap<HostedActor, ActorThread>,
  ) {
    this.#name = name;
    this.#index = index;
    this.#Class = Class;
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
    );
    const { settings } = thread.side.states[this.#index] as (typeof thread.side.states)[number];
    const actor = hostedActor(this.#index, settings, this.#Class);
    this.#homes.set(actor, thread.side);
    this.#thread = thread;
    await thread.side.host.open([actor]);
  }

  kill(): void {
    this.#thread?.die();
    this.#thread = null;
  }

  /** Its instances stop, and live in another thread from then on. @param failed is told what a `stop` throws */
  async replace(failed: (error: unknown) => void): Promise<void> {
    const old = this.#thread;
    await this.start();
    await old?.side.leave(failed);
    old?.die();
  }
}
