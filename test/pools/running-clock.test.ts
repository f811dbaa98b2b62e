import test from 'ava';
import { MOST_BETWEEN_LOOKS_MS, RunningClock } from '../../runtime/pools/running-clock.ts';

test('time passes as it does while somebody looks', (t) => {
  const clock = new RunningClock(5_000);
  for (let ms = 5_000; ms <= 8_000; ms += 500) clock.look(ms);
  t.is(clock.nowMs, 3_000);
});

test('of time in which nobody looked no more counts than a busy machine lets pass', (t) => {
  const clock = new RunningClock(0);
  clock.look(100);
  clock.look(3_600_000);
  t.is(clock.nowMs, 100 + MOST_BETWEEN_LOOKS_MS);
  clock.look(3_600_010);
  t.is(clock.nowMs, 110 + MOST_BETWEEN_LOOKS_MS);
});
