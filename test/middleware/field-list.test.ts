import test from 'ava';
import { flatten } from '../../workers/fields/sent.ts';
import type { FieldsInit } from '../../workers/gateway.ts';
import { FieldList } from '../../workers/middleware/compose.ts';

test('a list accepts every form of fields and is one itself', (t) => {
  const forms: readonly FieldsInit[] = [
    { 'X-A': ['1', '2'], b: 3 },
    [
      ['x-a', '1'],
      ['X-A', '2'],
      ['b', 3],
    ],
    new FieldList({ 'x-a': ['1', '2'] }).append('b', 3),
  ];
  for (const form of forms) t.deepEqual(flatten(new FieldList(form)), ['x-a', '1', 'x-a', '2', 'b', '3']);
});

test('setting replaces every line of a name, at the position of the first', (t) => {
  const list = new FieldList({ a: '1', b: ['2', '3'], c: '4' }).set('B', '5').set('d', '6');
  t.deepEqual(
    [...list],
    [
      ['a', '1'],
      ['b', '5'],
      ['c', '4'],
      ['d', '6'],
    ],
  );
  t.deepEqual(
    [...list.delete('A').delete('none')].map(([name]) => name),
    ['b', 'c', 'd'],
  );
});

test('get returns a single value, and does not choose among several', (t) => {
  const list = new FieldList({
    'set-cookie': ['a=1', 'b=2'],
    etag: '"1"',
    secret: { value: 's', indexing: 'never' },
  });
  t.is(list.get('ETag'), '"1"');
  t.is(list.get('secret'), 's');
  t.is(list.get('none'), undefined);
  t.throws(() => list.get('set-cookie'), { code: 'SLUICE_FIELD_REPEATED' });
  t.deepEqual(list.all('set-cookie'), ['a=1', 'b=2']);
  t.true(list.has('Secret'));
});

test('a member is added to a list field only once, ignoring case', (t) => {
  const list = new FieldList({ vary: 'Accept, Origin' })
    .add('vary', 'origin')
    .add('vary', 'cookie')
    .add('via', 'a');
  t.deepEqual(
    [...list],
    [
      ['vary', 'Accept, Origin'],
      ['vary', 'cookie'],
      ['via', 'a'],
    ],
  );
});

test('invalid names, pairs and fields are refused where they are passed', (t) => {
  const refused = { code: 'SLUICE_VALUE_INVALID' };
  for (const wrong of [null, 'a: b', 5, ['a', 'b'], ['ab'], [['a', '1', '2']], [[5, '1']]]) {
    t.throws(() => new FieldList(wrong as never), refused, JSON.stringify(wrong));
  }
  for (const name of [5, null, undefined, Symbol('a'), {}]) {
    t.throws(() => new FieldList().append(name as never, '1'), refused);
    t.throws(() => new FieldList().get(name as never), refused);
  }
});
