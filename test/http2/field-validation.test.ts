/**
 * What is remembered of valid values changes no answer. All connections of the process share it, so a second
 * instance of the module, which is made to forget before each head, says what the answer must be.
 */
// Inside a property `assert` is used, not `t`: ava reports its own failures before fast-check can print the seed.
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import * as remembering from '../../runtime/http2/field-validation.ts';
import { Http2Stream } from '../../runtime/http2/stream.ts';

type Validation = typeof remembering;

const other = new URL('../../runtime/http2/field-validation.ts?forgetting', import.meta.url);
const forgetting = (await import(other.href)) as Validation;

const NAMES = [
  ...['accept', 'user-agent', 'priority', 'content-length', 'host', 'te', 'referer', 'x-request-id'],
  ...['cookie', 'authorization', 'proxy-authorization', 'connection', 'x-unknown', 'X-Upper', ''],
];
/** Of the names that have a memory. Each is valid in trailers, so it takes the place of whatever was there. */
const REMEMBERED = ['accept', 'user-agent', 'priority', 'content-length', 'host', 'referer', 'x-request-id'];
const VALUES = [
  ...['a', 'b', '', '5', '0', '05', 'example.test', 'other.test', 'u=1, i', 'trailers', 'é', 'a b', 'a\tb'],
  ...['a\r\nb: c', 'a\nb', 'a\0', ' a', 'a ', '\ta', '\x7f', '\x1b', 'user@example.test', 'example.test/'],
];
interface Section {
  readonly isTrailers: boolean;
  /** Null: absent. */
  readonly authority: string | null;
  readonly lines: readonly string[];
}

const name = fc.constantFrom(...NAMES);
const value = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...VALUES) }, fc.string({ maxLength: 4 }));
const lines = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((pairs) => pairs.flat());
const section: fc.Arbitrary<Section> = fc.record({
  isTrailers: fc.boolean(),
  authority: fc.constantFrom('example.test', 'other.test', 'user@example.test', 'a b', '', null),
  lines,
});

const NO_ROOM = { roomFor: () => 0 };
const FORGOTTEN = 'no test sends this';
const FORGETTING = REMEMBERED.flatMap((each) => [each, FORGOTTEN]);

function forget(validation: Validation): void {
  assert.equal(validation.judgeTrailers(FORGETTING), null);
  const head = { isTrailers: false, authority: 'forgotten.invalid', lines: [] };
  assert.equal((answer(validation, head) as { verdict: unknown }).verdict, null);
}

function answer(validation: Validation, { isTrailers, authority, lines: list }: Section): unknown {
  if (isTrailers) return { verdict: validation.judgeTrailers(list) };
  const head = [':method', 'GET', ':scheme', 'http', ':path', '/', ...list];
  if (authority !== null) head.unshift(':authority', authority);
  const stream = new Http2Stream(1, 65_535, NO_ROOM);
  const judged = new validation.JudgedFields();
  const verdict = validation.readRequestHead(head, stream, false, judged, false);
  const { fields, authority: read, contentLength, priorityField } = stream;
  return { verdict, fields, read, contentLength, priorityField, judged: { ...judged } };
}

test('property: what is remembered of valid values changes no answer, for any sequence of heads and trailers', (t) => {
  let valid = 0;
  fc.assert(
    fc.property(fc.array(section, { minLength: 1, maxLength: 12 }), (sections) => {
      for (const each of sections) {
        forget(forgetting);
        const expected = answer(forgetting, each);
        assert.deepEqual(answer(remembering, each), expected);
        if ((expected as { verdict: unknown }).verdict === null) valid++;
      }
    }),
    { numRuns: 400 },
  );
  t.true(valid > 100, 'some were valid');
});
