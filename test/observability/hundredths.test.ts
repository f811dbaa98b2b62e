/** Numbers of Server-Timing, which are written in a hurry. */
import test from 'ava';
import fc from 'fast-check';
import { hundredths } from '../../runtime/connections/hundredths.ts';

test('a number has two digits after the point at most, as rounding gives them', (t) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (value) => {
      t.is(hundredths(value), String(Math.round(value * 100) / 100));
    }),
  );
  for (const [value, text] of [
    [0, '0'],
    [0.004, '0'],
    [0.07, '0.07'],
    [0.1, '0.1'],
    [18.995, '19'],
    [-0.3, '0'],
  ] as const)
    t.is(hundredths(value), text);
});
