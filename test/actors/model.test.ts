/**
 * Whatever is asked, told, given up and waited for, by threads that read and threads that do not, while others die, are replaced and
 * instances begin anew: every call settles once and begins at most once, a key has one instance that runs one method at a time, in the
 * order of each caller, and nothing stays behind. Real rings, turns and codec, in one thread and with a clock of the test's.
 * More of it than the suite runs: SLUICE_MODEL_RUNS=10000 npx ava --timeout=30m test/actors/model.test.ts
 */
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import * as v from 'valibot';
import { ActorDirectory } from '../../runtime/actors/directory.ts';
import { ActorTurns } from '../../runtime/actors/turns.ts';
import { actorsSection } from '../../runtime/config/actor-schema.ts';
import { topicsSchema } from '../../runtime/config/topics-schema.ts';
import { TestThread } from '../../runtime/testing/hosts.ts';
import { ManualClock } from '../../runtime/testing/manual-clock.ts';
import { readMillisecondsFrom } from '../../wire/clock.ts';
import type { ActorContext, ActorError, Call, EachResult } from '../../workers/actors/actors.ts';
import { handleOf } from '../../workers/actors/handle.ts';
import { type AnyClass, hostedActor } from '../../workers/actors/load.ts';

const RUNS = Number(process.env.SLUICE_MODEL_RUNS ?? 250);
const CALLERS = 2;
const HOSTS = 2;
const KEYS = ['a', 'b', 'c'];

const HOWS = [
  'at once',
  'soon',
  'at the gate',
  'until given up',
  'throws',
  'begins anew',
  'asks on',
  'asks on twice',
] as const;
type How = (typeof HOWS)[number];

type Step =
  | {
      readonly does: 'ask' | 'tell';
      readonly by: number;
      /** Null: the pool actor's. */
      readonly key: string | null;
      readonly how: How;
      readonly deadlineMs: number;
    }
  | { readonly does: 'each'; readonly by: number; readonly isKeyed: boolean; readonly how: How }
  | { readonly does: 'give up'; readonly which: number }
  | { readonly does: 'open gates'; readonly count: number }
  | { readonly does: 'hold' | 'release' | 'kill' | 'replace'; readonly host: number }
  | { readonly does: 'pass'; readonly ms: number }
  | { readonly does: 'settle' };

const by = fc.nat(CALLERS - 1);
const host = fc.nat(HOSTS - 1);
const how = fc.constantFrom(...HOWS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      does: fc.constantFrom('ask' as const, 'ask' as const, 'tell' as const),
      by,
      key: fc.constantFrom(...KEYS, null),
      how,
      deadlineMs: fc.constantFrom(20, 1_000_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('each' as const), by, isKeyed: fc.boolean(), how }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('give up' as const), which: fc.nat(50) }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('open gates' as const), count: fc.nat(5) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constantFrom('hold' as const, 'release' as const, 'kill' as const, 'replace' as const),
      host,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('pass' as const), ms: fc.constantFrom(1, 30, 2_000) }),
  },
  { weight: 3, arbitrary: fc.constant({ does: 'settle' as const }) },
);

interface Sent {
  readonly id: number;
  readonly kind: 'ask' | 'tell' | 'each';
  readonly controller: AbortController;
  settlements: number;
  outcome: { readonly value: unknown } | { readonly error: ActorError } | null;
}

type Methods = { readonly [method: string]: (...args: unknown[]) => Promise<unknown> };
type AnyHandle = Methods & {
  of(key: string): Methods & { readonly tell: Methods };
  readonly tell: Methods;
  readonly each: Methods;
};

class Model {
  readonly clock = new ManualClock();
  readonly turns = new ActorTurns(() => this.clock.nowMs);
  readonly directory: ActorDirectory;
  readonly callers: readonly TestThread[];
  readonly hosts: TestThread[] = [];
  /** Replaced, and not gone yet. */
  readonly retired = new Set<TestThread>();
  readonly held = new Set<TestThread>();
  readonly live = new Set<string>();
  readonly sent: Sent[] = [];
  readonly gates: (() => void)[] = [];
  /** By message: where it has begun. */
  readonly begun = new Map<number, string[]>();
  /** What runs and what lives, by key. */
  readonly running = new Map<string, Set<string>>();
  readonly living = new Map<string, Set<string>>();
  readonly lastBegun = new Map<string, number>();
  readonly faults: string[] = [];
  /** Told to be lost, or to have been late. */
  reportedTells = 0;
  isOver = false;
  conversations = 0;
  directCalls = 0;
  #threads = 0;

  /** @param maxChannels direct channels, for talks of which each joins after one call */
  constructor(maxChannels: number) {
    readMillisecondsFrom(() => this.clock.nowMs);
    const parsed = v.parse(actorsSection, {
      keyed: {
        pool: 'app',
        export: 'Keyed',
        kind: 'keyed',
        mailboxMessages: 6,
        aheadMessages: 2,
        idleMs: 1_000,
        deadlineMs: 1_000_000,
      },
      pooled: {
        pool: 'app',
        export: 'Pooled',
        kind: 'pool',
        concurrency: 2,
        mailboxMessages: 12,
        aheadMessages: 1,
        deadlineMs: 1_000_000,
      },
    });
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
        topics: v.parse(topicsSchema, {}),
        recallAfterMs: 10,
        direct: { maxChannels, afterCalls: 1 },
      },
      {
        onTellFailed: (_actor, _key, { message }) => {
          if (message.includes('deadline')) this.reportedTells++;
        },
        onTellLost: () => this.reportedTells++,
        onStopFailed: () => undefined,
        onRestart: () => undefined,
        onStartFailed: () => undefined,
      },
      this.turns,
    );
    this.callers = Array.from(
      { length: CALLERS },
      (_, n) => new TestThread(this.directory, `caller-${n}`, 'callers', this.clock),
    );
  }

  async start(): Promise<void> {
    for (let n = 0; n < HOSTS; n++) this.hosts.push(await this.startHost());
    await this.settle();
  }

  async startHost(): Promise<TestThread> {
    const name = `host-${++this.#threads}`;
    const thread = new TestThread(this.directory, name, 'app', this.clock);
    this.live.add(name);
    const [Keyed, Pooled] = classesOf(this);
    const classes = [Keyed, Pooled];
    await thread.side.host.open(
      thread.side.states.map(({ settings }, index) =>
        hostedActor(index, settings, classes[index] as AnyClass),
      ),
    );
    return thread;
  }

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await setImmediate();
      const threads = [...this.callers, ...this.hosts, ...this.retired];
      const isQuiet = threads.every(
        (thread) =>
          this.held.has(thread) ||
          thread.side.end.state === 'closed' ||
          (thread.side.isIdle && thread.side.end.isQuiet),
      );
      quiet = isQuiet ? quiet + 1 : 0;
    }
  }

  handle(by: number, name: string): AnyHandle {
    return handleOf(name, () => (this.callers[by] as TestThread).side) as unknown as AnyHandle;
  }

  /** What a method asks: another instance, or its own, which is a circle. */
  async askOn(id: number, from: string, what: How): Promise<void> {
    const thread = [...this.hosts, ...this.retired].find((each) => nameOf(each) === from);
    if (thread === undefined) return;
    const key = [...KEYS, null][id % (KEYS.length + 1)] ?? null;
    const handle = handleOf(key === null ? 'pooled' : 'keyed', () => thread.side) as unknown as AnyHandle;
    const client: Methods = key === null ? handle : handle.of(key);
    const how: How = what === 'asks on twice' ? 'asks on' : 'soon';
    const make = (own: number, options: object) => client.work?.(own, from, how, options) as Promise<unknown>;
    await this.#send('ask', make, 1_000_000);
  }

  #send(
    kind: Sent['kind'],
    make: (id: number, options: object) => Promise<unknown>,
    deadlineMs: number,
  ): Promise<void> {
    const controller = new AbortController();
    const sent: Sent = { id: this.sent.length, kind, controller, settlements: 0, outcome: null };
    this.sent.push(sent);
    const settle = (outcome: NonNullable<Sent['outcome']>) => {
      sent.settlements++;
      sent.outcome = outcome;
      const error = 'error' in outcome ? outcome.error : null;
      if (error?.begun === 'no' && kind !== 'each' && this.begun.has(sent.id)) {
        this.faults.push(`${sent.id} has begun, and its caller was told ${error.code}, not begun`);
      }
    };
    return make(sent.id, { deadlineMs, signal: controller.signal }).then(
      (value) => settle({ value }),
      (error: ActorError) => settle({ error }),
    );
  }

  async run(each: Step): Promise<void> {
    switch (each.does) {
      case 'ask':
      case 'tell': {
        const { does, by: caller, key, how: what, deadlineMs } = each;
        const handle = this.handle(caller, key === null ? 'pooled' : 'keyed');
        const client = key === null ? handle : handle.of(key);
        const from = does === 'ask' ? client : client.tell;
        void this.#send(
          does,
          (id, options) => (from as Methods).work?.(id, caller, what, options) as Promise<unknown>,
          deadlineMs,
        );
        return;
      }
      case 'each': {
        const { by: caller, isKeyed, how: what } = each;
        const all = this.handle(caller, isKeyed ? 'keyed' : 'pooled').each;
        void this.#send(
          'each',
          (id, options) => all.work?.(id, null, what, options) as Promise<unknown>,
          1_000_000,
        );
        return;
      }
      case 'give up':
        this.sent[each.which % this.sent.length]?.controller.abort();
        return;
      case 'open gates':
        for (const open of this.gates.splice(0, each.count)) open();
        return;
      case 'hold': {
        const thread = this.hosts[each.host] as TestThread;
        thread.side.hold();
        this.held.add(thread);
        return;
      }
      case 'release':
        this.release(this.hosts[each.host] as TestThread);
        return;
      case 'kill': {
        const thread = this.hosts[each.host] as TestThread;
        this.#gone(thread);
        this.hosts[each.host] = await this.startHost();
        return;
      }
      case 'replace': {
        const thread = this.hosts[each.host] as TestThread;
        this.hosts[each.host] = await this.startHost();
        this.retired.add(thread);
        void thread.side.leave(() => undefined).then(() => this.#gone(thread));
        return;
      }
      case 'pass':
        await this.settle();
        this.clock.pass(each.ms);
        this.turns.readClock();
        this.directory.tick(this.clock.nowMs);
        this.directory.rebalance(this.clock.nowMs);
        return;
      case 'settle':
        await this.settle();
    }
  }

  release(thread: TestThread): void {
    if (this.held.delete(thread)) thread.side.release();
  }

  #gone(thread: TestThread): void {
    this.live.delete(nameOf(thread));
    this.retired.delete(thread);
    this.held.delete(thread);
    thread.die();
  }

  /** All gates are open and all threads read, so that everything comes to its end. */
  async finish(): Promise<void> {
    this.isOver = true;
    for (const thread of [...this.held]) this.release(thread);
    for (let round = 0; round < 100; round++) {
      for (const open of this.gates.splice(0)) open();
      await this.settle();
      // What waits to be given up, and nobody gives up.
      for (const { controller, outcome, kind } of this.sent) {
        if (outcome === null || kind === 'tell') controller.abort();
      }
      this.directory.rebalance(this.clock.nowMs);
      await this.settle();
      if (this.gates.length === 0 && this.directory.openMessages === 0 && this.retired.size === 0) break;
    }
    this.conversations = this.directory.direct.tally.conversations;
    this.directCalls = this.directory.direct.tally.calls;
    this.directory.direct.callBackAll();
    await this.settle();
    this.directCalls = this.directory.direct.tally.calls;
  }

  check(): void {
    const { faults } = this;
    let unbegunTells = 0;
    for (const { id, kind, settlements, outcome } of this.sent) {
      const begun = this.begun.get(id) ?? [];
      if (settlements !== 1 || outcome === null)
        faults.push(`${kind} ${id} has settled ${settlements} times`);
      else if (kind === 'each') {
        if (new Set(begun).size !== begun.length)
          faults.push(`each ${id} began twice in ${begun.join(', ')}`);
        if ('value' in outcome) {
          const results = outcome.value as EachResult<unknown>[];
          const places = results.map(({ thread, key }) => `${thread} ${key}`);
          if (new Set(places).size !== places.length) faults.push(`each ${id} has two parts of one instance`);
          const whole = results.filter(({ status }) => status === 'fulfilled').length;
          if (whole > begun.length) faults.push(`each ${id} has ${whole} answers of ${begun.length}`);
        }
      } else {
        if (begun.length > 1) faults.push(`${kind} ${id} began ${begun.length} times: ${begun.join(', ')}`);
        if (kind === 'ask' && 'value' in outcome && begun.length !== 1) faults.push(`ask ${id} never began`);
        if (kind === 'tell' && 'value' in outcome && begun.length === 0) unbegunTells++;
      }
    }
    if (unbegunTells > this.reportedTells)
      faults.push(`${unbegunTells} tells are nowhere, ${this.reportedTells} reported`);
    if (this.directory.openMessages !== 0) faults.push(`${this.directory.openMessages} messages are open`);
    const { direct } = this.directory;
    if (direct.conversations !== 0) faults.push(`${direct.conversations} conversations go on`);
    for (const { settings, messages, bytes, mailboxes } of this.directory.actors) {
      if (messages !== 0 || bytes !== 0)
        faults.push(`${settings.name}: ${messages} messages, ${bytes} bytes`);
      for (const mailbox of mailboxes.values()) {
        if (mailbox.conversations !== 0 || mailbox.asideMessages !== 0 || mailbox.asideBytes !== 0)
          faults.push(`${settings.name}: room stays aside`);
        if (mailbox.messages !== 0 || mailbox.given !== 0)
          faults.push(`${settings.name}: a mailbox is not empty`);
      }
    }
    for (const link of this.directory.links) {
      if (link.given.size > 0 || link.calls.size > 0 || link.broadcasts.size > 0 || link.blocked.size > 0)
        faults.push(`${link.name}: something stays behind`);
    }
    for (const { side } of [...this.callers, ...this.hosts]) {
      if (side.calls.openCalls !== 0) faults.push(`${side.calls.openCalls} calls are open`);
      for (const { openCalls, openBytes } of side.states) {
        if (openCalls !== 0 || openBytes !== 0)
          faults.push(`a caller counts ${openCalls}, ${openBytes} bytes`);
      }
    }
    if (faults.length > 0) throw new Error(faults.join('\n'));
  }

  close(): void {
    for (const thread of [...this.hosts, ...this.retired, ...this.callers]) thread.die();
    this.directory.end();
    readMillisecondsFrom(null);
  }
}

function nameOf({ side }: TestThread): string {
  return side.contextOf(side.states[0]?.settings as never, '', () => undefined).thread;
}

function setOf(map: Map<string, Set<string>>, key: string): Set<string> {
  let set = map.get(key);
  if (set === undefined) {
    set = new Set();
    map.set(key, set);
  }
  return set;
}

/** Both actors, for one thread. */
function classesOf(model: Model): [AnyClass, AnyClass] {
  class Working {
    protected readonly context: ActorContext;

    constructor(context: ActorContext) {
      this.context = context;
    }

    protected async do(id: number, what: How, call: Call): Promise<number> {
      const begun = model.begun.get(id) ?? [];
      begun.push(`${this.context.thread} ${this.context.key}`);
      model.begun.set(id, begun);
      // A thread that has died has methods here that go on; what they do is for nobody.
      if (!model.live.has(this.context.thread)) model.faults.push(`${id} has begun in a thread that is gone`);
      if (what === 'soon') await Promise.resolve();
      else if (what === 'at the gate') await new Promise<void>((open) => model.gates.push(open));
      else if (what === 'asks on' || what === 'asks on twice')
        await model.askOn(id, this.context.thread, what);
      else if (what === 'throws') throw new RangeError('as it should');
      else if (what === 'begins anew') this.context.restart('as it should');
      else if (what === 'until given up' && !call.signal.aborted && !model.isOver) {
        await new Promise((resolve) => {
          call.signal.addEventListener('abort', resolve);
          model.gates.push(() => resolve(undefined));
        });
      }
      return id;
    }
  }

  class Keyed extends Working {
    constructor(_key: string, context: ActorContext) {
      super(context);
    }

    #others(places: Set<string>): string[] {
      return [...places].filter((thread) => model.live.has(thread));
    }

    start(): void {
      const { key, thread } = this.context;
      const living = setOf(model.living, key);
      if (this.#others(living).length > 0) {
        model.faults.push(`${key} lives in ${[...living].join(', ')} when it begins in ${thread}`);
      }
      living.add(thread);
    }

    async stop(): Promise<void> {
      const { key, thread } = this.context;
      if (setOf(model.running, key).has(thread)) model.faults.push(`${key} stops while it runs in ${thread}`);
      await Promise.resolve();
      setOf(model.living, key).delete(thread);
    }

    async work(id: number, caller: number | string | null, what: How, call: Call): Promise<number> {
      const { key, thread } = this.context;
      const running = setOf(model.running, key);
      if (this.#others(running).length > 0)
        model.faults.push(`${key} runs in ${[...running].join(', ')}, then ${id}`);
      running.add(thread);
      if (caller !== null) {
        const stream = `${caller} ${key}`;
        if (id <= (model.lastBegun.get(stream) ?? -1))
          model.faults.push(`${id} is out of order for ${stream}`);
        model.lastBegun.set(stream, id);
      }
      try {
        return await this.do(id, what, call);
      } finally {
        running.delete(thread);
      }
    }
  }

  class Pooled extends Working {
    work(id: number, _caller: unknown, what: How, call: Call): Promise<number> {
      return this.do(id, what, call);
    }
  }

  return [Keyed as unknown as AnyClass, Pooled as unknown as AnyClass];
}

for (const [title, channels] of [
  [
    'whatever happens, every call settles once and begins at most once, in order, and nothing stays behind',
    0,
  ],
  [
    'whatever happens over direct channels, every call settles once and begins at most once, in order, and nothing stays behind',
    8,
  ],
  [
    'whatever happens over direct channels that threads compete for, every call settles once and begins at most once, in order, and nothing stays behind',
    1,
  ],
] as const)
  test.serial(title, async (t) => {
    t.timeout(110_000 + 1_000 * RUNS);
    let direct = 0;
    let answered = 0;
    let failed = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const model = new Model(channels);
        try {
          await model.start();
          for (const each of steps) await model.run(each);
          await model.finish();
          model.check();
          direct += model.directCalls;
          for (const { outcome } of model.sent) {
            if (outcome !== null && 'value' in outcome) answered++;
            else failed++;
          }
        } finally {
          model.close();
        }
      }),
      { numRuns: RUNS, includeErrorInReport: true },
    );
    t.true(answered > 0 && failed > 0, `${answered} answered, ${failed} failed`);
    t.is(direct > 0, channels > 0, `${direct} went directly`);
    t.log(`${answered} answered, ${failed} failed, ${direct} directly`);
  });
