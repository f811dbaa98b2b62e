/** Time in which the process was stopped is no time in which a thread could do anything. */
import test from 'ava';
import { type Clock, RunningTimer } from '../../runtime/pools/running-timer.ts';

/** One timer at a time, as `RunningTimer` sets them. */
class ManualClock implements Clock {
  nowMs = 0;
  #due: { readonly atMs: number; readonly run: () => void } | null = null;

  now(): number {
    return this.nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const due = { atMs: this.nowMs + ms, run };
    this.#due = due;
    return () => {
      if (this.#due === due) this.#due = null;
    };
  }

  /** The process runs: what is due is called when it is. */
  run(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let due = this.#due; due !== null && due.atMs <= untilMs; due = this.#due) {
      this.nowMs = Math.max(this.nowMs, due.atMs);
      this.#due = null;
      due.run();
    }
    this.nowMs = untilMs;
  }

  /** The process stands still; what was due meanwhile is called at the end. */
  stop(ms: number): void {
    this.nowMs += ms;
    this.run(0);
  }
}

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
