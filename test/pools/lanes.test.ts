/** Lanes: how many jobs that are alike may be with their pool at a time, and which thread they would rather have. */
import test from 'ava';
import type { Lane, LaneOptions } from '../../runtime/pools/lane.ts';
import { DepthLane } from './depth-lane.ts';
import { PoolBench } from './pool-bench.ts';
import { RecordingJob } from './recording-job.ts';

function laneWith(options: Partial<LaneOptions>): Lane {
  return new DepthLane({ maxConcurrent: Infinity, maxHeld: 100, hasAffinity: false, ...options });
}

class KeyedJob extends RecordingJob {
  key = '';
  override get affinityKey(): string {
    return this.key;
  }
}

test('what exceeds a lane waits by itself, in its order, and is in the way of no other', (t) => {
  const bench = new PoolBench({ maxQueuedJobs: 0 });
  const only = bench.addThread(8);
  bench.lane = laneWith({ maxConcurrent: 2 });
  const [a, b, c, d] = bench.submit('a', 'b', 'c', 'd');
  t.deepEqual([a!.state, b!.state, c!.state, d!.state], ['assigned', 'assigned', 'held', 'held']);
  t.deepEqual([bench.dispatcher.heldJobs, bench.dispatcher.queuedJobs, bench.waiting], [2, 0, 0]);
  bench.lane = laneWith({});
  const [other] = bench.submit('other');
  t.is(other!.state, 'assigned');
  t.deepEqual(only.begin(), ['a', 'b', 'other']);
  only.finish(b!);
  t.deepEqual(only.begin(), ['c']);
  only.finish(a!);
  t.deepEqual(only.begin(), ['d']);
  t.is(bench.dispatcher.heldJobs, 0);
});

test('a lane whose own queue is full refuses', (t) => {
  const bench = new PoolBench();
  bench.addThread(8);
  bench.lane = laneWith({ maxConcurrent: 1, maxHeld: 1 });
  const jobs = bench.submit('a', 'b', 'c');
  t.deepEqual(
    jobs.map(({ refusals }) => refusals),
    [[], [], ['queue-full']],
  );
  t.is(bench.lane.running, 1);
});

/** Whatever ends a job lets the next one of its lane in: each way, and how many run is what it was. */
const exits: { readonly [how: string]: (bench: PoolBench, job: RecordingJob) => void } = {
  'it is answered': (bench, job) => {
    bench.threads[0]!.begin();
    bench.threads[0]!.finish(job);
  },
  'it is withdrawn from its thread': (bench, job) => {
    bench.dispatcher.withdraw(job);
  },
  'its thread dies': (bench, job) => {
    const [dying] = bench.threads;
    dying!.begin();
    bench.addThread(8);
    bench.dispatcher.threads.splice(0, 1);
    bench.dispatcher.resubmit(dying!.thread.die());
    if (job.lost !== 1) throw new Error('it was begun');
  },
  'it has waited too long': (bench) => {
    bench.turns.nowMs = 500;
    bench.dispatcher.rebalance();
    bench.turns.nowMs = 1_400;
    bench.dispatcher.rebalance();
  },
};

for (const [how, exit] of Object.entries(exits)) {
  test(`a job of a full lane makes room for the next: ${how}`, (t) => {
    const bench = new PoolBench();
    bench.addThread(8);
    bench.lane = laneWith({ maxConcurrent: 1 });
    const [first] = bench.submit('first');
    bench.turns.nowMs = 450;
    const [second] = bench.submit('second');
    t.is(second!.state, 'held');
    exit(bench, first!);
    t.is(second!.state, 'assigned');
    t.is(bench.lane.running, 1);
    t.is(bench.dispatcher.heldJobs, 0);
  });
}

test('a job whose sending breaks off makes room for the next as well', (t) => {
  const bench = new PoolBench();
  bench.addThread(8);
  bench.lane = laneWith({ maxConcurrent: 1 });
  const broken = new RecordingJob('broken');
  broken.lane = bench.lane;
  broken.sendOpen = () => {
    throw new Error('broken');
  };
  bench.dispatcher.submit(broken);
  t.is(broken.faults.length, 1);
  t.is(bench.lane.running, 0);
  t.is(bench.submit('next')[0]!.state, 'assigned');
});

test('what is held can be withdrawn, and is refused when it has waited too long or the pool drains', (t) => {
  const bench = new PoolBench({ maxWaitMs: 100 });
  const only = bench.addThread(8);
  bench.lane = laneWith({ maxConcurrent: 1 });
  const [running, withdrawn, old] = bench.submit('running', 'withdrawn', 'old');
  only.begin();
  t.true(bench.dispatcher.withdraw(withdrawn!));
  t.is(withdrawn!.state, 'released');
  bench.turns.nowMs = 50;
  const [young] = bench.submit('young');
  bench.turns.nowMs = 101;
  bench.dispatcher.rebalance();
  t.deepEqual(old!.refusals, ['waited-too-long']);
  t.is(young!.state, 'held');
  bench.dispatcher.refuseAll();
  t.is(young!.refusals.length, 1);
  t.is(bench.dispatcher.heldJobs, 0);
  only.finish(running!);
  t.is(bench.lane.running, 0);
});

test('a job that its lane held waits no longer than any other, although it stands behind younger ones', (t) => {
  const bench = new PoolBench({ maxWaitMs: 100 });
  const only = bench.addThread(2);
  bench.submit('other');
  bench.lane = laneWith({ maxConcurrent: 1 });
  const [running, held] = bench.submit('running', 'held');
  only.begin();
  bench.lane = laneWith({});
  bench.turns.nowMs = 60;
  const [first, second] = bench.submit('first', 'second');
  only.finish(running!);
  only.begin();
  t.deepEqual([first!.state, second!.state, held!.state], ['assigned', 'queued', 'queued']);
  bench.turns.nowMs = 101;
  bench.dispatcher.rebalance();
  t.deepEqual([second!.refusals, held!.refusals], [[], ['waited-too-long']]);
});

test('a job moved from one thread to another has left its lane once', (t) => {
  const bench = new PoolBench();
  const busy = bench.addThread(8);
  bench.lane = laneWith({ maxConcurrent: 3 });
  const jobs = bench.submit('long', 'a', 'b', 'held');
  busy.begin(1);
  const idle = bench.addThread(8);
  idle.sleep();
  bench.turns.nowMs = 5;
  bench.dispatcher.rebalance();
  t.deepEqual(idle.begin(), ['a', 'b']);
  t.is(bench.lane.running, 3);
  idle.finish(jobs[1]!);
  idle.finish(jobs[2]!);
  t.is(jobs[3]!.state, 'assigned');
  t.is(bench.lane.running, 2);
});

function submitKeyed(bench: PoolBench, key: string): string {
  const job = new KeyedJob('job');
  job.key = key;
  job.lane = bench.lane;
  bench.dispatcher.submit(job);
  return job.givenTo;
}

test('jobs of one key go to one thread, those of many keys to all', (t) => {
  const bench = new PoolBench();
  for (let i = 0; i < 4; i++) bench.addThread(64);
  bench.lane = laneWith({ hasAffinity: true });
  const places = new Set<string>();
  for (let key = 0; key < 40; key++) {
    const place = submitKeyed(bench, `key-${key}`);
    for (const scripted of bench.threads) {
      scripted.begin();
      for (let job = scripted.thread.jobs.head; job !== null; job = scripted.thread.jobs.head) {
        scripted.finish(job as RecordingJob);
      }
    }
    t.is(submitKeyed(bench, `key-${key}`), place);
    places.add(place);
    for (const scripted of bench.threads) {
      scripted.begin();
      for (let job = scripted.thread.jobs.head; job !== null; job = scripted.thread.jobs.head) {
        scripted.finish(job as RecordingJob);
      }
    }
  }
  t.is(places.size, 4);
});

test('a thread that has more than its share gets no more of its keys', (t) => {
  const bench = new PoolBench();
  for (let i = 0; i < 4; i++) bench.addThread(64);
  bench.lane = laneWith({ hasAffinity: true });
  for (let i = 0; i < 40; i++) submitKeyed(bench, 'the same');
  for (const { thread } of bench.threads) t.true(thread.load <= 13, `${thread.load}`);
});

test('a job without a key, or with a key whose thread is gone, goes anywhere', (t) => {
  const bench = new PoolBench();
  const threads = [bench.addThread(64), bench.addThread(64)];
  bench.lane = laneWith({ hasAffinity: true });
  submitKeyed(bench, '');
  submitKeyed(bench, '');
  t.deepEqual(
    threads.map(({ thread }) => thread.load),
    [1, 1],
  );
  const preferred = submitKeyed(bench, 'key');
  const place = threads.findIndex(({ thread }) => thread.name === preferred);
  threads[place]!.thread.state = 'draining';
  t.is(submitKeyed(bench, 'key'), threads[1 - place]!.thread.name);
});
