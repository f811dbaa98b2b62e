import test from 'ava';
import { Sizer, type SizingOptions } from '../../runtime/pools/sizing.ts';

const MOST = 4;
const options: SizingOptions = {
  minThreads: 1,
  growAfterMs: 10,
  shrinkAfterMs: 30_000,
  shrinkBelow: 0.6,
};

/** A pool that does what the sizer says, at once, under a load that the test sets. */
class Sized {
  readonly #sizer: Sizer;
  readonly #stepMs: number;
  readonly changes: string[] = [];
  nowMs = 0;
  busyMs = 0;
  threads = options.minThreads;
  isStarting = false;

  constructor(stepMs = 100, changed: Partial<SizingOptions> = {}) {
    this.#sizer = new Sizer({ ...options, ...changed }, 0);
    this.#stepMs = stepMs;
  }

  /** @param threadsBusy how many threads' time the load takes; what there is no thread for waits. */
  run(ms: number, threadsBusy: number): void {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs; ) {
      this.nowMs += this.#stepMs;
      this.busyMs += this.#stepMs * Math.min(this.threads, threadsBusy);
      this.step(threadsBusy > this.threads ? 50 : -1);
    }
  }

  step(longestWaitMs: number): void {
    const { nowMs, threads, isStarting, busyMs } = this;
    const mayGrow = !isStarting && threads < MOST;
    const load = { nowMs, readyThreads: threads, mayGrow, longestWaitMs, busyMs: () => busyMs };
    const what = this.#sizer.decide(load);
    if (what === 'stay') return;
    if (what === 'shrink') this.#sizer.ended(nowMs);
    this.changes.push(what);
    this.threads += what === 'grow' ? 1 : -1;
  }
}

test('a pool grows when a job has waited for long enough, up to its most', (t) => {
  const pool = new Sized();
  pool.step(9);
  t.deepEqual(pool.changes, []);
  pool.step(10);
  t.deepEqual(pool.changes, ['grow']);
  for (let i = 0; i < 10; i++) pool.step(10);
  t.is(pool.threads, MOST);
});

test('a wait of 0 to grow after is any wait, and none is no wait', (t) => {
  const pool = new Sized(100, { growAfterMs: 0 });
  pool.step(-1);
  t.deepEqual(pool.changes, []);
  pool.step(0);
  t.deepEqual(pool.changes, ['grow']);
});

test('while a thread starts no other is started', (t) => {
  const pool = new Sized();
  pool.isStarting = true;
  pool.step(1_000);
  t.deepEqual(pool.changes, []);
  pool.isStarting = false;
  pool.step(1_000);
  t.deepEqual(pool.changes, ['grow']);
});

test('a pool shrinks one thread at a time, each after a time of its own, to its least', (t) => {
  const pool = new Sized();
  pool.run(1_000, 4);
  t.is(pool.threads, 4);
  pool.run(29_000, 0.1);
  t.is(pool.threads, 4, 'not yet');
  pool.run(3_000, 0.1);
  t.is(pool.threads, 3);
  pool.run(27_000, 0.1);
  t.is(pool.threads, 3);
  pool.run(120_000, 0.1);
  t.is(pool.threads, 1);
});

test('a pool keeps what it needs: one thread less would be too busy', (t) => {
  const pool = new Sized();
  pool.run(1_000, 4);
  pool.run(600_000, 1.5);
  t.is(pool.threads, 3, 'two would be 75 % busy, three would be 50 %');
});

for (const periodMs of [200, 2_000, 20_000, 50_000]) {
  test(`a square wave with a period of ${periodMs} ms changes nothing once there are threads for its peak`, (t) => {
    const pool = new Sized();
    pool.run(1_000, 4);
    const { length } = pool.changes;
    for (let wave = 0; wave < 20; wave++) {
      pool.run(periodMs / 2, 0);
      pool.run(periodMs / 2, 3.5);
    }
    t.is(pool.changes.length, length);
  });
}

test('between the load that it grows at and the one that it shrinks at nothing changes', (t) => {
  const pool = new Sized();
  pool.run(1_000, 2);
  t.is(pool.threads, 2);
  const { length } = pool.changes;
  pool.run(600_000, 0.7);
  t.is(pool.changes.length, length, 'one thread would be 70 % busy');
  pool.run(600_000, 2);
  t.is(pool.changes.length, length);
});
