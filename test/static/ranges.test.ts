import test from 'ava';
import fc from 'fast-check';
import { contentRange, selectRanges } from '../../workers/static/ranges.ts';

const select = (value: string, size = 10_000, maxRanges = 16) => selectRanges([value], size, maxRanges);

for (const [says, value, expected] of [
  ['14.1.2: first and last byte are inclusive', 'bytes=0-499', [[0, 499]]],
  ['14.1.2: without a last byte it goes to the end', 'bytes=9500-', [[9500, 9999]]],
  ['14.1.2: a suffix counts from the end', 'bytes=-500', [[9500, 9999]]],
  ['14.1.2: a last byte beyond the end is the end', 'bytes=9990-99999999999999999999', [[9990, 9999]]],
  ['14.1.2: a suffix longer than the file is all of it', 'bytes=-20000', [[0, 9999]]],
  ['14.1: units are compared without case', 'Bytes=0-0', [[0, 0]]],
  [
    '5.6.1: white space and empty members in the list are passed over',
    'bytes= ,0-0 , ,5000-5000,',
    [
      [0, 0],
      [5000, 5000],
    ],
  ],
  [
    '14.1.2: several ranges',
    'bytes=0-0,-1',
    [
      [0, 0],
      [9999, 9999],
    ],
  ],
  [
    '15.3.7.2: their order is kept',
    'bytes=5000-5001,0-1',
    [
      [5000, 5001],
      [0, 1],
    ],
  ],
  ['15.3.7.2: those that overlap are joined', 'bytes=500-700,601-999', [[500, 999]]],
  ['15.3.7.2: those that are near are joined', 'bytes=0-9,50-59', [[0, 59]]],
  [
    '15.3.7.2: what is joined stands where its first stood',
    'bytes=5000-5001,9000-9001,5001-5002',
    [
      [5000, 5002],
      [9000, 9001],
    ],
  ],
  ['14.1.2: those beyond the end are left out', 'bytes=0-1,10000-,20000-20001', [[0, 1]]],
] as const) {
  test(`RFC 9110 ${says}`, (t) => {
    const ranges = select(value);
    if (typeof ranges === 'string') return t.fail(ranges);
    t.deepEqual(
      ranges.map(({ first, last }) => [first, last]),
      expected.map((pair) => [...pair]),
    );
  });
}

for (const [says, value] of [
  ['14.2: another unit', 'lines=0-1'],
  ['14.1.1: no unit', '0-1'],
  ['14.1.2: a last byte before the first', 'bytes=5-4'],
  ['14.1.2: neither', 'bytes=-'],
  ['14.1.2: a sign', 'bytes=+1-2'],
  ['14.1.2: a hexadecimal number', 'bytes=0x0-0x9'],
  ['14.1.2: white space inside', 'bytes=0 - 1'],
  ['14.1.2: one that is malformed among sound ones', 'bytes=0-1,x'],
  ['5.6.1: nothing but commas', 'bytes=,,'],
  ['14.1.1: nothing', 'bytes='],
] as const) {
  test(`RFC 9110 ${says} is ignored`, (t) => {
    t.is(select(value), 'ignored');
  });
}

for (const [says, value, size] of [
  ['a first byte at the end', 'bytes=10000-', 10_000],
  ['a suffix of nothing', 'bytes=-0', 10_000],
  ['any first byte of an empty file', 'bytes=0-', 0],
] as const) {
  test(`RFC 9110 14.1.2: ${says} cannot be satisfied`, (t) => {
    t.is(select(value, size), 'unsatisfiable');
  });
}

test('a suffix of an empty file is the empty file', (t) => {
  t.is(select('bytes=-5', 0), 'ignored');
});

test('two Range fields are ignored', (t) => {
  t.is(selectRanges(['bytes=0-1', 'bytes=5-6'], 10, 16), 'ignored');
});

test('ranges are answered up to the limit, and not beyond it', (t) => {
  const apart = (count: number) =>
    `bytes=${Array.from({ length: count }, (_, index) => `${index * 1000}-${index * 1000}`).join(',')}`;
  t.is(select(apart(4), 10_000, 4).length, 4);
  t.is(select(apart(5), 10_000, 4), 'ignored');
});

test('whatever ranges are requested, no byte is sent twice, every range lies in the file, and every requested byte is sent', (t) => {
  const spec = fc.oneof(
    fc.tuple(fc.nat(300), fc.nat(300)).map(([first, more]) => `${first}-${first + more}`),
    fc.nat(300).map((first) => `${first}-`),
    fc.nat(300).map((length) => `-${length}`),
  );
  const property = fc.property(
    fc.array(spec, { minLength: 1, maxLength: 8 }),
    fc.integer({ min: 1, max: 400 }),
    (specs, size) => {
      const ranges = selectRanges([`bytes=${specs.join(',')}`], size, 8);
      t.not(ranges, 'ignored');
      const sent = new Set<number>();
      if (typeof ranges !== 'string') {
        for (const { first, last } of ranges) {
          t.true(first >= 0 && first <= last && last < size);
          for (let byte = first; byte <= last; byte++) {
            t.false(sent.has(byte));
            sent.add(byte);
          }
        }
      }
      for (const text of specs) {
        const [first, last] = text.split('-');
        const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
        const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
        for (let byte = from; byte <= to; byte++) t.true(sent.has(byte));
      }
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test('RFC 9110 14.4: Content-Range has the range and the size, or the size alone', (t) => {
  t.is(contentRange({ first: 0, last: 499 }, 1234), 'bytes 0-499/1234');
  t.is(contentRange(null, 1234), 'bytes */1234');
});
