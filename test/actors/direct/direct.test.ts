/** Direct channels: when calls go over them, when they come back, and that what holds by way of the reactor holds over them too. */
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { TestThread } from '../../../runtime/testing/hosts.ts';
import { hardwareAtomics } from '../../../wire/atomics.ts';
import { RingProducer } from '../../../wire/ring.ts';
import type { ActorError, Call } from '../../../workers/actors/actors.ts';
import { forgetGates, gate } from '../gates.ts';
import { Pair, type PairOptions, startPair } from './pair.ts';

/** What has begun, in order. */
const told: string[] = [];

class Desk {
  static interleave = ['peek'];
  readonly #key: string;

  constructor(key: string, _context: unknown) {
    this.#key = key;
  }

  stop(): void {
    told.push(`stop ${this.#key}`);
  }

  note(word: string): string {
    told.push(word);
    return word;
  }

  async wait(name: string): Promise<string> {
    told.push(name);
    await gate(name).promise;
    return name;
  }

  peek(): string {
    told.push('peek');
    return 'peek';
  }

  async aborted(call: Call): Promise<void> {
    told.push('running');
    await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    told.push('aborted');
  }

  async *count(to: number): AsyncGenerator<number> {
    try {
      for (let n = 0; n < to; n++) yield n;
    } finally {
      told.push('returned');
    }
  }

  async sum(items: AsyncIterable<number>): Promise<number> {
    let sum = 0;
    for await (const item of items) sum += item;
    return sum;
  }

  /** Tells what it reads, and what that ends with. */
  async reads(items: AsyncIterable<number>): Promise<void> {
    try {
      for await (const item of items) told.push(`read ${item}`);
    } catch (error) {
      told.push((error as { code: string }).code);
    }
  }

  async *bytes(lengths: readonly number[]): AsyncGenerator<Uint8Array> {
    const reused = Buffer.alloc(200_000);
    for (const length of lengths) {
      reused.fill(length & 0xff);
      // A part of memory that is written again at once.
      yield reused.subarray(100, 100 + length);
    }
  }

  large(bytes: number): string {
    return 'x'.repeat(bytes);
  }
}

test.beforeEach(() => {
  told.length = 0;
  forgetGates();
});

function startDesk(t: ExecutionContext, settings: object = {}, options: PairOptions = {}): Promise<Pair> {
  return startPair(t, { desk: { class: Desk, pool: 'state', settings } }, options);
}

/** Until calls of this caller to this key go directly. */
async function joined(pair: Pair, key = 'k', caller = 0): Promise<void> {
  const { direct } = pair.directory;
  const before = direct.tally.conversations;
  for (let tries = 0; direct.tally.conversations === before; tries++) {
    if (tries > 100) throw new Error('it does not join');
    await pair.handle<typeof Desk>('desk', caller).of(key).note(`join ${key}`);
    await pair.settle();
  }
  told.length = 0;
}

function host(pair: Pair): TestThread {
  return pair.hosts.get('state') as TestThread;
}

test.serial(
  'after so many calls those that follow go directly, and the reactor hears of none of them',
  async (t) => {
    const pair = await startDesk(t, {}, { afterCalls: 5 });
    const desk = pair.handle<typeof Desk>('desk').of('k');
    for (let n = 0; n < 4; n++) await desk.note('before');
    await pair.settle();
    t.is(pair.directory.direct.size, 0);
    await desk.note('the fifth');
    await pair.settle();
    t.is(pair.directory.direct.conversations, 1);
    const { received } = pair.turns;
    for (let n = 0; n < 500; n++) t.is(await desk.note(`${n}`), `${n}`);
    t.deepEqual((await Promise.all(Array.from({ length: 100 }, () => desk.peek()))).length, 100);
    t.is(pair.turns.received, received, 'messages that the reactor has received');
    pair.directory.direct.callBackAll();
    await pair.settle();
    t.is(pair.directory.direct.tally.calls, 600);
    t.is(pair.directory.actors[0]?.tally.accepted, 605);
  },
);

test.serial(
  'what is asked while a talk joins comes behind what was asked before, and before what follows',
  async (t) => {
    const pair = await startDesk(t);
    const desk = pair.handle<typeof Desk>('desk').of('k');
    // The first one holds the instance, so what joins waits behind the second.
    const all = [desk.wait('first'), desk.note('second')];
    for (let n = 0; n < 20; n++) all.push(desk.note(`${n}`));
    await pair.settle();
    const peeked = await desk.peek();
    t.is(peeked, 'peek', 'one that interleaves is not held');
    gate('first').resolve();
    await Promise.all(all);
    await pair.settle();
    t.is(pair.directory.direct.conversations, 1);
    t.deepEqual(told, ['first', 'peek', 'second', ...Array.from({ length: 20 }, (_, n) => `${n}`)]);
  },
);

for (const [what, other] of [
  ['a tell', (pair: Pair) => pair.handle<typeof Desk>('desk').of('k').tell.note('other')],
  [
    'a call with the option hard',
    (pair: Pair) => pair.handle<typeof Desk>('desk').of('k').note('other', { hard: true }),
  ],
  ['a call for each', (pair: Pair) => pair.handle<typeof Desk>('desk').each.note('other')],
] as const) {
  test.serial(`${what} goes by way of the reactor, behind what was asked directly before it`, async (t) => {
    const pair = await startDesk(t);
    await joined(pair);
    const desk = pair.handle<typeof Desk>('desk').of('k');
    const held = desk.wait('held');
    const before = [desk.note('1'), desk.note('2')];
    await pair.settle();
    t.is(pair.directory.openMessages, 0, 'they went directly');
    const between = other(pair);
    const after = desk.note('3');
    await pair.settle();
    gate('held').resolve();
    await Promise.all([held, ...before, between, after]);
    t.deepEqual(told, ['held', '1', '2', 'other', '3']);
  });
}

test.serial(
  'the mailbox is bounded over both ways together, and what is set aside is given back to who needs it',
  async (t) => {
    const pair = await startDesk(t, { mailboxMessages: 8 }, { callers: 2 });
    await joined(pair);
    pair.hold(host(pair));
    const desk = pair.handle<typeof Desk>('desk').of('k');
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 8 }, (_, n) => desk.note(`${n}`, { deadlineMs: 1 })),
      desk.note('over'),
      ...Array.from({ length: 3 }, async () => {
        await pair.settle();
        pair.clock.pass(1);
      }),
    ]);
    const codes = outcomes
      .slice(0, 9)
      .map((each) => (each.status === 'rejected' ? each.reason.code : each.value));
    t.deepEqual(codes, [
      ...Array.from({ length: 8 }, () => 'SLUICE_ACTOR_DEADLINE'),
      'SLUICE_ACTOR_OVERLOADED',
    ]);
    pair.release(host(pair));
    await pair.settle();
    t.deepEqual(told, [], 'none of them ran');

    await joined(pair);
    // Half of it is set aside, of which the other one knows nothing.
    pair.hold(host(pair));
    const other = pair.handle<typeof Desk>('desk', 1).of('k');
    for (let n = 0; n < 4; n++) await other.tell.note(`other ${n}`);
    await t.throwsAsync(other.tell.note('over'), { code: 'SLUICE_ACTOR_OVERLOADED' });
    await pair.settle();
    for (let n = 4; n < 8; n++) await other.tell.note(`other ${n}`);
    await t.throwsAsync(other.tell.note('over'), { code: 'SLUICE_ACTOR_OVERLOADED' });
    pair.release(host(pair));
    await pair.settle();
    t.deepEqual(
      told,
      Array.from({ length: 8 }, (_, n) => `other ${n}`),
    );
  },
);

test.serial('more in flight than is set aside goes by way of the reactor, in order', async (t) => {
  const pair = await startDesk(t, { mailboxMessages: 64 });
  await joined(pair);
  const desk = pair.handle<typeof Desk>('desk').of('k');
  const words = Array.from({ length: 60 }, (_, n) => `${n}`);
  await Promise.all(words.map((word) => desk.note(word)));
  t.deepEqual(told, words);
});

test.serial('a call whose deadline passes before it has begun rejects on time, and never runs', async (t) => {
  const pair = await startDesk(t);
  await joined(pair);
  const desk = pair.handle<typeof Desk>('desk').of('k');
  pair.hold(host(pair));
  const late = t.throwsAsync(desk.note('late', { deadlineMs: 10 }), { code: 'SLUICE_ACTOR_DEADLINE' });
  const given = t.throwsAsync(desk.note('given up', { signal: AbortSignal.abort() }), {
    code: 'SLUICE_ACTOR_ABORTED',
  });
  await given;
  pair.clock.pass(10);
  await late;
  pair.release(host(pair));
  t.is(await desk.note('next'), 'next');
  t.deepEqual(told, ['next']);
});

test.serial(
  'a call that is given up while it runs hears it, and its slot serves the next when it has answered',
  async (t) => {
    const pair = await startDesk(t);
    await joined(pair);
    const desk = pair.handle<typeof Desk>('desk').of('k');
    const controller = new AbortController();
    const running = t.throwsAsync(desk.aborted({ signal: controller.signal }), {
      code: 'SLUICE_ACTOR_ABORTED',
    });
    await pair.settle();
    controller.abort();
    await running;
    t.is(await desk.note('next'), 'next');
    t.deepEqual(told, ['running', 'aborted', 'next']);
    pair.directory.direct.callBackAll();
    await pair.settle();
    t.is(pair.directory.direct.conversations, 0);
  },
);

test.serial(
  'a thread that dies: what has begun fails with who and why, and what has not moves in order',
  async (t) => {
    const pair = await startDesk(t);
    await joined(pair);
    const desk = pair.handle<typeof Desk>('desk').of('k');
    const begun = desk.wait('begun').catch((error: ActorError) => error);
    const moved = ['1', '2', '3'].map((word) => desk.note(word));
    await pair.settle();
    t.deepEqual(told, ['begun']);
    const { received } = pair.turns;
    const dead = host(pair);
    await pair.start('state');
    dead.die();
    t.like(await begun, { code: 'SLUICE_ACTOR_DIED', begun: 'yes', by: 'actor' });
    t.deepEqual(await Promise.all(moved), ['1', '2', '3']);
    t.deepEqual(told, ['begun', '1', '2', '3']);
    t.true(pair.turns.received > received);
    await pair.settle();
    t.is(pair.directory.direct.size, 0);
    await joined(pair);
  },
);

test.serial('a caller that dies: what it has asked is given up, and the instance goes on', async (t) => {
  const pair = await startDesk(t, {}, { callers: 2 });
  await joined(pair);
  const desk = pair.handle<typeof Desk>('desk').of('k');
  desk.aborted().catch(() => undefined);
  desk.note('never').catch(() => undefined);
  await pair.settle();
  pair.callers[0]?.die();
  const other = pair.handle<typeof Desk>('desk', 1).of('k');
  t.is(await other.note('other'), 'other');
  t.deepEqual(told, ['running', 'aborted', 'other']);
  await pair.settle();
  const { channels } = pair.directory.direct;
  t.false([...channels].some(({ caller }) => caller.name === 'caller-0'));
});

test.serial('both threads of a channel die: nothing stays behind', async (t) => {
  const pair = await startDesk(t, {}, { callers: 2 });
  await joined(pair);
  pair
    .handle<typeof Desk>('desk')
    .of('k')
    .wait('begun')
    .catch(() => undefined);
  await pair.settle();
  const dead = host(pair);
  await pair.start('state');
  pair.callers[0]?.die();
  dead.die();
  await pair.settle();
  t.is(pair.directory.direct.size, 0);
  t.is(pair.directory.direct.conversations, 0);
  t.is(await pair.handle<typeof Desk>('desk', 1).of('k').note('anew'), 'anew');
});

test.serial(
  'a thread that leaves: its conversations are called back, its instances stop when they have ended what they have begun',
  async (t) => {
    const pair = await startDesk(t);
    await joined(pair);
    const desk = pair.handle<typeof Desk>('desk').of('k');
    const begun = desk.wait('begun');
    const moved = ['1', '2'].map((word) => desk.note(word));
    await pair.settle();
    const old = host(pair);
    await pair.start('state');
    const left = old.side.leave(() => undefined);
    await pair.settle();
    t.deepEqual(told, ['begun'], 'the instance has not ended what it has begun');
    gate('begun').resolve();
    t.deepEqual(await Promise.all([begun, ...moved]), ['begun', '1', '2']);
    await left;
    t.deepEqual(told, ['begun', 'stop k', '1', '2']);
    old.die();
  },
);

test.serial(
  'an instance without a message for idleMs stops, although its last ones came directly',
  async (t) => {
    const pair = await startDesk(t, { idleMs: 5_000 });
    await joined(pair);
    await pair.pass(4_000);
    await pair.handle<typeof Desk>('desk').of('k').note('used');
    await pair.pass(4_000);
    t.deepEqual(told, ['used']);
    await pair.pass(900);
    t.deepEqual(told, ['used']);
    await pair.pass(100);
    t.deepEqual(told, ['used', 'stop k']);
  },
);

test.serial(
  'an instance whose last call came directly stops with the second that idleMs ends in, and not a second later',
  async (t) => {
    const pair = await startDesk(t, { idleMs: 5_000 });
    await joined(pair);
    for (let second = 1; second < 5; second++) await pair.pass(1_000);
    t.deepEqual(told, []);
    await pair.pass(1_000);
    t.deepEqual(told, ['stop k']);
  },
);

test.serial(
  'an instance that was long idle when the reactor heard of it does not wait for those that are idle for less long',
  async (t) => {
    const pair = await startDesk(t, { idleMs: 5_000 });
    await joined(pair);
    await pair.pass(4_000);
    await pair.handle<typeof Desk>('desk').of('later').tell.note('later');
    await pair.settle();
    pair.directory.direct.callBackAll();
    await pair.settle();
    await pair.pass(1_000);
    t.deepEqual(told, ['later', 'stop k']);
    await pair.pass(3_000);
    t.deepEqual(told, ['later', 'stop k']);
    await pair.pass(1_000);
    t.deepEqual(told, ['later', 'stop k', 'stop later']);
  },
);

test.serial(
  'a server that stops waits for what goes directly, and takes nothing more that way',
  async (t) => {
    const pair = await startDesk(t);
    await joined(pair);
    const running = pair.handle<typeof Desk>('desk').of('k').wait('held');
    await pair.settle();
    let isDrained = false;
    const drained = pair.directory.drain().then(() => {
      isDrained = true;
    });
    await pair.settle();
    t.false(isDrained);
    gate('held').resolve();
    await running;
    await drained;
    t.is(pair.directory.direct.conversations, 0);
  },
);

test.serial(
  'streams and streamed inputs go directly, with credit, and a reader that leaves returns the generator',
  async (t) => {
    const pair = await startDesk(t, { streamItems: 4 });
    await joined(pair);
    const desk = pair.handle<typeof Desk>('desk').of('k');
    const { received } = pair.turns;
    const items: number[] = [];
    for await (const item of desk.count(100)) items.push(item);
    t.deepEqual(
      items,
      Array.from({ length: 100 }, (_, n) => n),
    );
    for await (const item of desk.count(1e9)) if (item === 10) break;
    async function* feed() {
      for (let n = 0; n < 50; n++) yield n;
    }
    t.is(await desk.sum(feed()), 1_225);
    t.is(pair.turns.received, received);
    t.deepEqual(told, ['returned', 'returned']);
  },
);

test.serial(
  'channels are as many as the configuration has: the one that was used least gives way, and calls go on',
  async (t) => {
    const pair = await startPair(
      t,
      { desk: { class: Desk, pool: 'state' }, rare: { class: Desk, pool: 'other' } },
      { maxChannels: 1 },
    );
    const desk = pair.handle<typeof Desk>('desk').of('k');
    const rare = pair.handle<typeof Desk>('rare').of('k');
    await rare.note('1');
    await pair.settle();
    t.is(pair.directory.direct.size, 1);
    await pair.pass(1_000);
    for (let n = 0; n < 300; n++) {
      t.is(await desk.note(`${n}`), `${n}`);
      if (n % 10 === 0) await pair.pass(10);
      t.true(pair.directory.direct.size <= 1);
    }
    await pair.settle();
    const [channel] = pair.directory.direct.channels;
    t.is(
      channel?.host.name,
      host(pair).side.contextOf(host(pair).side.states[0]?.settings as never, '', () => undefined).thread,
    );
    t.is(await rare.note('goes on'), 'goes on');
  },
);

test.serial(
  'talks are kept track of up to a bound: of more instances, those that are asked seldom are forgotten, and those that joined are not',
  async (t) => {
    const pair = await startDesk(t, {}, { afterCalls: 2 });
    const desk = pair.handle<typeof Desk>('desk');
    await joined(pair);
    const { tally } = pair.directory.direct;
    for (let n = 0; n < 1_100; n++) await desk.of(`${n}`).note('once');
    await pair.settle();
    t.is(tally.conversations, 1);
    const { received } = pair.turns;
    await desk.of('k').note('still direct');
    t.is(pair.turns.received, received);
    // Its first call is forgotten, so that it has one call more to make; that of the last one is not.
    await desk.of('0').note('again');
    await pair.settle();
    t.is(tally.conversations, 1);
    await desk.of('1099').note('again');
    await pair.settle();
    t.is(tally.conversations, 2);
  },
);

test.serial(
  'when as many talks as there may be are direct, what is asked of other instances goes by way of the reactor',
  async (t) => {
    const pair = await startDesk(t);
    const desk = pair.handle<typeof Desk>('desk');
    const { direct } = pair.directory;
    for (let n = 0; n < 1_024; n++) await desk.of(`${n}`).note('joins');
    await pair.settle();
    t.is(direct.conversations, 1_024);
    for (let n = 0; n < 3; n++) t.is(await desk.of('over').note('over'), 'over');
    await pair.settle();
    t.is(direct.conversations, 1_024);
    direct.callBackAll();
    await pair.settle();
    t.is(direct.conversations, 0);
    // The first talk makes room now.
    for (let n = 0; n < 2; n++) await desk.of('over').note('over');
    await pair.settle();
    t.is(direct.conversations, 1);
  },
);

class Knot {
  readonly #key: string;

  constructor(key: string, _context: unknown) {
    this.#key = key;
  }

  async round(pair: string): Promise<string> {
    const { hand } = knots.get(pair) as { hand: (key: string) => Promise<string> };
    return await hand(this.#key);
  }
}
const knots = new Map<string, { hand: (key: string) => Promise<string> }>();

test.serial('a circle of calls that begins over a direct channel is refused at once', async (t) => {
  const pair = await startPair(t, {
    knot: { class: Knot, pool: 'knots' },
    middle: { class: Knot, pool: 'middles' },
  });
  const knot = pair.handle<typeof Knot>('knot').of('k');
  const threads = pair.hosts;
  knots.set('through', {
    hand: (key) =>
      pair
        .handleIn<typeof Knot>(threads.get('knots') as TestThread, 'middle')
        .of(key)
        .round('back'),
  });
  knots.set('back', {
    hand: (key) =>
      pair
        .handleIn<typeof Knot>(threads.get('middles') as TestThread, 'knot')
        .of(key)
        .round('end'),
  });
  knots.set('end', { hand: async () => 'no circle' });
  for (let n = 0; pair.directory.direct.conversations === 0; n++) {
    await knot.round('end');
    await pair.settle();
    t.true(n < 10);
  }
  await t.throwsAsync(knot.round('through'), { code: 'SLUICE_ACTOR_CYCLE' });
  t.is(await knot.round('end'), 'no circle', 'and it answers');
});

test.serial(
  'what a thread has written wildly into a direct channel ends the channel and no thread; calls go on by way of the reactor',
  async (t) => {
    const pair = await startDesk(t);
    await joined(pair);
    const desk = pair.handle<typeof Desk>('desk').of('k');
    const begun = t.throwsAsync(desk.wait('begun'), { code: 'SLUICE_ACTOR_DIED' });
    await pair.settle();
    const [channel] = pair.directory.direct.channels;
    const moved = desk.note('moved');
    await pair.settle();
    // LEAVING, which is for the reactor.
    const ring = new RingProducer(channel?.memory.fromThread as SharedArrayBuffer, hardwareAtomics);
    const message = Buffer.from([0x92, 4, 0]);
    ring.bytes.set(message, ring.claim(message.length));
    ring.commit(message.length);
    ring.publish();
    pair.callers[0]?.side.requestTurn();
    await begun;
    gate('begun').resolve();
    t.is(await moved, 'moved');
    await pair.settle();
    t.deepEqual(pair.ended, []);
    t.is(await desk.note('next'), 'next');
    await setImmediate();
  },
);

test.serial(
  'replies that their caller does not read are bounded as those by way of the reactor',
  async (t) => {
    const pair = await startDesk(t, {
      mailboxMessages: 256,
      maxMessageBytes: 262_144,
      mailboxBytes: 2 ** 26,
      callerBytes: 2 ** 26,
    });
    await joined(pair);
    const desk = pair.handle<typeof Desk>('desk').of('k');
    const all = Array.from({ length: 100 }, () =>
      desk.large(262_000).catch((error: { code: string }) => error),
    );
    // They are sent, and then the caller reads nothing.
    pair.hold(pair.callers[0] as TestThread);
    await pair.settle();
    pair.release(pair.callers[0] as TestThread);
    const outcomes = await Promise.all(all);
    const dropped = outcomes.filter((outcome) => typeof outcome !== 'string');
    t.true(dropped.length > 0 && dropped.length < 100, `${dropped.length} dropped`);
    for (const error of dropped) t.like(error, { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'yes' });
  },
);

for (const [afterCalls, attempts] of [
  [4, [4, 8, 16, 32]],
  [40_000, [40_000, 65_536, 65_536]],
] as const) {
  test.serial(
    `after ${afterCalls} asks that get no channel the next attempts come after ${attempts.slice(1).join(', ')} more`,
    async (t) => {
      const pair = await startPair(
        t,
        { desk: { class: Desk, pool: 'state' }, rare: { class: Desk, pool: 'other' } },
        { maxChannels: 1, afterCalls },
      );
      // The only channel is taken, and was used too lately to make room.
      for await (const _ of pair.handle<typeof Desk>('rare').of('k').count(1)) break;
      await pair.settle();
      const { direct } = pair.directory;
      t.is(direct.size, 1);
      const desk = pair.handle<typeof Desk>('desk').of('k');
      const seen: number[] = [];
      const before = direct.tally.refused;
      for (let asked = 0, since = 0; seen.length < attempts.length; ) {
        // What waits is few enough not to be a reason itself.
        const batch = Math.min(100, (attempts[seen.length] as number) - since);
        await Promise.all(Array.from({ length: batch }, () => desk.peek()));
        asked += batch;
        since += batch;
        await pair.settle();
        if (direct.tally.refused === before + seen.length) {
          if (since > (attempts[seen.length] as number)) throw new Error(`none after ${asked} asks`);
          continue;
        }
        seen.push(since);
        since = 0;
      }
      t.deepEqual(seen, attempts);
      t.is(direct.tally.refused, before + attempts.length);
    },
  );
}

test.serial('a stream goes directly from its first item on, when nothing was asked before', async (t) => {
  const pair = await startDesk(t, {}, { afterCalls: 1_000 });
  const items: number[] = [];
  for await (const item of pair.handle<typeof Desk>('desk').of('k').count(50)) items.push(item);
  t.is(items.length, 50);
  pair.directory.direct.callBackAll();
  await pair.settle();
  t.is(pair.directory.direct.tally.calls, 1);
});

test.serial(
  'items that are bytes arrive as they were when they were given, whatever their length',
  async (t) => {
    const pair = await startDesk(t, { streamItems: 64 });
    const lengths = [0, 1, 255, 256, 4_095, 4_096, 4_097, 65_532, 65_533, 65_535, 65_536, 150_000];
    const desk = pair.handle<typeof Desk>('desk').of('k');
    let index = 0;
    for await (const item of desk.bytes(lengths)) {
      const length = lengths[index++] as number;
      t.is(item.constructor, Uint8Array);
      t.is(item.byteLength, length);
      t.true(item.every((byte) => byte === (length & 0xff)));
      t.is(item.buffer.byteLength, length, 'the memory is its own');
    }
    t.is(index, lengths.length);
  },
);

for (const [way, maxChannels] of [
  ['directly', 8],
  ['by way of the reactor', 0],
] as const) {
  test.serial(
    `a caller that gives ${way} and stops giving is cut by its deadline, and its iterator and the method hear of it`,
    async (t) => {
      const pair = await startDesk(t, {}, { maxChannels });
      if (maxChannels > 0) await joined(pair);
      let given = 0;
      const feed: AsyncIterator<number> & AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => feed,
        next: () => (given < 2 ? Promise.resolve({ value: ++given }) : new Promise<never>(() => undefined)),
        return: () => {
          told.push('returned');
          return Promise.resolve({ done: true, value: undefined });
        },
      };
      const reading = pair.handle<typeof Desk>('desk').of('k').reads(feed, { deadlineMs: 500 });
      const late = t.throwsAsync(reading, { code: 'SLUICE_ACTOR_DEADLINE' });
      await pair.settle();
      t.deepEqual(told, ['read 1', 'read 2']);
      await pair.pass(499);
      t.deepEqual(told, ['read 1', 'read 2']);
      await pair.pass(1);
      await late;
      t.deepEqual(told.slice(2).toSorted(), ['SLUICE_ACTOR_ABORTED', 'returned']);
      t.is(await pair.handle<typeof Desk>('desk').of('k').note('goes on'), 'goes on');
    },
  );
}

test.serial('bytes that are more than a message may have are refused with their path', async (t) => {
  const pair = await startDesk(t, { maxMessageBytes: 10_000, mailboxBytes: 10_000 });
  const read = async () => {
    for await (const item of pair.handle<typeof Desk>('desk').of('k').bytes([9_000, 10_001]))
      t.is(item.length, 9_000);
  };
  await t.throwsAsync(read(), { code: 'SLUICE_MESSAGE_TOO_LARGE', message: /item/ });
});

test.serial('a client that was made before anybody knew the methods has them all the same', async (t) => {
  const pair = new Pair({ desk: { class: Desk, pool: 'state' } }, {});
  t.teardown(() => pair.close());
  const early = pair.handle<typeof Desk>('desk').of('k');
  await pair.start('state');
  await pair.settle();
  t.is(await early.note('early'), 'early');
  t.throws(() => (early as unknown as { missing(): void }).missing(), {
    code: 'SLUICE_ACTOR_METHOD_UNKNOWN',
  });
});
