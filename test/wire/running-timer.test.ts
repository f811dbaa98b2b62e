/** Time in which the process was stopped is no time in which a thread could do anything. */
import test from 'ava';
import { RunningTimer } from '../../wire/running-timer.ts';
import { ManualClock } from './manual-clock.ts';

function start(ms: number) {
  const clock = new ManualClock();
  const ran: number[] = [];
  const timer = new RunningTimer(ms, () => ran.push(clock.nowMs), clock);
  return { clock, ran, timer };
}

test('it runs once, when its time is over', (t) => {
  const { clock, ran } = start(30_000);
  clock.run(29_999);
  t.deepEqual(ran, []);
  clock.run(60_000);
  t.deepEqual(ran, [30_000]);
});

test('time in which the process was stopped counts as two parts at most', (t) => {
  const { clock, ran } = start(30_000);
  clock.run(500);
  clock.stop(3_600_000);
  t.deepEqual(ran, []);
  clock.run(27_900);
  t.deepEqual(ran, []);
  clock.run(2_000);
  t.is(ran.length, 1);
});

test('a short time has parts too', (t) => {
  const { clock, ran } = start(1_000);
  clock.stop(3_600_000);
  clock.run(700);
  t.deepEqual(ran, []);
  clock.run(300);
  t.is(ran.length, 1);
});

test('no time at all is over with the next timer', (t) => {
  const { clock, ran } = start(0);
  clock.run(0);
  t.deepEqual(ran, [0]);
});

test('one that is cancelled never runs, at whatever time', (t) => {
  const { clock, ran, timer } = start(10_000);
  clock.run(4_321);
  timer.cancel();
  timer.cancel();
  clock.run(100_000);
  t.deepEqual(ran, []);
});
