/** When calls are late: queues of one length each, with a timer for each queue and not for each call. */
import test, { type ExecutionContext } from 'ava';
import { ManualClock } from '../../runtime/testing/manual-clock.ts';
import { readMillisecondsFrom } from '../../wire/clock.ts';
import { Deadlines, type Due } from '../../workers/actors/deadlines.ts';

function start(t: ExecutionContext) {
  const clock = new ManualClock();
  readMillisecondsFrom(() => clock.nowMs);
  t.teardown(() => readMillisecondsFrom(null));
  const deadlines = new Deadlines({
    setTimer: (callback, afterMs) => clock.set(callback, afterMs),
    clearTimer: (timer) => timer !== undefined && clock.clear(timer),
  });
  const late: string[] = [];
  const add = (name: string, lengthMs: number): Due => {
    const due: Due = {
      dueMs: 0,
      queue: null,
      earlier: null,
      later: null,
      late: () => late.push(`${name} at ${clock.nowMs}`),
    };
    deadlines.add(due, lengthMs);
    return due;
  };
  return { clock, deadlines, late, add };
}

test.serial(
  'those of one length share a timer, and each is late at its own time unless it was answered',
  (t) => {
    const { clock, deadlines, late, add } = start(t);
    const due: Due[] = [];
    for (let n = 0; n < 100; n++) {
      due.push(add(`${n}`, 50));
      clock.pass(1);
    }
    t.true(clock.pending <= 1);
    // By now the first half is late, each 50 ms after it was added.
    t.deepEqual(
      late,
      Array.from({ length: 51 }, (_, n) => `${n} at ${n + 50}`),
    );
    for (let n = 51; n < 100; n += 2) deadlines.delete(due[n] as Due);
    clock.pass(100);
    t.deepEqual(
      late.slice(51),
      Array.from({ length: 24 }, (_, n) => `${52 + 2 * n} at ${102 + 2 * n}`),
    );
    t.is(clock.pending, 0, 'nothing waits, and no timer runs');
  },
);

test.serial('shorter ones are late before longer ones that were there first', (t) => {
  const { clock, late, add } = start(t);
  add('long', 100);
  add('short', 10);
  add('shortest', 1);
  clock.pass(200);
  t.deepEqual(late, ['shortest at 1', 'short at 10', 'long at 100']);
});

test.serial('of lengths that nobody waits for few timers are kept, and none in the end', (t) => {
  const { clock, deadlines, late, add } = start(t);
  const due = Array.from({ length: 1_000 }, (_, n) => add(`${n}`, 1_000 + n));
  t.is(clock.pending, 1_000);
  for (const each of due) deadlines.delete(each);
  t.true(clock.pending <= 16, `${clock.pending}`);
  const last = add('last', 5);
  deadlines.delete(last);
  deadlines.delete(last);
  clock.pass(10_000);
  t.is(clock.pending, 0);
  t.deepEqual(late, []);
  add('open', 5);
  deadlines.clear();
  t.is(clock.pending, 0);
});

test.serial('one that is added while others are told that they are late has a time of its own', (t) => {
  const { clock, deadlines, late, add } = start(t);
  const again: Due = {
    dueMs: 0,
    queue: null,
    earlier: null,
    later: null,
    late: () => add('next', 10),
  };
  deadlines.add(again, 10);
  add('beside', 10);
  clock.pass(30);
  t.deepEqual(late, ['beside at 10', 'next at 20']);
});
