/**
 * Whatever is published, subscribed to, read and left, by threads that read and threads that do not: what a subscription got and what it
 * missed is what was published since it began, in order, and nothing more waits than may. Real rings and turns, in one thread.
 */
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import * as v from 'valibot';
import { ActorDirectory } from '../../runtime/actors/directory.ts';
import { topicsSchema } from '../../runtime/config/topics-schema.ts';
import { TestThread } from '../../runtime/testing/hosts.ts';
import { ManualClock } from '../../runtime/testing/manual-clock.ts';
import type { TopicSubscription, WhenFull } from '../../workers/topics/subscription.ts';

const THREADS = 3;
const TOPICS = 2;
const THREAD_BYTES = 400_000;
const MESSAGE_BYTES = 60_000;
/** More than is ever published. */
const ROOMY = 100_000;

type Step =
  | {
      readonly does: 'publish';
      readonly by: number;
      readonly topic: number;
      readonly count: number;
      readonly bytes: number;
    }
  | {
      readonly does: 'subscribe';
      readonly by: number;
      readonly topic: number;
      readonly capacity: number;
      readonly whenFull: WhenFull;
    }
  | { readonly does: 'read' | 'leave'; readonly which: number; readonly count: number }
  | { readonly does: 'hold' | 'release'; readonly by: number }
  | { readonly does: 'settle' };

const by = fc.nat(THREADS - 1);
const topic = fc.nat(TOPICS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('publish' as const),
      by,
      topic,
      count: fc.integer({ min: 1, max: 40 }),
      bytes: fc.constantFrom(0, 100, 5_000, 50_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('subscribe' as const),
      by,
      topic,
      capacity: fc.constantFrom(1, 3, 50, ROOMY),
      whenFull: fc.constantFrom<WhenFull>('drop-oldest', 'drop-newest', 'close'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constantFrom('read' as const, 'leave' as const),
      which: fc.nat(20),
      count: fc.integer({ min: 1, max: 60 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('hold' as const), by }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('release' as const), by }) },
  { weight: 2, arbitrary: fc.constant({ does: 'settle' as const }) },
);

interface Known {
  readonly subscription: TopicSubscription;
  readonly by: number;
  readonly topic: number;
  readonly capacity: number;
  readonly whenFull: WhenFull;
  /** How many had been published to its topic when it began. */
  readonly begunAt: number;
  readonly got: number[];
  state: 'open' | 'left' | 'failed';
}

class Model {
  readonly directory = new ActorDirectory(
    {
      actors: [],
      topics: {
        ...v.parse(topicsSchema, {}),
        threadBytes: THREAD_BYTES,
        subscriptionBytes: 2 ** 30,
        maxMessageBytes: MESSAGE_BYTES,
      },
      recallAfterMs: 1_000,
    },
    {
      onTellFailed: () => undefined,
      onTellLost: () => undefined,
      onStopFailed: () => undefined,
      onRestart: () => undefined,
      onStartFailed: () => undefined,
    },
  );
  readonly threads = Array.from(
    { length: THREADS },
    (_, n) => new TestThread(this.directory, `thread-${n}`, 'test', new ManualClock()),
  );
  readonly held = new Set<number>();
  readonly known: Known[] = [];
  /** By topic. */
  readonly published = Array.from({ length: TOPICS }, () => 0);
  readonly #sent = new Map<string, number>();

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await setImmediate();
      const isQuiet = this.threads.every(
        ({ side }, n) => this.held.has(n) || (side.isIdle && side.end.isQuiet),
      );
      quiet = isQuiet ? quiet + 1 : 0;
    }
  }

  async run(each: Step): Promise<void> {
    switch (each.does) {
      case 'publish': {
        // One that takes no turns would wait for room for ever.
        if (this.held.has(each.by)) return;
        const { topics } = this.#thread(each.by);
        for (let n = 0; n < each.count; n++) {
          const key = `${each.by} ${each.topic}`;
          const number = (this.#sent.get(key) ?? 0) + 1;
          const sent = topics.publish(`topic-${each.topic}`, [each.by, number, 'x'.repeat(each.bytes)]);
          this.#sent.set(key, number);
          await sent;
          this.published[each.topic] = (this.published[each.topic] ?? 0) + 1;
        }
        return;
      }
      case 'subscribe': {
        if (this.held.has(each.by)) return;
        await this.settle();
        const { topics } = this.#thread(each.by);
        const subscription = topics.subscribe(`topic-${each.topic}`, each.capacity, each.whenFull);
        await subscription.ready;
        const begunAt = this.published[each.topic] ?? 0;
        this.known.push({
          subscription,
          by: each.by,
          topic: each.topic,
          capacity: each.capacity,
          whenFull: each.whenFull,
          begunAt,
          got: [],
          state: 'open',
        });
        return;
      }
      case 'read': {
        const known = this.known[each.which % this.known.length];
        if (known !== undefined) await this.read(known, each.count);
        return;
      }
      case 'leave': {
        const known = this.known[each.which % this.known.length];
        known?.subscription.close();
        if (known !== undefined) known.state = 'left';
        return;
      }
      case 'hold':
        // A publisher that is held would keep what it has said.
        await this.settle();
        this.#thread(each.by).hold();
        this.held.add(each.by);
        return;
      case 'release':
        if (this.held.delete(each.by)) this.#thread(each.by).release();
        return;
      case 'settle':
        await this.settle();
        for (const { waitingBytes } of this.directory.topics.outlets) {
          if (waitingBytes > THREAD_BYTES) throw new Error(`${waitingBytes} bytes wait`);
        }
    }
  }

  #thread(n: number) {
    return (this.threads[n] as TestThread).side;
  }

  /** What is there, and nothing that is still to come. */
  async read(known: Known, most: number): Promise<void> {
    for (let n = 0; n < most && known.state === 'open'; n++) {
      if (!known.subscription.hasWaiting) return;
      try {
        const { done, value } = await known.subscription.next();
        if (done === true) return;
        const [from, number] = value as [number, number];
        known.got.push(from, number);
      } catch {
        known.state = 'failed';
      }
    }
  }

  check(known: Known): void {
    const { subscription, got, begunAt, topic: of, whenFull } = known;
    const last = new Map<number, number>();
    for (let at = 0; at < got.length; at += 2) {
      const [from, number] = [got[at] as number, got[at + 1] as number];
      if (number <= (last.get(from) ?? 0)) throw new Error(`out of order: ${number} of ${from}`);
      last.set(from, number);
    }
    if (known.state === 'left') return;
    const since = (this.published[of] ?? 0) - begunAt;
    const counted = got.length / 2 + subscription.missed;
    if (known.state === 'failed') {
      if (whenFull !== 'close' || subscription.missed === 0) throw new Error('it failed without a loss');
      if (counted > since) throw new Error(`${counted} of ${since}`);
    } else if (known.capacity === ROOMY && this.#droppedFor(known.by) === 0 && subscription.missed > 0) {
      throw new Error(`missed ${subscription.missed} although nothing was dropped`);
    } else if (counted !== since) {
      throw new Error(`got ${got.length / 2}, missed ${subscription.missed}, of ${since} (${whenFull})`);
    }
  }

  #droppedFor(thread: number): number {
    const outlet = this.directory.topics.outlets.find(({ link }) => link.name === `thread-${thread}`);
    return outlet?.dropped ?? 0;
  }

  close(): void {
    for (const thread of this.threads) thread.die();
  }
}

test('what a subscription got and what it missed is what was published since it began, whatever happens', async (t) => {
  t.timeout(110_000);
  let dropped = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const model = new Model();
      try {
        for (const each of steps) await model.run(each);
        for (const n of model.held) (model.threads[n] as TestThread).side.release();
        model.held.clear();
        await model.settle();
        for (const outlet of model.directory.topics.outlets) dropped += outlet.dropped;
        for (const known of model.known) {
          await model.read(known, Infinity);
          model.check(known);
        }
      } finally {
        model.close();
      }
    }),
    {
      numRuns: 300,
      examples: [
        // The newest message of one topic is dropped for what another's leave no room for.
        [
          [
            { does: 'subscribe', by: 2, topic: 1, capacity: 1, whenFull: 'drop-oldest' },
            { does: 'subscribe', by: 2, topic: 0, capacity: 1, whenFull: 'drop-oldest' },
            { does: 'hold', by: 2 },
            { does: 'publish', by: 0, topic: 1, count: 21, bytes: 50_000 },
            { does: 'settle' },
            { does: 'publish', by: 1, topic: 0, count: 7, bytes: 50_000 },
          ],
        ],
      ],
    },
  );
  t.true(dropped > 0, 'threads that did not read have met their limit');
});
