/** What jobs are expected to cost decides how many a thread is given before it can begin them. */
import test from 'ava';
import { Lane } from '../../runtime/pools/lane.ts';
import { clockMicroseconds } from '../../wire/clock.ts';
import { PoolBench, type ScriptedThread } from './pool-bench.ts';
import { RecordingJob } from './recording-job.ts';

/** Of which one costs so much. */
function laneOf(us: number): Lane {
  const lane = new Lane();
  for (let i = 0; i < 40; i++) lane.record(us);
  return lane;
}

function submit(bench: PoolBench, lane: Lane, count: number): RecordingJob[] {
  bench.lane = lane;
  return bench.submit(...Array.from({ length: count }, (_, index) => `${index}`));
}

/** The thread has come around its loop since it began the job. */
function comeAround({ thread }: ScriptedThread, job: RecordingJob, bench: PoolBench): void {
  const nowUs = clockMicroseconds(bench.turns.nowMs);
  thread.vitals.computed(job.slot, nowUs - thread.vitals.begunUs(job.slot));
}

function counts(bench: PoolBench): number[] {
  return [...bench.threads.map(({ thread }) => thread.outstanding), bench.dispatcher.queuedJobs];
}

test('work of microseconds is given in depth', (t) => {
  const bench = new PoolBench();
  bench.addThread(64);
  bench.addThread(64);
  submit(bench, laneOf(10), 100);
  t.deepEqual(counts(bench), [50, 50, 0]);
});

test('work of milliseconds waits in one queue, a job for each thread that computes and none behind it', (t) => {
  const bench = new PoolBench();
  const first = bench.addThread(64);
  bench.addThread(64);
  const jobs = submit(bench, laneOf(20_000), 6);
  t.deepEqual(counts(bench), [1, 1, 4]);
  first.begin();
  first.finish(jobs[0]!);
  t.deepEqual(counts(bench), [1, 1, 3], 'the end of one brings the next');
  t.deepEqual(first.begin(), ['2'], 'which is the one that has waited longest');
});

test('of work that is short, though not light, one more is given ahead: it hides the wake-up', (t) => {
  const bench = new PoolBench();
  const first = bench.addThread(64);
  bench.addThread(64);
  const jobs = submit(bench, laneOf(2_000), 7);
  t.deepEqual(counts(bench), [2, 2, 3]);
  first.begin(1);
  bench.turns.nowMs = 2;
  first.finish(jobs[0]!);
  t.deepEqual(counts(bench), [2, 2, 2], 'the one ahead counts as begun, and has one ahead again');
});

test('where few are heavy one more is given ahead, and where many are none', (t) => {
  for (const [heavyOnes, expected] of [
    [2, 2],
    [12, 1],
  ] as const) {
    const bench = new PoolBench();
    const only = bench.addThread(64);
    const lane = new Lane();
    for (let i = 0; i < 40; i++) lane.record(i % 20 < heavyOnes / 2 ? 100_000 : 1_000);
    submit(bench, lane, 1);
    only.begin();
    submit(bench, lane, 2);
    t.is(only.thread.outstanding, expected);
  }
});

test('a light job is not put behind a heavy one', (t) => {
  const bench = new PoolBench();
  const first = bench.addThread(64);
  const second = bench.addThread(64);
  const [heavy] = submit(bench, laneOf(100_000), 1);
  first.begin();
  t.is(heavy!.thread, first.thread);
  const light = laneOf(99);
  const jobs = submit(bench, light, 30);
  t.deepEqual(counts(bench), [1, 11, 19], 'the other thread has a millisecond of them ahead');
  second.begin();
  for (const job of jobs.slice(0, 11)) second.finish(job);
  t.is(first.thread.outstanding, 1);
  t.is(second.thread.outstanding, 11);
});

test('of a lane that nothing is known of, a thread is given two', (t) => {
  const bench = new PoolBench();
  bench.addThread(64);
  submit(bench, new Lane(), 5);
  t.deepEqual(counts(bench), [2, 3]);
});

test('a lane learns what its jobs cost, and forgets', (t) => {
  const lane = new Lane();
  lane.record(50);
  t.is(lane.costUs, 51);
  for (let i = 0; i < 100; i++) lane.record(50);
  t.is(lane.costUs, 51);
  for (let i = 0; i < 3; i++) lane.record(20_000);
  t.true(lane.costUs > 1_000, 'a few heavy ones make it heavier');
  for (let i = 0; i < 300; i++) lane.record(50);
  t.true(lane.costUs < 100);
  lane.record(Number.MAX_SAFE_INTEGER);
  t.true(lane.costUs <= 10_000 && Number.isInteger(lane.costUs));
});

test('a job that waits for something else keeps its thread from nothing', (t) => {
  const bench = new PoolBench();
  const only = bench.addThread(64);
  const lane = laneOf(4_000);
  const [first] = submit(bench, lane, 1);
  only.begin();
  submit(bench, lane, 2);
  t.deepEqual(counts(bench), [2, 1], 'as far as is known it computes');
  comeAround(only, first!, bench);
  only.begin();
  comeAround(only, only.thread.jobs.tail as RecordingJob, bench);
  only.thread.receive(1, 1);
  t.deepEqual(counts(bench), [3, 0]);
});

test('a thread that sleeps is given more, however many it has that wait for something else', (t) => {
  const bench = new PoolBench();
  const only = bench.addThread(64);
  for (let round = 1; round <= 10; round++) {
    submit(bench, laneOf(20_000), 1);
    t.deepEqual(counts(bench), [round, 0]);
    only.sleep();
  }
});

test('a thread from which work is held back is to tell when it has nothing to do', (t) => {
  const bench = new PoolBench();
  const only = bench.addThread(64);
  submit(bench, laneOf(20_000), 1);
  only.begin();
  t.false(only.thread.vitals.takeHeldBack());
  submit(bench, laneOf(20_000), 1);
  t.deepEqual(counts(bench), [1, 1]);
  t.true(only.thread.vitals.takeHeldBack());
  t.false(only.thread.vitals.takeHeldBack(), 'once');
  only.sleep();
  only.thread.receive(1, 1);
  t.deepEqual(counts(bench), [2, 0]);
});

test('what a thread notes of a job that is over is what the next ones are expected to cost', (t) => {
  const bench = new PoolBench();
  const only = bench.addThread(64);
  bench.lane = new Lane();
  const [job] = bench.submit('job');
  only.begin();
  only.thread.vitals.computed(job!.slot, 50_000);
  only.finish(job!);
  t.true(bench.lane.costUs >= 10_000);
  submit(bench, bench.lane, 3);
  t.deepEqual(counts(bench), [1, 2]);
});

test('of jobs that turn out heavy a thread keeps the one that it runs and one more', (t) => {
  const bench = new PoolBench({ maxQueuedJobs: 100 });
  const threads = [bench.addThread(64), bench.addThread(64)];
  submit(bench, laneOf(10), 60);
  t.deepEqual(counts(bench), [30, 30, 0], 'light ones, as far as is known');
  for (const { begin } of threads) begin(1);
  for (bench.turns.nowMs = 5; bench.turns.nowMs <= 10; bench.turns.nowMs += 5) bench.dispatcher.rebalance();
  t.deepEqual(counts(bench), [2, 2, 56]);
});

test('when a heavy job has been answered its thread is given work at once', (t) => {
  const bench = new PoolBench();
  const only = bench.addThread(64);
  const [stream] = submit(bench, laneOf(20_000), 1);
  only.begin();
  submit(bench, laneOf(10), 3);
  t.deepEqual(counts(bench), [1, 3]);
  comeAround(only, stream!, bench);
  only.respond(stream!);
  t.deepEqual(counts(bench), [4, 0], 'a response under way is no load');
});

test('a thread that has nothing to do takes over what waits behind a job that takes long', (t) => {
  const bench = new PoolBench();
  const [first, second] = [bench.addThread(64), bench.addThread(64)];
  const jobs = submit(bench, laneOf(2_000), 4);
  t.deepEqual(counts(bench), [2, 2, 0], 'one begun, one ahead');
  first.begin(1);
  second.begin();
  second.finish(jobs[1]!);
  t.deepEqual(counts(bench), [2, 1, 0], 'it has another');
  bench.turns.nowMs = 3;
  second.finish(jobs[3]!);
  t.deepEqual(counts(bench), [1, 1, 0]);
  t.deepEqual(second.begin(), ['2']);
  t.is(bench.dispatcher.recalledJobs, 1);
});

test('it takes over no more than it is expected to begin within a millisecond', (t) => {
  const bench = new PoolBench();
  const [first, second] = [bench.addThread(64), bench.addThread(64)];
  const [a, b] = submit(bench, laneOf(10), 2);
  for (const { begin } of [first, second]) begin();
  t.deepEqual([a!.thread, b!.thread], [first.thread, second.thread]);
  const costly = laneOf(400);
  bench.lane = costly;
  const waiting = Array.from({ length: 4 }, (_, index) => new RecordingJob(`${index}`));
  for (const job of waiting) {
    job.lane = costly;
    t.true(first.thread.assign(job));
  }
  bench.turns.nowMs = 2;
  second.finish(b!);
  t.deepEqual(counts(bench), [2, 3, 0]);
  t.deepEqual(second.begin(), ['0', '1', '2'], 'the oldest');
});

test('it takes over nothing that is begun soon, nor from a thread that is about to wake up', (t) => {
  const bench = new PoolBench();
  const [first, second] = [bench.addThread(64), bench.addThread(64)];
  const [a, b] = submit(bench, laneOf(500), 3);
  t.deepEqual(counts(bench), [2, 1, 0]);
  first.begin(1);
  second.begin();
  second.finish(b!);
  t.deepEqual(counts(bench), [2, 0, 0]);
  first.begin();
  first.finish(a!);
  const slow = new RecordingJob('slow');
  slow.lane = laneOf(4_000);
  t.true(first.thread.assign(slow));
  t.is(bench.dispatcher.recalledJobs, 0);
});

test('a thread keeps what it was given to begin within two wake-ups, where these take long', (t) => {
  const bench = new PoolBench();
  const only = bench.addThread(64);
  for (let round = 0; round < 16; round++) {
    only.sleep();
    const [job] = submit(bench, laneOf(2_000), 1);
    bench.turns.nowMs += 10;
    only.begin();
    only.finish(job!);
  }
  only.sleep();
  submit(bench, laneOf(2_000), 6);
  t.deepEqual(counts(bench), [6, 0]);
  bench.dispatcher.rebalance();
  bench.turns.nowMs += 10;
  only.begin(1);
  bench.dispatcher.rebalance();
  t.deepEqual(counts(bench), [6, 0]);
  t.is(bench.dispatcher.recalledJobs, 0);
});

test('a job reaches a thread whose wake-up takes longer than recallAfterMs', (t) => {
  const bench = new PoolBench();
  const threads = [bench.addThread(64), bench.addThread(64)].map((scripted) => ({ scripted, wakesAtMs: 0 }));
  for (const { scripted } of threads) scripted.sleep();
  submit(bench, laneOf(2_000), 1);
  let begun: string[] = [];
  for (let nowMs = 1; nowMs < 1_000 && begun.length === 0; nowMs++) {
    bench.turns.nowMs = nowMs;
    if (nowMs % 5 === 0) bench.dispatcher.rebalance();
    for (const one of threads) {
      const { scripted, wakesAtMs } = one;
      if (nowMs === wakesAtMs) {
        begun = scripted.begin();
        if (begun.length === 0) scripted.sleep();
      }
      if (!scripted.thread.channel.peerSleeps) continue;
      scripted.thread.channel.publish();
      if (!scripted.thread.channel.peerSleeps) one.wakesAtMs = nowMs + 8;
    }
  }
  t.deepEqual(begun, ['0']);
});
