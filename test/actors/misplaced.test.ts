/** A thread that is given what no thread encodes, as a call or as its end, refuses it and goes on. */
import test, { type ExecutionContext } from 'ava';
import type { ActorLink } from '../../runtime/actors/link.ts';
import type { TestThread } from '../../runtime/testing/hosts.ts';
import { CallFlag, How } from '../../wire/actors/messages.ts';
import { clockMilliseconds } from '../../wire/clock.ts';
import { PayloadEncoder } from '../../wire/payload/encoder.ts';
import { carry } from '../../workers/actors/actors.ts';
import { type Pair, startPair } from './direct/pair.ts';

class Desk {
  // biome-ignore lint/complexity/noUselessConstructor: a key makes it a keyed actor
  constructor(_key: string, _context: unknown) {}

  note(text: string): string {
    return text;
  }
}

const LIMITS = { maxBytes: 65_536, maxDepth: 16, maxReferences: 16, maxErrorChars: 100 };

function encoded(value: unknown): Buffer {
  const encoder = new PayloadEncoder();
  encoder.encode(value, 'test', LIMITS);
  return Buffer.from(encoder.bytes.subarray(0, encoder.length));
}

function startDesk(t: ExecutionContext): Promise<Pair> {
  return startPair(t, { desk: { class: Desk, pool: 'state' } }, { maxChannels: 0 });
}

function linkOf(pair: Pair, pool: string): ActorLink {
  return [...pair.directory.links].find((link) => link.pool === pool) as ActorLink;
}

/** Has the caller's thread send a call with this payload, and waits for its end. */
async function outcomeOf(pair: Pair, flags: number, payload: Buffer): Promise<unknown> {
  const { side } = pair.callers[0] as TestThread;
  const link = linkOf(pair, 'callers');
  const ends: unknown[] = [];
  const { result } = link;
  link.result = (id, how, bytes, start, end) => {
    ends.push([how, Buffer.from(bytes.subarray(start, end)).toString('latin1')]);
    result.call(link, id, how, bytes, start, end);
  };
  side.send(payload, payload.length, (end, bytes) =>
    end.sendCall(900_000, 0, flags, (clockMilliseconds() + 1_000) >>> 0, 0, 0, 'k', bytes, payload.length),
  );
  await pair.settle();
  link.result = result;
  return ends;
}

for (const [what, flags, payload] of [
  ['no list', 0, 1],
  ['nothing', 0, []],
  ['a name that is no text', 0, ['text', { toString: 1 }]],
  ['stores that are none', CallFlag.Carries, ['text', null, 'note']],
  ['places that are no list', CallFlag.Inputs, ['text', 7, 'note']],
  ['a place beyond the arguments', CallFlag.Inputs, ['text', [1], 'note']],
  ['a place that is no number', CallFlag.Inputs, ['text', ['length'], 'note']],
  ['a place twice', CallFlag.Inputs, ['text', [0, 0], 'note']],
  ['a place below the first', CallFlag.Inputs, ['text', [-1], 'note']],
] as const) {
  test.serial(`a call with ${what} is refused, and its thread goes on`, async (t) => {
    const pair = await startDesk(t);
    const [end, ...others] = (await outcomeOf(pair, flags, encoded(payload))) as [number, string][];
    t.is(others.length, 0);
    t.is(end?.[0], How.Failed);
    t.regex(end?.[1] ?? '', /SLUICE_MESSAGE_INVALID.*payload: expected/);
    t.is(await pair.handle<typeof Desk>('desk').of('k').note('after'), 'after');
  });
}

test.serial('a call with a name longer than any error is refused, and its thread goes on', async (t) => {
  const pair = await startDesk(t);
  const [end] = (await outcomeOf(pair, 0, encoded(['x'.repeat(65_000)]))) as [number, string][];
  t.is(end?.[0], How.Failed);
  t.regex(end?.[1] ?? '', /SLUICE_ACTOR_METHOD_UNKNOWN.*expected one of note, got xxx/);
  t.is(await pair.handle<typeof Desk>('desk').of('k').note('after'), 'after');
});

for (const [what, payload] of [
  ['nothing', undefined],
  ['null', null],
  ['a number', 7],
  ['texts that are none', { code: { toString: 1 }, message: { toString: 1 }, begun: 'no' }],
] as const) {
  test.serial(`a failure that is ${what} rejects its call, and the caller goes on`, async (t) => {
    const pair = await startDesk(t);
    const link = linkOf(pair, 'callers');
    const { result } = link;
    link.result = (id, _how, _bytes, _start, _end) => {
      const wrong = encoded(payload);
      result.call(link, id, How.Failed, wrong, 0, wrong.length);
    };
    const desk = pair.handle<typeof Desk>('desk').of('k');
    await t.throwsAsync(desk.note('wrong'), { code: 'SLUICE_MESSAGE_INVALID', message: /desk|note/ });
    link.result = result;
    t.is(await desk.note('after'), 'after');
  });
}

test.serial('a store that cannot be entered fails its call, and the thread goes on', async (t) => {
  let isOn = true;
  carry('misplaced', {
    getStore: () => (isOn ? 'anything' : undefined),
    run: () => {
      throw new RangeError('not this store');
    },
  });
  t.teardown(() => {
    isOn = false;
  });
  const pair = await startDesk(t);
  const desk = pair.handle<typeof Desk>('desk').of('k');
  await t.throwsAsync(desk.note('with it'), { name: 'RangeError', message: 'not this store' });
  isOn = false;
  t.is(await desk.note('without'), 'without');
});
