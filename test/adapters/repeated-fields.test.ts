/** Heads that come again are judged and encoded once, and none is sent in the place of another. */

import test from 'ava';
import fc from 'fast-check';
import { RepeatedFields } from '../../workers/adapters/repeated-fields.ts';
import { flatten } from '../../workers/fields/sent.ts';

test('a head that comes again is the frozen one, from its second time on', (t) => {
  const fields = new RepeatedFields();
  const head = () => ['content-type', 'text/plain', 'content-length', '13'];
  const first = fields.of(head());
  t.false(Object.isFrozen(first.flat));
  const second = fields.of(head());
  t.true(Object.isFrozen(second.flat));
  t.is(fields.of(head()), second);
  const sent = flatten(second);
  t.true(Object.isFrozen(sent));
  t.is(flatten(fields.of(head())), sent);
});

test('whatever heads come in whatever order, each is sent as it is', (t) => {
  const word = fc.constantFrom('', 'a', 'b', 'ab', 'ba', '13', '31');
  const head = fc.array(fc.tuple(fc.constantFrom('x-a', 'x-b', 'set-cookie'), word), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(head, { minLength: 1, maxLength: 30 }), (heads) => {
      const fields = new RepeatedFields();
      for (const pairs of [...heads, ...heads]) t.deepEqual(flatten(fields.of(pairs.flat())), pairs.flat());
    }),
  );
});

test('what becomes of a list after it was sent changes no later one', (t) => {
  const fields = new RepeatedFields();
  const list = ['x-a', '1'];
  fields.of(list);
  list.push('x-b', '2');
  t.deepEqual(fields.of(['x-a', '1']).flat, ['x-a', '1']);
  t.deepEqual(fields.of(['x-a', '1']).flat, ['x-a', '1']);
  // The first of two that were the same becomes as long as another.
  const changed = ['x-a', '2'];
  fields.of(changed);
  fields.of(['x-a', '2']);
  changed[1] = '3';
  t.deepEqual(fields.of(['x-a', '3']).flat, ['x-a', '3']);
  t.deepEqual(fields.of(['x-a', '2']).flat, ['x-a', '2']);
});

test('a head that is refused is refused each time', (t) => {
  const fields = new RepeatedFields();
  for (let n = 0; n < 3; n++) {
    t.throws(() => flatten(fields.of(['x-a', 'a\r\nb'])), { code: 'SLUICE_FIELD_INVALID' });
    t.throws(() => flatten(fields.of(['etag', '"a"', 'etag', '"a"'])), { code: 'SLUICE_FIELD_REPEATED' });
  }
});
