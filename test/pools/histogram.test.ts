import test from 'ava';
import fc from 'fast-check';
import { Histogram } from '../../runtime/pools/histogram.ts';

const microseconds = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 5_000 }));

test('what is read back is what was recorded, or at most a quarter more', (t) => {
  fc.assert(
    fc.property(
      fc.array(microseconds, { minLength: 1 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (recorded, part) => {
        const histogram = new Histogram();
        for (const us of recorded) histogram.record(us);
        const sorted = recorded.toSorted((one, other) => one - other);
        const exact = sorted[Math.ceil(sorted.length * part) - 1] as number;
        const read = histogram.quantileUs(part);
        return read >= exact && read <= exact * 1.25;
      },
    ),
  );
  t.pass();
});

test('two that are added are one of both', (t) => {
  fc.assert(
    fc.property(fc.array(microseconds), fc.array(microseconds), (some, others) => {
      const [one, other, both] = [new Histogram(), new Histogram(), new Histogram()];
      for (const us of some) one.record(us);
      for (const us of others) other.record(us);
      for (const us of [...some, ...others]) both.record(us);
      one.add(other);
      t.deepEqual([...one], [...both]);
      t.is(one.count, some.length + others.length);
      t.is(one.sumUs, both.sumUs);
    }),
  );
});

test('buckets are as many as there may be, whatever is recorded', (t) => {
  const histogram = new Histogram();
  t.is(histogram.quantileUs(0.5), 0);
  for (let power = 0; power < 32; power++)
    for (let part = 4; part < 8; part++) histogram.record((part * 2 ** power) >>> 2);
  t.true([...histogram].length <= 128);
  histogram.record(2 ** 32 - 1);
  t.is(histogram.quantileUs(1), 2 ** 32 - 1);
});
