/** The list with its Date is the one that would be made anew, whatever was sent before. */
// Inside a property `assert` is used, not `t`: ava reports its own failures before fast-check can print the seed.
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { type DatedFields, withDate } from '../../runtime/connections/dated-fields.ts';

const field = fc.tuple(
  fc.constantFrom('date', 'priority', 'x', 'set-cookie', 'dates'),
  fc.constantFrom('u=1', 'u=2, i', '1', ''),
);
const lists = fc.array(
  fc
    .tuple(fc.array(field, { maxLength: 5 }), fc.boolean())
    .map(([pairs, isFrozen]) => (isFrozen ? Object.freeze(pairs.flat()) : pairs.flat())),
  { minLength: 1, maxLength: 4 },
);
const uses = fc.array(
  fc.record({
    list: fc.nat(),
    /** A second, which need not be later than the last. */
    second: fc.nat(2),
    change: fc.option(fc.nat(), { freq: 3 }),
  }),
  { minLength: 1, maxLength: 30 },
);

/** The same without any memory. */
function anew(list: readonly string[], date: string): DatedFields {
  const names = list.filter((_, index) => index % 2 === 0);
  const last = names.lastIndexOf('priority');
  return {
    date,
    fields: names.includes('date') ? [...list] : [...list, 'date', date],
    priority: last === -1 ? null : (list[2 * last + 1] as string),
  };
}

test('property: a list has the Date that would be added anew, for any sequence of lists and seconds', (t) => {
  let known = 0;
  fc.assert(
    fc.property(lists, uses, (all, sequence) => {
      const last = new Map<readonly string[], DatedFields>();
      for (const { list: index, second, change } of sequence) {
        const list = all[index % all.length] as readonly string[];
        if (change !== null && list.length > 0 && !Object.isFrozen(list))
          (list as string[])[change % list.length] = ['date', 'priority', 'y'][change % 3] as string;
        const date = `Thu, 01 Jan 1970 00:00:0${second} GMT`;
        const made = withDate(list, date);
        assert.deepEqual({ ...made, fields: [...made.fields] }, anew(list, date));
        // Whoever holds a shared list must not be able to change what others send.
        if (Object.isFrozen(list)) assert.ok(Object.isFrozen(made.fields));
        else assert.ok(made.fields === list || !Object.isFrozen(made.fields));
        const before = last.get(list);
        if (Object.isFrozen(list) && before?.date === date) {
          assert.equal(made, before);
          known++;
        }
        last.set(list, made);
      }
    }),
    { numRuns: 500 },
  );
  t.true(known > 0, 'some lists were recognised');
});
