/** What is remembered of field objects and lists that are frozen changes no answer, whatever was sent before. */
// Inside a property `assert` is used, not `t`: ava reports its own failures before fast-check can print the seed.
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { FlatFields } from '../../workers/fields/flat.ts';
import { contentLengthOf, flatten, flattenTrailers, withContentLength } from '../../workers/fields/sent.ts';
import type { FieldsInit } from '../../workers/gateway.ts';

type Plain = { [name: string]: unknown };

/** How often a use found what an earlier one had left. */
let remembered = 0;

const NAMES = ['x', 'X', 'set-cookie', 'content-length', 'Content-Type', 'date', 'connection', 'a b', 'é'];
const one = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('1', '5', 'text/plain', '', 'é', 5, 7.5, '05', 'x'.repeat(20)) },
  fc.constantFrom(' 1', 'a\r\nb: c', Number.NaN, null, undefined, '9'.repeat(16)),
  fc.record({ value: fc.constantFrom('s', 's\0', 3), indexing: fc.constantFrom('never', 'prefer', 'other') }),
);
const value: fc.Arbitrary<unknown> = fc.oneof({ weight: 4, arbitrary: one }, fc.array(one, { maxLength: 3 }));
const object: fc.Arbitrary<Plain> = fc.dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 4 });
const pairs = fc.array(fc.tuple(fc.constantFrom(...NAMES), one), { maxLength: 4 });
/** `shallow`: what it contains may still change. */
const freezing = fc.constantFrom('none', 'shallow', 'deep');
type Freezing = 'none' | 'shallow' | 'deep';

function deepFreeze(given: unknown): void {
  if (typeof given !== 'object' || given === null) return;
  Object.freeze(given);
  for (const member of Object.values(given)) deepFreeze(member);
}

const init: fc.Arbitrary<FieldsInit> = fc.oneof(
  fc.tuple(object, freezing).map(([given, how]) => frozen(given, how as Freezing) as unknown as FieldsInit),
  fc.tuple(pairs, freezing).map(([given, how]) => frozen(given, how as Freezing) as unknown as FieldsInit),
  fc.tuple(pairs, fc.boolean()).map(([given, isFrozen]) => {
    // What is received has only lower-case names and strings.
    const flat = given.flatMap(([name, text]) => [name.toLowerCase(), typeof text === 'string' ? text : 's']);
    return new FlatFields(isFrozen ? Object.freeze(flat) : flat);
  }),
);

function frozen<Given extends object>(given: Given, how: Freezing): Given {
  if (how === 'deep') deepFreeze(given);
  return how === 'shallow' ? Object.freeze(given) : given;
}

/** A copy that nothing is remembered of, and that is not frozen. */
function copyOf(given: FieldsInit): FieldsInit {
  return given instanceof FlatFields ? new FlatFields([...given.flat]) : structuredClone(given);
}

/** Changes something in what may be changed, at any depth. */
function change(given: FieldsInit, at: number): void {
  if (given instanceof FlatFields) {
    const { flat } = given;
    if (flat.length > 0 && !Object.isFrozen(flat)) (flat as string[])[(at % flat.length) | 1] = `v${at}`;
    return;
  }
  let holder: object | null = null;
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Object.isFrozen(value) && Object.keys(value).length > 0) holder = value;
    for (const member of Object.values(value)) visit(member);
  };
  visit(given);
  if (holder === null) return;
  const keys = Object.keys(holder);
  (holder as Plain)[keys[at % keys.length] as string] = `v${at}`;
}

/** The result, or what the error says. */
function outcome<Result>(call: () => Result): Result | string {
  try {
    return call();
  } catch (error) {
    return String(error);
  }
}

const uses = fc.array(
  fc.record({
    init: fc.nat(),
    isTrailers: fc.boolean(),
    length: fc.constantFrom(0, 5, 13),
    change: fc.option(fc.nat(), { freq: 3 }),
  }),
  { minLength: 1, maxLength: 30 },
);

test('property: fields are laid out as if they came for the first time, for any sequence of objects, pairs and received fields', (t) => {
  fc.assert(
    fc.property(fc.array(init, { minLength: 1, maxLength: 4 }), uses, (all, sequence) => {
      const last = new Map<FieldsInit, readonly string[]>();
      for (const { init: index, isTrailers, length, change: at } of sequence) {
        const given = all[index % all.length] as FieldsInit;
        if (at !== null) change(given, at);
        const lay = isTrailers ? flattenTrailers : flatten;
        const flat = outcome(() => lay(given));
        const expected = outcome(() => lay(copyOf(given)));
        assert.deepEqual(typeof flat === 'string' ? flat : [...flat], expected);
        if (typeof flat === 'string') continue;
        if (last.get(given) === flat) {
          remembered++;
          // What is shared must not be changed by whoever has it.
          assert.ok(Object.isFrozen(flat));
        }
        last.set(given, flat);
        assert.deepEqual(
          outcome(() => contentLengthOf(flat)),
          outcome(() => contentLengthOf([...flat])),
        );
        const lengthened = withContentLength(flat, length);
        assert.deepEqual([...lengthened], [...flat, 'content-length', String(length)]);
        if (Object.isFrozen(flat))
          assert.equal(Object.isFrozen(lengthened), withContentLength(flat, length) === lengthened);
      }
    }),
    { numRuns: 500 },
  );
  t.true(remembered > 0, 'some were remembered');
});
