/** Limits of actors that are the configuration's: each is reached, by its default or by what the configuration says. */
import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import * as v from 'valibot';
import type { Mailbox } from '../../runtime/actors/mailbox.ts';
import { limitsSection } from '../../runtime/config/limits-schema.ts';
import { testActors } from '../../runtime/testing/actors.ts';
import { actor } from '../../workers/actors/actors.ts';
import { Signals } from '../server/signals.ts';
import { type ActorServer, actors, startActorServer } from './actor-server.ts';
import { startPair } from './direct/pair.ts';

function signalsOf(t: ExecutionContext): Signals {
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  return signals;
}

function givenOf({ server }: ActorServer, name: string): number[] {
  const status = server.status().actors.find((each) => each.name === name);
  return (status?.threads ?? []).map(({ given }) => given).filter((given) => given > 0);
}

/** Until the reactor has so many messages for the actor. */
async function accepted({ server, ask }: ActorServer, name: string, messages: number): Promise<void> {
  const now = () => server.status().actors.find((each) => each.name === name)?.messages ?? 0;
  while (now() < messages) await ask({ actor: 'relay', method: 'nothing' });
}

test('actorCallsPerThread: a thread is given so many calls, and the rest when those have ended', async (t) => {
  const started = await startActorServer(t, { tasks: 1, pool: { actorCallsPerThread: 3 } });
  const signals = signalsOf(t);
  const begun = signals.until('begun', 3);
  const hold = { actor: 'tasks', method: 'hold', args: [signals.name, 'go'] };
  const all = started.ask(hold, hold, hold, hold, hold);
  await begun;
  await accepted(started, 'tasks', 5);
  t.deepEqual(givenOf(started, 'tasks'), [3]);
  t.is(signals.heard('begun'), 3);
  const rest = signals.until('begun', 5);
  signals.tell('go');
  await rest;
  signals.tell('go');
  t.is((await all).filter(({ value }) => value === 'tasks-1').length, 5);
});

for (const [ahead, given] of [
  [undefined, 33],
  [2, 3],
  [0, 1],
] as const) {
  test(`aheadMessages ${ahead ?? 'by default'}: an instance is given ${given} calls, the one that it runs included`, async (t) => {
    const counter = { ...actors.counter, ...(ahead !== undefined && { aheadMessages: ahead }) } as never;
    // It bounds what the reactor gives; what bounds direct calls has its tests below.
    const rest = { limits: { directChannels: { max: 0 } } };
    const started = await startActorServer(t, { actors: { ...actors, counter }, state: 1, rest });
    const signals = signalsOf(t);
    const begun = signals.until('go-begun');
    const hold = { actor: 'counter', key: 'k', method: 'hold', args: [signals.name, 'go'] };
    const add = { actor: 'counter', key: 'k', method: 'add', args: [1] };
    const all = started.ask(hold, ...Array.from({ length: 40 }, () => add));
    await begun;
    await accepted(started, 'counter', 41);
    t.deepEqual(givenOf(started, 'counter'), [given]);
    signals.tell('go');
    const outcomes = await all;
    t.deepEqual(
      outcomes.slice(1).map(({ value }) => value),
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
  });
}

/** Of the counter's key that the tests ask. */
function mailboxOf({ server }: ActorServer): Mailbox | undefined {
  const counter = server.parts.actors?.actors.find(({ settings }) => settings.name === 'counter');
  return counter?.mailboxes.get('k');
}

/** Until the reactor has received what the caller has sent to it before: a tell always goes its way. */
async function received({ ask }: ActorServer): Promise<void> {
  await ask({ actor: 'relay', method: 'nothing', tell: true });
}

const add = { actor: 'counter', key: 'k', method: 'add', args: [1] };

/** Until the caller has a direct channel to the counter. */
async function isDirect(started: ActorServer): Promise<void> {
  await started.ask(add);
  while (mailboxOf(started)?.conversations !== 1) await received(started);
}

for (const [what, settings, pool, most] of [
  ['half of the room of its mailbox', { mailboxMessages: 16 }, {}, 8],
  ['actorCallsPerThread', {}, { actorCallsPerThread: 3 }, 3],
] as const) {
  test(`${what}: an instance is given ${most} calls directly, whatever aheadMessages says, and one more ends the conversation`, async (t) => {
    const started = await startActorServer(t, {
      actors: { ...actors, counter: { ...actors.counter, ...settings, aheadMessages: 0 } as never },
      callers: 1,
      state: 1,
      pool,
      rest: { limits: { directChannels: { afterCalls: 1 } } },
    });
    const signals = signalsOf(t);
    await isDirect(started);
    const begun = signals.until('go-begun');
    const hold = { actor: 'counter', key: 'k', method: 'hold', args: [signals.name, 'go'] };
    const all = started.ask(hold, ...Array.from({ length: most - 1 }, () => add));
    await begun;
    await received(started);
    t.like(mailboxOf(started), { conversations: 1, messages: 0 });
    const over = started.ask(add);
    // What has begun stays where it is, and all that waits is the reactor's.
    await accepted(started, 'counter', most);
    t.like(mailboxOf(started), { conversations: 1, asideMessages: 1, messages: most });
    t.deepEqual(givenOf(started, 'counter'), [1]);
    signals.tell('go');
    const outcomes = [...(await all).slice(1), ...(await over)];
    t.deepEqual(
      outcomes.map(({ value }) => value),
      Array.from({ length: most }, (_, index) => index + 2),
    );
  });
}

for (const [afterCalls, calls] of [
  [undefined, 32],
  [3, 3],
] as const) {
  test(`directChannels.afterCalls ${afterCalls ?? 'by default'}: after ${calls} calls those that follow go directly, and none before`, async (t) => {
    const started = await startActorServer(t, {
      callers: 1,
      state: 1,
      rest: { limits: { directChannels: afterCalls === undefined ? {} : { afterCalls } } },
    });
    for (let n = 1; n < calls; n++) await started.ask(add);
    await received(started);
    t.is(mailboxOf(started)?.conversations, 0);
    await isDirect(started);
    t.deepEqual(await started.ask(add), [{ value: calls + 1 }]);
    t.deepEqual(started.server.status().directChannels, {
      channels: 1,
      max: 32,
      conversations: 1,
      made: 1,
      begun: 1,
      refused: 0,
      calls: 0,
    });
    t.is(started.server.status().actors.find(({ name }) => name === 'counter')?.accepted, calls);
  });
}

for (const [max, most] of [
  [undefined, 32],
  [2, 2],
  [0, 0],
] as const) {
  test.serial(
    `directChannels.max ${max ?? 'by default'}: there are ${most} channels, and who finds none goes by way of the reactor`,
    async (t) => {
      const { directChannels } = v.parse(limitsSection, {
        directChannels: max === undefined ? {} : { max },
      });
      const callers = most + 1;
      const pair = await startPair(
        t,
        { mute: { class: Mute, pool: 'state', settings: { kind: 'single' } } },
        { callers, maxChannels: directChannels.max },
      );
      const { direct } = pair.directory;
      for (let caller = 0; caller < callers; caller++) {
        for (let n = 0; n < 3; n++) await pair.handle<typeof Mute>('mute', caller).take('text');
        await pair.settle();
        t.is(direct.size, Math.min(caller + 1, most));
      }
      t.is(direct.tally.refused > 0, most > 0, `${direct.tally.refused} refused`);
    },
  );
}

/** So that rings of 64 KiB hold any message. */
const small = Object.fromEntries(
  Object.entries(actors).map(([name, settings]) => [name, { ...settings, maxMessageBytes: 20_000 }]),
);

for (const [bytes, lost] of [
  [undefined, false],
  [20_000, true],
] as const) {
  test(`actorBacklogBytes ${bytes ?? 'by default'}: answers for a thread that does not read ${lost ? 'are dropped beyond it, and told so' : 'wait'}`, async (t) => {
    const { ask, server } = await startActorServer(t, {
      actors: small,
      callers: 2,
      tasks: 1,
      pool: { ringBytes: 65_536, ...(bytes !== undefined && { actorBacklogBytes: bytes }) },
      rest: { http2: { maxFieldListBytes: 1_024 }, http1: { maxHeaderBytes: 1_024 } },
    });
    const signals = signalsOf(t);
    const blocked = signals.until('on-begun');
    const hold = { actor: 'counter', key: 'k', method: 'hold', args: [signals.name, 'go'] };
    const begun = signals.until('go-begun');
    const held = ask(hold);
    await begun;
    const sized = { actor: 'tasks', method: 'sizedAfter', args: ['k', 10_000] };
    const all = ask(...Array.from({ length: 15 }, () => sized), {
      actor: 'tasks',
      method: 'echo',
      args: [1],
      blockOn: [signals.name, 'on'],
    });
    await blocked;
    // The answers are made when the thread that waits for them computes.
    signals.tell('go');
    // All have been answered, as the thread of the tasks counts it, and what it says next comes behind.
    const ended = () => server.status().actors.find(({ name }) => name === 'tasks')?.total.ended ?? 0;
    while (ended() < 16) await ask({ actor: 'counter', key: 'other', method: 'where' });
    await ask({ actor: 'tasks', method: 'carried' });
    signals.tell('on');
    await held;
    const outcomes = (await all).slice(0, 15);
    const dropped = outcomes.filter(({ error }) => error !== undefined);
    for (const { error } of dropped) {
      t.like(error, { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'yes', retryable: false });
      t.regex(error?.message ?? '', /the reply was dropped/);
    }
    t.is(dropped.length > 0, lost, `${dropped.length} dropped`);
    for (const { value } of outcomes) t.true(value === undefined || (value as string).length === 10_000);
  });
}

class Mute {
  take(_text: string): void {}
}

test.serial(
  'mailboxBytes: what is more than the mailbox holds is refused, and there is room when it has been handled',
  async (t) => {
    const mailbox = { mailboxBytes: 1_000, maxMessageBytes: 600 };
    const started = await testActors({ mute: { class: Mute, kind: 'single', ...mailbox } });
    t.teardown(() => started.close());
    const release = started.stall('mute');
    const { tell } = started.actors.mute;
    await tell.take('x'.repeat(500));
    const refused = await t.throwsAsync(tell.take('x'.repeat(500)), { code: 'SLUICE_ACTOR_OVERLOADED' });
    t.like(refused, { begun: 'no', retryable: true });
    t.regex(refused?.message ?? '', /1000 bytes in the mailbox/);
    await tell.take('x'.repeat(400));
    release();
    await started.settled();
    await t.notThrowsAsync(tell.take('x'.repeat(500)));
  },
);

test.serial(
  'callerMessages: calls that were given up, and wait for room in the ring with their cancellations, count as well',
  async (t) => {
    const large = { maxMessageBytes: 400_000, callerBytes: 2 ** 26, mailboxBytes: 2 ** 26 };
    const started = await testActors({ mute: { class: Mute, kind: 'single', callerMessages: 4, ...large } });
    t.teardown(() => started.close());
    // The ring holds two of them, and nobody reads it meanwhile.
    const text = 'x'.repeat(390_000);
    const errors: Promise<{ code: string; message: string }>[] = [];
    for (let n = 0; n < 20; n++) {
      const controller = new AbortController();
      const call = started.actors.mute.take(text, { signal: controller.signal });
      errors.push(
        call.then(
          () => t.fail(),
          (error) => error,
        ) as (typeof errors)[number],
      );
      controller.abort();
    }
    const all = await Promise.all(errors);
    const refused = all.filter(({ code }) => code === 'SLUICE_ACTOR_OVERLOADED');
    t.is(refused.length, 13, 'after two that the ring holds, and five that wait, each with its cancellation');
    for (const { message } of refused) t.regex(message, /expected at most a full ring/);
    await started.settled();
    await t.notThrowsAsync(started.actors.mute.take(text));
  },
);

class Deep {
  async down(n: number): Promise<number> {
    return n === 0 ? 0 : 1 + (await actor<typeof Deep>('deep').down(n - 1));
  }
}

for (const [maxCallDepth, depth] of [
  [undefined, 64],
  [5, 5],
] as const) {
  test.serial(
    `maxCallDepth ${maxCallDepth ?? 'by default'}: calls lie ${depth} deep, and no deeper`,
    async (t) => {
      const started = await testActors({
        deep: {
          class: Deep,
          kind: 'pool',
          concurrency: 100,
          ...(maxCallDepth !== undefined && { maxCallDepth }),
        },
      });
      t.teardown(() => started.close());
      t.is(await started.actors.deep.down(depth - 1), depth - 1);
      await t.throwsAsync(started.actors.deep.down(depth), {
        code: 'SLUICE_ACTOR_CYCLE',
        message: new RegExp(`expected at most ${depth} calls within calls`),
      });
    },
  );
}

class Named {
  readonly #key: string;
  constructor(key: string, _context: unknown) {
    this.#key = key;
  }
  length(): number {
    return this.#key.length;
  }
}

for (const [maxKeyChars, most] of [
  [undefined, 512],
  [8_192, 8_192],
  [3, 3],
] as const) {
  test.serial(
    `maxKeyChars ${maxKeyChars ?? 'by default'}: a key has ${most} characters, and no more`,
    async (t) => {
      const started = await testActors({
        named: { class: Named, kind: 'keyed', ...(maxKeyChars !== undefined && { maxKeyChars }) },
      });
      t.teardown(() => started.close());
      // Of three bytes each.
      t.is(await started.actors.named.of('\u20ac'.repeat(most)).length(), most);
      t.throws(() => started.actors.named.of('k'.repeat(most + 1)), {
        code: 'SLUICE_ACTOR_KEY_INVALID',
        message: new RegExp(`at most ${most} characters, got one of ${most + 1}`),
      });
    },
  );
}

/** So many objects within each other. */
function nested(depth: number): object {
  let value: object = {};
  for (let n = 1; n < depth; n++) value = { a: value };
  return value;
}

/** One object, met so often after the first time. */
function repeated(times: number): object[] {
  const one = {};
  return Array.from({ length: times + 1 }, () => one);
}

const shapes = { nested, repeated };

class Shapes {
  takes(_value: object): void {}

  gives(shape: keyof typeof shapes, size: number): object {
    return shapes[shape](size);
  }

  async *streams(shape: keyof typeof shapes, size: number): AsyncGenerator<object> {
    yield shapes[shape](size);
  }

  async reads(values: AsyncIterable<object>): Promise<number> {
    let count = 0;
    for await (const _ of values) count++;
    return count;
  }
}

for (const [setting, shape, given, most, says] of [
  ['maxMessageDepth', 'nested', undefined, 64, /more than 64 objects within each other/],
  ['maxMessageDepth', 'nested', 8, 8, /more than 8 objects within each other/],
  ['maxSharedReferences', 'repeated', undefined, 10_000, /more than 10000 references/],
  ['maxSharedReferences', 'repeated', 3, 3, /more than 3 references/],
] as const) {
  const limit = given === undefined ? {} : { [setting]: given };
  const make = shapes[shape];

  test.serial(
    `${setting} ${given ?? 'by default'} of an actor: arguments, replies, items and inputs have ${most}, and no more`,
    async (t) => {
      const pair = await startPair(t, {
        shapes: { class: Shapes, pool: 'state', settings: { kind: 'pool', ...limit } },
      });
      const calls = pair.handle<typeof Shapes>('shapes');
      // The list of the arguments is an object of the message as well.
      const mostOfArguments = shape === 'nested' ? most - 1 : most;
      const first = async (size: number) => {
        for await (const item of calls.streams(shape, size)) return item;
        return null;
      };
      async function* feed(size: number) {
        yield make(size);
      }
      await calls.takes(make(mostOfArguments));
      t.deepEqual(await calls.gives(shape, most), make(most));
      t.deepEqual(await first(most), make(most));
      t.is(await calls.reads(feed(most)), 1);
      for (const [refused, by, path] of [
        [calls.takes(make(mostOfArguments + 1)), 'caller', /arguments\[0\]/],
        [calls.gives(shape, most + 1), 'actor', /result[[.]/],
        [first(most + 1), 'actor', /item[[.]/],
        [calls.reads(feed(most + 1)), 'caller', /arguments\[0\] item[[.]/],
      ] as const) {
        const error = await t.throwsAsync<Error & { by: string }>(refused as Promise<unknown>, {
          code: 'SLUICE_MESSAGE_INVALID',
          message: says,
        });
        t.regex(error?.message ?? '', path);
        t.is(error?.by, by);
      }
      t.is(await calls.reads(feed(1)), 1);
    },
  );

  test.serial(`topics.${setting} ${given ?? 'by default'}: a message has ${most}, and no more`, async (t) => {
    const pair = await startPair(t, {}, { topics: limit });
    const { topics } = (pair.callers[0] as (typeof pair.callers)[number]).side;
    const subscription = topics.subscribe('shapes', 10, 'close');
    await subscription.ready;
    const error = await t.throwsAsync(topics.publish('shapes', make(most + 1)), {
      code: 'SLUICE_MESSAGE_INVALID',
      message: says,
    });
    t.regex(error?.message ?? '', /^shapes: message[[.]/);
    await topics.publish('shapes', make(most));
    t.deepEqual(await subscription.next(), { done: false, value: make(most) });
  });
}
