import test from 'ava';
import fc from 'fast-check';
import { HostError } from '../../workers/exchange/errors.ts';
import { RequestBody } from '../../workers/exchange/request-body.ts';

const bytes = (text: string) => Buffer.from(text);
const text = (piece: Uint8Array | undefined) => Buffer.from(piece ?? []).toString();

/** A body with a window of ten bytes, and the credit that it gave. */
function body(ended = false) {
  const credits: [granted: number, consumed: number][] = [];
  const made = new RequestBody(
    { credit: (granted, consumed) => credits.push([granted, consumed]) },
    10,
    ended,
  );
  return { body: made, credits };
}

test('nothing is granted until the first pull, then one window', (t) => {
  const { body: requested, credits } = body();
  const pieces = requested[Symbol.asyncIterator]();
  t.deepEqual(credits, []);
  void pieces.next();
  t.deepEqual(credits, [[10, 0]]);
});

test('a piece is consumed when the next one is asked for', async (t) => {
  const { body: requested, credits } = body();
  const first = requested.next();
  requested.push(bytes('abc'));
  requested.push(bytes('de'));
  t.is(text((await first).value), 'abc');
  t.deepEqual(credits, [[10, 0]]);
  t.is(text((await requested.next()).value), 'de');
  t.deepEqual(credits, [
    [10, 0],
    [3, 3],
  ]);
  requested.end();
  t.deepEqual(await requested.next(), { value: undefined, done: true });
  t.deepEqual(credits.at(-1), [2, 2]);
  t.deepEqual(await requested.next(), { value: undefined, done: true });
  t.is(credits.length, 3, 'the end consumes nothing');
});

test('a body that was empty from the start ends at once and grants nothing', async (t) => {
  const { body: requested, credits } = body(true);
  t.is(await requested.text(), '');
  t.deepEqual(credits, []);
});

test('the end wakes a reader that waits', async (t) => {
  const { body: requested } = body();
  const pull = requested.next();
  requested.end();
  t.true((await pull).done);
});

test('a cut rejects the reader that waits, and every later pull', async (t) => {
  const { body: requested } = body();
  const pull = requested.next();
  const error = new Error('cut');
  requested.cut(error);
  requested.push(bytes('late'));
  requested.end();
  t.is(await t.throwsAsync(pull), error);
  t.is(await t.throwsAsync(requested.next()), error);
});

test('a cut drops what was not read, but a body read to its end stays whole', async (t) => {
  const unread = body().body;
  unread.push(bytes('abc'));
  unread.end();
  unread.cut(new Error('cut'));
  await t.throwsAsync(unread.next(), { message: 'cut' });

  const read = body().body;
  read.push(bytes('abc'));
  read.end();
  await read.next();
  read.cut(new Error('cut'));
  t.true((await read.next()).done);
});

test('leaving a loop early grants nothing more', async (t) => {
  const { body: requested, credits } = body();
  requested.push(bytes('abc'));
  for await (const piece of requested) {
    t.is(text(piece), 'abc');
    break;
  }
  t.deepEqual(credits, [[10, 0]]);
});

test('a second reading and a second pull at a time are errors', async (t) => {
  const used = { instanceOf: HostError, code: 'SLUICE_BODY_USED' };
  const { body: requested } = body();
  const pieces = requested[Symbol.asyncIterator]();
  void pieces.next();
  await t.throwsAsync(async () => pieces.next(), used);
  t.throws(() => requested[Symbol.asyncIterator](), used);
  await t.throwsAsync(requested.bytes(), used);
});

test('bytes and text gather the whole body', async (t) => {
  const first = body().body;
  const gathered = first.bytes();
  for (const piece of ['ab', 'c', 'def']) first.push(bytes(piece));
  first.end();
  t.is(text(await gathered), 'abcdef');
  const second = body().body;
  second.push(bytes('grü').subarray(0, 3));
  second.push(bytes('grü').subarray(3));
  second.end();
  t.is(await second.text(), 'grü', 'characters that fall on a border of pieces');
});

test('a body over the limit is refused while it arrives, one at the limit is not', async (t) => {
  const endless = body().body;
  const gathered = endless.bytes(5);
  endless.push(bytes('abc'));
  endless.push(bytes('def'));
  await t.throwsAsync(gathered, { instanceOf: HostError, code: 'SLUICE_BODY_TOO_LARGE' });
  const fitting = body().body;
  fitting.push(bytes('abcde'));
  fitting.end();
  t.is(text(await fitting.bytes(5)), 'abcde');
});

test('the default limit of bytes and text is 1 MiB', async (t) => {
  const { body: requested } = body();
  const gathered = requested.text();
  requested.push(Buffer.alloc(2 ** 20, 'x'));
  requested.push(bytes('y'));
  await t.throwsAsync(gathered, { code: 'SLUICE_BODY_TOO_LARGE' });
});

test('property: what a reader that reads to the end grants is one window and every byte but the last piece', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 9 })),
      fc.array(fc.boolean()),
      async (sizes, pulls) => {
        const { body: requested, credits } = body();
        const arrived: number[] = [];
        const read = (async () => {
          for await (const piece of requested) arrived.push(piece.length);
        })();
        for (let i = 0; i < sizes.length; i++) {
          requested.push(Buffer.alloc(sizes[i] as number));
          if (pulls[i] === true) await null;
        }
        requested.end();
        await read;
        const total = sizes.reduce((sum, size) => sum + size, 0);
        t.deepEqual(arrived, sizes);
        t.is(
          credits.reduce((sum, [, consumed]) => sum + consumed, 0),
          total,
        );
        t.is(
          credits.reduce((sum, [granted]) => sum + granted, 0),
          total + 10,
        );
      },
    ),
  );
});
