/** Threads that call and a thread that answers, joined as a server joins them, in one thread and with a clock of the test's. */
import { setImmediate } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import * as v from 'valibot';
import { ActorDirectory } from '../../../runtime/actors/directory.ts';
import { ActorTurns } from '../../../runtime/actors/turns.ts';
import { actorsSection } from '../../../runtime/config/actor-schema.ts';
import { topicsSchema } from '../../../runtime/config/topics-schema.ts';
import { TestThread, type ThreadMemory } from '../../../runtime/testing/hosts.ts';
import { ManualClock } from '../../../runtime/testing/manual-clock.ts';
import { readMillisecondsFrom } from '../../../wire/clock.ts';
import { handleOf } from '../../../workers/actors/handle.ts';
import { type AnyClass, hostedActor } from '../../../workers/actors/load.ts';
import type { ActorClass, Handle } from '../../../workers/actors/types.ts';

export interface Definition {
  readonly class: ActorClass;
  /** Threads with it; several actors may name the same. */
  readonly pool: string;
  readonly settings?: object;
}

export const RECALL_AFTER_MS = 1_000;

export interface PairOptions {
  readonly maxChannels?: number;
  readonly afterCalls?: number;
  readonly callers?: number;
  /** Settings of topics. */
  readonly topics?: object;
  /** Of every thread. */
  readonly memory?: ThreadMemory;
}

export class Pair {
  readonly clock = new ManualClock();
  readonly turns = new ActorTurns(() => this.clock.nowMs);
  readonly directory: ActorDirectory;
  readonly callers: TestThread[] = [];
  readonly hosts = new Map<string, TestThread>();
  readonly held = new Set<TestThread>();
  readonly lost: string[] = [];
  readonly ended: Error[] = [];
  readonly #definitions: { readonly [name: string]: Definition };
  readonly #memory: ThreadMemory | undefined;
  /** All that have been started with actors. */
  readonly #started: TestThread[] = [];

  constructor(definitions: { readonly [name: string]: Definition }, options: PairOptions) {
    const { maxChannels = 8, afterCalls = 1, callers = 1, topics = {}, memory } = options;
    this.#memory = memory;
    readMillisecondsFrom(() => this.clock.nowMs);
    this.#definitions = definitions;
    const sections = Object.entries(definitions).map(([name, { pool, settings }]) => [
      name,
      { pool, export: name, kind: 'keyed', deadlineMs: 1_000, ...settings },
    ]);
    const parsed = v.parse(actorsSection, Object.fromEntries(sections));
    const actors = Object.entries(parsed).map(
      ([name, { concurrency = 1, export: exported = '', ...actor }]) => ({
        ...actor,
        name,
        export: exported,
        concurrency,
      }),
    );
    this.directory = new ActorDirectory(
      {
        actors,
        topics: v.parse(topicsSchema, topics),
        recallAfterMs: RECALL_AFTER_MS,
        direct: { maxChannels, afterCalls },
      },
      {
        onTellFailed: () => undefined,
        onTellLost: (_actor, _key, why) => this.lost.push(why),
        onStopFailed: () => undefined,
        onRestart: () => undefined,
        onStartFailed: () => undefined,
      },
      this.turns,
    );
    for (let n = 0; n < callers; n++) {
      this.callers.push(
        new TestThread(this.directory, `caller-${n}`, 'callers', this.clock, undefined, memory),
      );
    }
  }

  /** Another thread of a pool; the last one is `hosts.get(pool)`. */
  async start(pool: string): Promise<TestThread> {
    const name = `${pool}-${this.#started.length + 1}`;
    const ended = (error: Error) => this.ended.push(error);
    const thread = new TestThread(this.directory, name, pool, this.clock, ended, this.#memory);
    const own = thread.side.states.filter(({ settings }) => settings.pool === pool);
    await thread.side.host.open(
      own.map(({ index, settings }) =>
        hostedActor(index, settings, this.#definitions[settings.name]?.class as unknown as AnyClass),
      ),
    );
    this.#started.push(thread);
    this.hosts.set(pool, thread);
    return thread;
  }

  handle<C extends ActorClass>(name: string, caller = 0): Handle<C> {
    return this.handleIn<C>(this.callers[caller] as TestThread, name);
  }

  handleIn<C extends ActorClass>(thread: TestThread, name: string): Handle<C> {
    return handleOf<C>(name, () => thread.side);
  }

  hold(thread: TestThread): void {
    this.held.add(thread);
    thread.side.hold();
  }

  release(thread: TestThread): void {
    this.held.delete(thread);
    thread.side.release();
  }

  /** Nothing is under way any more, but for what a thread that is held has not read. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await setImmediate();
      const isQuiet =
        this.turns.isAsleep &&
        [...this.callers, ...this.#started].every(
          (thread) =>
            this.held.has(thread) ||
            thread.side.end.state === 'closed' ||
            (thread.side.isIdle && thread.side.end.isAsleep),
        );
      quiet = isQuiet ? quiet + 1 : 0;
    }
  }

  async pass(ms: number): Promise<void> {
    await this.settle();
    this.clock.pass(ms);
    this.turns.readClock();
    this.directory.tick(this.clock.nowMs);
    await this.settle();
  }

  close(): void {
    for (const thread of [...this.callers, ...this.#started]) thread.die();
    this.directory.end();
    readMillisecondsFrom(null);
  }
}

export async function startPair(
  t: ExecutionContext,
  definitions: { readonly [name: string]: Definition },
  options: PairOptions = {},
): Promise<Pair> {
  const pair = new Pair(definitions, options);
  t.teardown(() => pair.close());
  for (const pool of new Set(Object.values(definitions).map((definition) => definition.pool)))
    await pair.start(pool);
  await pair.settle();
  return pair;
}
