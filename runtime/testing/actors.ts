/**
 * Actors in a test, without a server: `import { testActors } from 'sluice/testing'`.
 *
 * One thread plays all roles. Each actor has a thread's side of its own and the caller has another, joined by
 * the same rings, codec and directory as in a server. So values that no message can carry are refused,
 * mailboxes are bounded, circular calls fail, and a test can observe what a thread's death does to calls.
 * Only time is controlled by the test. docs/testing-actors.md explains its use.
 */
import { setImmediate } from 'node:timers/promises';
import * as v from 'valibot';
import type { ActorSettings } from '../../wire/actors/boot.ts';
import { readMillisecondsFrom } from '../../wire/clock.ts';
import type { ErrorReport } from '../../wire/error-report.ts';
import type { ActorThread } from '../../workers/actors/actor-thread.ts';
import { setActorThreadSource } from '../../workers/actors/current.ts';
import { handleOf } from '../../workers/actors/handle.ts';
import type { HostedCall } from '../../workers/actors/hosted-call.ts';
import { runningCall } from '../../workers/actors/hosted-call.ts';
import type { HostedActor } from '../../workers/actors/instance.ts';
import { type AnyClass, functionsActor, hostedActor } from '../../workers/actors/load.ts';
import type { ActorClass, ActorModule, Handle } from '../../workers/actors/types.ts';
import { ActorDirectory } from '../actors/directory.ts';
import { ActorTurns } from '../actors/turns.ts';
import { topicsSchema } from '../config/topics-schema.ts';
import { settingsOf } from './definitions.ts';
import { Host, TestThread } from './hosts.ts';
import { ManualClock } from './manual-clock.ts';

/**
 * An actor as in the configuration, with its class or its module of functions in place of pool and export.
 */
export type ActorDefinition = ActorSettingsInput &
  (
    | { readonly class: ActorClass; readonly kind: 'pool' | 'keyed' | 'single' }
    | { readonly functions: ActorModule; readonly kind: 'pool' }
  );

export interface ActorSettingsInput {
  readonly concurrency?: number;
  readonly aheadMessages?: number;
  readonly mailboxMessages?: number;
  readonly mailboxBytes?: number;
  readonly callerMessages?: number;
  readonly callerBytes?: number;
  readonly maxMessageBytes?: number;
  readonly maxMessageDepth?: number;
  readonly maxSharedReferences?: number;
  readonly maxCallDepth?: number;
  readonly deadlineMs?: number;
  readonly streamItems?: number;
  readonly streamGraceMs?: number;
  readonly hardAbortGraceMs?: number;
  readonly startTimeoutMs?: number;
  readonly stopTimeoutMs?: number;
  readonly maxKeys?: number;
  readonly maxKeyChars?: number;
  readonly idleMs?: number;
}

/**
 * The actors by name. A class alone is keyed if its constructor takes a key and a context, and single
 * otherwise.
 */
export type ActorDefinitions = { readonly [name: string]: ActorClass | ActorDefinition };

type ClassOf<D> = D extends ActorClass
  ? D
  : D extends { readonly class: infer C extends ActorClass }
    ? C
    : D extends { readonly functions: infer M extends ActorModule }
      ? M
      : never;

export interface TestClock {
  /** Milliseconds since the test began. */
  readonly nowMs: number;
  /**
   * Lets this much time pass for deadlines, graces, hooks and idle instances. Resolves when the resulting messages
   * have been handled.
   */
  advance(ms: number): Promise<void>;
}

/** An event that no caller waits for. */
export interface Report {
  readonly what: 'tell failed' | 'tell lost' | 'stop failed' | 'restart' | 'start failed';
  readonly actor: string;
  readonly key: string;
  readonly why: string;
}

export interface TestActors<D extends ActorDefinitions> extends AsyncDisposable {
  readonly actors: { readonly [N in keyof D]: Handle<ClassOf<D[N]>> };
  readonly clock: TestClock;
  /** What a server would log about messages that no caller waits for. */
  readonly reports: readonly Report[];
  /** Ends the actor's thread without notice: `stop` does not run, and another thread takes its place. */
  kill(name: keyof D & string): Promise<void>;
  /** Makes the actor's thread read nothing, like one that computes, until the returned function is called. */
  stall(name: keyof D & string): () => void;
  /** Replaces the actor's thread, as a reload does: its instances stop, and continue in another. */
  replace(name: keyof D & string): Promise<void>;
  /** Resolves when no message is in flight. It does not wait for anything else that a method awaits. */
  settled(): Promise<void>;
  /** Ends everything at once; open calls fail. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts actors for a test. `actor(name)` of `sluice/actors`, wherever it is called, returns those of the
 * test that began last.
 * @throws ActorLoadError for a class that cannot be an actor; TypeError for settings that a configuration
 * could not have
 */
export async function testActors<const D extends ActorDefinitions>(definitions: D): Promise<TestActors<D>> {
  const test = new Actors(definitions);
  await test.start();
  return test as unknown as TestActors<D>;
}

class Actors implements TestActors<ActorDefinitions> {
  readonly actors: { readonly [name: string]: Handle<ActorClass> };
  readonly clock: TestClock;
  readonly reports: Report[] = [];
  readonly #time = new ManualClock();
  readonly #turns = new ActorTurns(() => this.#time.nowMs);
  readonly #directory: ActorDirectory;
  readonly #hosts = new Map<string, Host>();
  readonly #homes = new WeakMap<HostedActor<HostedCall>, ActorThread>();
  readonly #stalled = new Set<ActorThread>();
  readonly #caller: TestThread;
  #state: 'open' | 'closed' = 'open';

  constructor(definitions: ActorDefinitions) {
    readMillisecondsFrom(() => this.#time.nowMs);
    const settings = settingsOf(definitions);
    const report = (what: Report['what']) => (actor: string, key: string, error: ErrorReport | string) => {
      const why = typeof error === 'string' ? error : `${error.name}: ${error.message}`;
      this.reports.push({ what, actor, key, why });
    };
    this.#directory = new ActorDirectory(
      { actors: settings, topics: v.parse(topicsSchema, {}), recallAfterMs: 1_000 },
      {
        onTellFailed: report('tell failed'),
        onTellLost: report('tell lost'),
        onStopFailed: report('stop failed'),
        onRestart: (actor, key, _thread, why) => report('restart')(actor, key, why),
        onStartFailed: report('start failed'),
      },
      this.#turns,
    );
    this.#caller = new TestThread(this.#directory, 'test', 'test', this.#time);
    for (const [index, { name }] of settings.entries()) {
      const definition = definitions[name] as ActorClass | ActorDefinition;
      this.#hosts.set(
        name,
        new Host(name, index, creatorOf(definition), this.#directory, this.#time, this.#homes),
      );
    }
    const current = () => this.#current();
    const time = this.#time;
    this.actors = Object.fromEntries(settings.map(({ name }) => [name, handleOf<ActorClass>(name, current)]));
    this.clock = {
      get nowMs() {
        return time.nowMs;
      },
      advance: (ms) => this.#advance(ms),
    };
    setActorThreadSource(current);
  }

  async start(): Promise<void> {
    for (const host of this.#hosts.values()) await host.start();
    await this.settled();
  }

  /** Calls made by a method come from its actor's thread, all others from the test's. */
  #current(): ActorThread {
    const call = runningCall.getStore();
    return (call && this.#homes.get(call.instance.actor)) ?? this.#caller.side;
  }

  async #advance(ms: number): Promise<void> {
    await this.settled();
    this.#time.pass(ms);
    this.#directory.tick(this.#time.nowMs);
    await this.settled();
  }

  #host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host !== undefined) return host;
    throw new TypeError(`expected one of ${[...this.#hosts.keys()].join(', ')}, got ${JSON.stringify(name)}`);
  }

  async kill(name: string): Promise<void> {
    const host = this.#host(name);
    await this.settled();
    if (host.side !== null) this.#stalled.delete(host.side);
    host.kill();
    await host.start();
    await this.settled();
  }

  stall(name: string): () => void {
    const { side } = this.#host(name);
    if (side === null) throw new TypeError(`${name} has no thread`);
    side.hold();
    this.#stalled.add(side);
    return () => {
      if (this.#stalled.delete(side)) side.release();
    };
  }

  async replace(name: string): Promise<void> {
    await this.#host(name).replace((error) => {
      this.reports.push({ what: 'stop failed', actor: name, key: '', why: String(error) });
    });
    await this.settled();
  }

  async settled(): Promise<void> {
    // Checked twice, because the effect of a doorbell that rang when nothing was in flight comes in between.
    for (let quiet = 0; quiet < 2; ) {
      await setImmediate();
      quiet = this.#isQuiet ? quiet + 1 : 0;
    }
  }

  get #isQuiet(): boolean {
    if (!this.#turns.isAsleep) return false;
    const sides = [this.#caller.side, ...[...this.#hosts.values()].map(({ side }) => side)];
    return sides.every(
      (side) => side === null || this.#stalled.has(side) || (side.isIdle && side.end.isQuiet),
    );
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    for (const host of this.#hosts.values()) host.kill();
    this.#caller.die();
    this.#directory.end();
    setActorThreadSource(() => null);
    readMillisecondsFrom(null);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function creatorOf(definition: ActorClass | ActorDefinition) {
  return (index: number, settings: ActorSettings): HostedActor<HostedCall> => {
    if (typeof definition !== 'function' && 'functions' in definition) {
      return functionsActor(index, settings, definition.functions as { readonly [name: string]: unknown });
    }
    const Class = typeof definition === 'function' ? definition : definition.class;
    return hostedActor(index, settings, Class as unknown as AnyClass);
  };
}
