/** When dead threads are replaced, on a clock of the test's own. */
import test from 'ava';
import { Restarts } from '../../runtime/pools/restarts.ts';

const options = { intensity: 2, periodMs: 1_000, delayMs: 100, maxDelayMs: 1_000, giveUp: false };
/** Nothing is left to chance: the whole wait. */
const whole = () => 1;

test('deaths within the intensity are made good at once', (t) => {
  const restarts = new Restarts(options, whole);
  t.deepEqual([restarts.died(10, true), restarts.nextStartMs], [false, 10]);
  t.deepEqual([restarts.died(20, true), restarts.nextStartMs], [false, 20]);
});

test('more of them make the next wait, twice as long each time that too many die again, up to the longest', (t) => {
  const restarts = new Restarts(options, whole);
  const waits: number[] = [];
  let nowMs = 0;
  for (let death = 0; death < 18; death++) {
    restarts.died(nowMs, true);
    const wait = restarts.nextStartMs - nowMs;
    if (wait !== waits.at(-1)) waits.push(wait);
    // The deaths of one round come together.
    if (death % 3 !== 2) continue;
    nowMs = restarts.nextStartMs;
    restarts.started(nowMs);
  }
  t.deepEqual(waits, [0, 100, 200, 400, 800, 1_000]);
});

test('the wait comes to rest where no more than the intensity die within the period', (t) => {
  const restarts = new Restarts({ ...options, maxDelayMs: 60_000 }, whole);
  let nowMs = 0;
  for (let death = 0; death < 100; death++) {
    restarts.died(nowMs, true);
    nowMs = Math.max(nowMs, restarts.nextStartMs);
    restarts.started(nowMs);
    restarts.loaded(nowMs + 5);
    // It dies of the next request.
    nowMs += 10;
  }
  restarts.died(nowMs, true);
  const wait = restarts.nextStartMs - nowMs;
  t.true(wait >= 1_000 / 3 && wait <= 1_000, String(wait));
});

test('a thread that does not load doubles the wait by itself, and is tried alone', (t) => {
  const restarts = new Restarts(options, whole);
  const waits: number[] = [];
  let nowMs = 0;
  for (let attempt = 0; attempt < 7; attempt++) {
    restarts.died(nowMs, false);
    t.true(restarts.isProbing);
    waits.push(restarts.nextStartMs - nowMs);
    nowMs = restarts.nextStartMs;
    restarts.started(nowMs);
    // It takes longer than the period to fail.
    nowMs += 2_000;
  }
  t.deepEqual(waits, [0, 0, 0, 0, 0, 0, 0], 'so rarely that none is too many');
  for (let attempt = 0; attempt < 7; attempt++) {
    restarts.died(nowMs, false);
    waits.push(restarts.nextStartMs - nowMs);
    nowMs = restarts.nextStartMs;
    restarts.started(nowMs);
  }
  t.deepEqual(waits.slice(7), [0, 0, 100, 200, 400, 800, 1_000]);
  restarts.loaded(nowMs);
  t.false(restarts.isProbing);
});

test('the time that a replacement waited for does not count as life', (t) => {
  const restarts = new Restarts({ ...options, delayMs: 5_000, maxDelayMs: 60_000 }, whole);
  for (let death = 0; death < 3; death++) restarts.died(0, true);
  t.is(restarts.nextStartMs, 5_000);
  restarts.started(5_000);
  restarts.loaded(5_100);
  restarts.died(5_200, true);
  t.is(restarts.nextStartMs, 10_200, 'it waits again, though a period has passed since the last death');
});

test('a thread that has lived for a period ends the waiting', (t) => {
  const restarts = new Restarts(options, whole);
  for (let death = 0; death < 3; death++) restarts.died(0, true);
  restarts.started(100);
  restarts.loaded(150);
  t.false(restarts.died(1_150, true));
  t.is(restarts.nextStartMs, 1_150);
});

test('half of a wait is left to chance', (t) => {
  for (const [random, expected] of [
    [0, 50],
    [0.5, 75],
  ] as const) {
    const restarts = new Restarts(options, () => random);
    for (let death = 0; death < 3; death++) restarts.died(0, true);
    t.is(restarts.nextStartMs, expected);
  }
});

test('an intensity of 0 makes the first death wait', (t) => {
  const restarts = new Restarts({ ...options, intensity: 0 }, whole);
  t.true(restarts.died(0, true));
  t.is(restarts.nextStartMs, 100);
});

test('ever so many deaths leave the wait at its longest', (t) => {
  const restarts = new Restarts({ ...options, intensity: 0 }, whole);
  for (let death = 0; death < 5_000; death++) restarts.died(0, true);
  t.is(restarts.nextStartMs, 1_000);
});
