import test from 'ava';
import { heldSlots, PoolBench } from './pool-bench.ts';
import { RecordingJob } from './recording-job.ts';

test('a job goes to the thread with the least outstanding work', (t) => {
  const bench = new PoolBench();
  const [first, second] = [bench.addThread(), bench.addThread()];
  const [a, b, c] = bench.submit('a', 'b', 'c');
  t.is(a!.thread, first.thread);
  t.is(b!.thread, second.thread);
  second.begin();
  second.finish(b!);
  t.is(c!.thread, first.thread);
  const [d] = bench.submit('d');
  t.is(d!.thread, second.thread);
  t.is(bench.dispatcher.outstandingJobs, 3);
});

test('a thread that is not ready gets nothing', (t) => {
  const bench = new PoolBench();
  const [first, second] = [bench.addThread(), bench.addThread()];
  for (const state of ['starting', 'draining', 'dead'] as const) {
    first.thread.state = state;
    t.is(bench.submit('a')[0]!.thread, second.thread, state);
  }
});

test('jobs without room wait in order, and one moves on for every slot that is freed', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(1);
  const jobs = bench.submit('a', 'b', 'c');
  t.is(bench.dispatcher.queuedJobs, 2);
  t.is(bench.waiting, 2, 'the pool is told that more threads would help');
  for (const name of ['a', 'b', 'c']) {
    t.deepEqual(scripted.begin(), [name]);
    scripted.finish(jobs.find((job) => job.name === name)!);
  }
  t.is(bench.dispatcher.queuedJobs, 0);
  t.is(heldSlots(scripted), 0);
});

test('no job overtakes those that wait', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(1);
  const [a] = bench.submit('a', 'b');
  scripted.begin();
  scripted.finish(a!);
  bench.submit('c');
  t.deepEqual(scripted.begin(), ['b']);
});

test('a queue refuses when it is full, and not before', (t) => {
  const bench = new PoolBench({ maxQueuedJobs: 2 });
  bench.addThread(1);
  const jobs = bench.submit('a', 'b', 'c', 'd');
  t.deepEqual(
    jobs.map((job) => job.refusals),
    [[], [], [], ['queue-full']],
  );
  t.is(jobs[3]!.state, 'released');
  t.is(bench.dispatcher.refusedJobs, 1);
});

test('with a limit of zero a thread with room still takes the job', (t) => {
  const bench = new PoolBench({ maxQueuedJobs: 0 });
  bench.addThread(1);
  const [a, b] = bench.submit('a', 'b');
  t.is(a!.state, 'assigned');
  t.deepEqual(b!.refusals, ['queue-full']);
});

test('a job can be withdrawn while it waits and until it is begun', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(1);
  const [a, b, c] = bench.submit('a', 'b', 'c');
  t.true(bench.dispatcher.withdraw(b!));
  t.true(bench.dispatcher.withdraw(a!));
  t.is(c!.state, 'assigned', 'whose slot the next one takes');
  t.deepEqual(scripted.begin(), ['c']);
  t.false(bench.dispatcher.withdraw(c!));
  scripted.finish(c!);
  t.false(bench.dispatcher.withdraw(c!), 'it is over');
  t.is(bench.dispatcher.outstandingJobs, 0);
});

test('a full ring makes jobs wait, and they move on when there is room', (t) => {
  const bench = new PoolBench({ maxQueuedJobs: 100 });
  const scripted = bench.addThread(50, 1024);
  const jobs = bench.submit(...Array.from({ length: 20 }, (_, i) => String(i)));
  t.true(bench.dispatcher.queuedJobs > 0);
  const begun: string[] = [];
  for (let i = 0; i < 20; i++) {
    begun.push(...scripted.begin());
    scripted.thread.channel.receive(10);
  }
  t.deepEqual(
    begun,
    jobs.map(({ name }) => name),
  );
});

test('a job goes to another thread when the ring of the one with the least work is full', (t) => {
  const bench = new PoolBench();
  const small = bench.addThread(50, 1024);
  while (small.thread.assign(new RecordingJob()));
  const large = bench.addThread(50);
  while (large.thread.outstanding <= small.thread.outstanding) large.thread.assign(new RecordingJob());
  const [job] = bench.submit('a');
  t.is(job!.thread, large.thread);
});

test('jobs that a stalled thread has not begun go, in order, to a thread that can begin them', (t) => {
  const bench = new PoolBench();
  const busy = bench.addThread(8);
  bench.submit('a', 'b', 'c', 'd', 'e', 'f');
  t.deepEqual(busy.begin(1), ['a']);
  const idle = bench.addThread(8);
  idle.sleep();
  bench.turns.nowMs = 4;
  bench.dispatcher.rebalance();
  t.is(idle.thread.outstanding, 0, 'not before recallAfterMs');
  bench.turns.nowMs = 5;
  bench.dispatcher.rebalance();
  t.deepEqual(idle.begin(), ['b', 'c', 'd', 'e', 'f']);
  t.deepEqual(busy.begin(), []);
  t.is(bench.dispatcher.recalledJobs, 5);
});

test('a thread that is awake and makes progress takes over too, and one that is stalled itself does not', (t) => {
  const bench = new PoolBench();
  const busy = bench.addThread(8);
  bench.submit('long', 'a', 'b');
  busy.begin(1);
  const other = bench.addThread(8);
  const [theirs] = bench.submit('also long');
  t.is(theirs!.thread, other.thread);
  other.begin();
  bench.turns.nowMs = 10;
  bench.dispatcher.rebalance();
  t.deepEqual(
    [busy.thread.outstanding, other.thread.outstanding, bench.dispatcher.queuedJobs],
    [2, 1, 1],
    'both compute: what is given back waits for whoever is done first',
  );
  other.finish(theirs!);
  t.deepEqual(other.begin(), ['a', 'b'], 'and what the other has not begun goes before it');
});

test('a new job goes to another thread than a stalled one, however little that one has to do', (t) => {
  const bench = new PoolBench();
  const [busy, other] = [bench.addThread(8), bench.addThread(8)];
  bench.submit('long', 'a', 'b');
  busy.begin();
  other.begin();
  bench.turns.nowMs = 5;
  const [theirs] = [other.thread.jobs.head as RecordingJob];
  other.respond(theirs);
  bench.submit('c', 'd', 'e');
  t.deepEqual(other.begin(), ['c', 'd', 'e']);
});

test('a thread whose work takes long is given one job ahead, and more as it gets faster', (t) => {
  const bench = new PoolBench();
  const only = bench.addThread(64);
  const names = Array.from({ length: 40 }, (_, index) => String(index));
  bench.submit(...names);
  t.is(bench.dispatcher.queuedJobs, 0, 'nothing is known of them');
  const finished: string[] = [];
  const finish = (count: number) => {
    for (let i = 0; i < count; i++) {
      finished.push(...only.begin(1));
      only.finish(only.thread.jobs.head as RecordingJob);
    }
  };
  only.begin(1);
  finished.push('0');
  bench.turns.nowMs = 10;
  bench.dispatcher.rebalance();
  t.is(only.thread.outstanding, 2, 'one begun, one ahead');
  t.is(bench.dispatcher.queuedJobs, 38);
  only.finish(only.thread.jobs.head as RecordingJob);
  t.is(only.thread.outstanding, 2, 'the end of one brings the next');
  bench.turns.nowMs = 12;
  finish(4);
  bench.turns.nowMs = 15;
  bench.dispatcher.rebalance();
  t.is(only.thread.outstanding, 2 * 4, 'it has begun all that it had');
  bench.turns.nowMs = 20;
  finish(4);
  bench.dispatcher.rebalance();
  t.is(only.thread.outstanding, 4, 'and now it has not');
  finish(names.length - finished.length);
  t.deepEqual(finished, names);
});

test('a thread that has run out of work gets jobs in depth again', (t) => {
  const bench = new PoolBench();
  const only = bench.addThread(8);
  bench.submit('a', 'b', 'c');
  only.begin(1);
  bench.turns.nowMs = 10;
  bench.dispatcher.rebalance();
  t.is(bench.dispatcher.queuedJobs, 1, 'it is slow');
  for (let job = only.thread.jobs.head; job !== null; job = only.thread.jobs.head) {
    only.begin(1);
    only.finish(job as RecordingJob);
  }
  bench.submit('d', 'e');
  t.is(bench.dispatcher.queuedJobs, 1, 'it may still be');
  for (let job = only.thread.jobs.head; job !== null; job = only.thread.jobs.head) {
    only.begin(1);
    only.finish(job as RecordingJob);
  }
  only.sleep();
  bench.submit('f', 'g', 'h');
  t.is(bench.dispatcher.queuedJobs, 0);
});

test('jobs that wait for a thread with free slots do not count against the queue', (t) => {
  const bench = new PoolBench({ maxQueuedJobs: 2 });
  const only = bench.addThread(4);
  bench.submit('a', 'b', 'c');
  only.begin(1);
  bench.turns.nowMs = 10;
  bench.dispatcher.rebalance();
  t.is(bench.dispatcher.queuedJobs, 1);
  const jobs = bench.submit('d', 'e', 'f', 'g');
  t.deepEqual(
    jobs.map(({ refusals }) => refusals),
    [[], [], [], ['queue-full']],
    'four slots and two places',
  );
});

test('a job whose response is under way is no load, and still counts when jobs are spread', (t) => {
  const bench = new PoolBench();
  const [first, second] = [bench.addThread(8), bench.addThread(8)];
  const streams = bench.submit('s1', 's2', 's3', 's4');
  for (const { begin } of [first, second]) begin();
  for (const stream of streams) (stream.thread === first.thread ? first : second).respond(stream);
  t.deepEqual([first.thread.outstanding, second.thread.outstanding], [2, 2]);
  t.deepEqual([first.thread.load, second.thread.load], [0, 0]);
  first.finish(streams[0]!);
  first.finish(streams[2]!);
  const [a, b, c] = bench.submit('a', 'b', 'c');
  t.is(a!.thread, first.thread, 'the one with fewer of both');
  t.is(b!.thread, second.thread, 'the one with less to do');
  t.is(c!.thread, first.thread);
});

test('a job is recalled for its own waiting time, not for that of the job before it', (t) => {
  const bench = new PoolBench();
  const busy = bench.addThread(8);
  bench.submit('stream', 'another');
  t.deepEqual(busy.begin(), ['stream', 'another']);
  busy.sleep();
  bench.turns.nowMs = 1000;
  bench.submit('a');
  busy.thread.channel.publish();
  const idle = bench.addThread(8);
  idle.sleep();
  bench.dispatcher.rebalance();
  bench.turns.nowMs = 1004;
  bench.dispatcher.rebalance();
  t.is(idle.thread.outstanding, 0, 'the thread may begin it any moment');
  bench.turns.nowMs = 1005;
  bench.dispatcher.rebalance();
  t.deepEqual(idle.begin(), ['a']);
});

test('half of the jobs that have waited too long at a busy thread move to a sleeping one', (t) => {
  const bench = new PoolBench();
  const busy = bench.addThread(16);
  const [stream] = bench.submit('1', '2', '3', '4', '5', '6');
  busy.begin();
  bench.submit('a', 'b', 'c', 'd');
  const idle = bench.addThread(16);
  idle.sleep();
  bench.turns.nowMs = 5;
  busy.respond(stream!);
  bench.dispatcher.rebalance();
  t.deepEqual(idle.begin(), ['c', 'd']);
  t.deepEqual(busy.begin(), ['a', 'b']);
});

test('a job that begins between the look and the recall stays with its thread', (t) => {
  const bench = new PoolBench();
  const busy = bench.addThread(8);
  const jobs = bench.submit('a', 'b');
  const idle = bench.addThread(8);
  idle.sleep();
  busy.begin();
  bench.turns.nowMs = 10;
  bench.dispatcher.rebalance();
  t.is(idle.thread.outstanding, 0);
  for (const job of jobs) t.is(job.thread, busy.thread);
});

test('recalled jobs that the other thread cannot take wait in order, before those that already waited', (t) => {
  const bench = new PoolBench();
  const busy = bench.addThread(6);
  bench.submit('long', 'a', 'b', 'c', 'd', 'e', 'waits');
  busy.begin(1);
  const idle = bench.addThread(2);
  t.deepEqual(idle.begin(), ['waits']);
  idle.finish(idle.thread.jobs.head as RecordingJob);
  idle.sleep();
  bench.turns.nowMs = 10;
  bench.dispatcher.rebalance();
  const order: string[] = [];
  for (let next = idle.begin(1); next.length > 0; next = idle.begin(1)) {
    order.push(...next);
    idle.finish(idle.thread.jobs.head as RecordingJob);
  }
  t.deepEqual(order, ['a', 'b', 'c', 'd', 'e'], 'none is given back to the stalled thread meanwhile');
});

test('a job that has waited too long is refused, in the queue and at a thread that has not begun it', (t) => {
  const bench = new PoolBench({ maxWaitMs: 100 });
  const scripted = bench.addThread(2);
  const [begun, unbegun, queued] = bench.submit('begun', 'unbegun', 'queued');
  scripted.begin(1);
  bench.turns.nowMs = 50;
  const [young] = bench.submit('young');
  bench.turns.nowMs = 100;
  bench.dispatcher.rebalance();
  t.is(bench.dispatcher.refusedJobs, 0, 'not yet');
  bench.turns.nowMs = 101;
  bench.dispatcher.rebalance();
  t.deepEqual(unbegun!.refusals, ['waited-too-long']);
  t.deepEqual(queued!.refusals, ['waited-too-long']);
  t.deepEqual(begun!.refusals, []);
  t.is(young!.state, 'assigned', 'the slot that became free goes to the next one');
});

test('time in which the process was stopped does not count as waiting', (t) => {
  const bench = new PoolBench({ maxWaitMs: 100 });
  const scripted = bench.addThread(2);
  const [, unbegun, queued] = bench.submit('begun', 'unbegun', 'queued');
  scripted.begin(1);
  bench.turns.nowMs = 10_050;
  bench.turns.stoppedMs = 10_000;
  bench.dispatcher.rebalance();
  t.is(bench.dispatcher.longestWaitMs, 50);
  t.is(bench.dispatcher.refusedJobs, 0);
  bench.turns.nowMs += 51;
  bench.dispatcher.rebalance();
  for (const job of [unbegun!, queued!]) t.deepEqual(job.refusals, ['waited-too-long']);
});

test('the wait counts from the admission, also for a job that was moved to another thread', (t) => {
  const bench = new PoolBench({ maxWaitMs: 100 });
  const busy = bench.addThread(2);
  const [, old] = bench.submit('first', 'old');
  busy.begin(1);
  bench.turns.nowMs = 90;
  const other = bench.addThread(4);
  bench.submit('fresh');
  t.is(old!.thread, other.thread);
  bench.turns.nowMs = 101;
  bench.dispatcher.rebalance();
  t.deepEqual(old!.refusals, ['waited-too-long']);
});

test('the jobs of a dead thread come before all waiting jobs', (t) => {
  const bench = new PoolBench();
  const dying = bench.addThread(2);
  bench.submit('a', 'b', 'c');
  bench.dispatcher.threads.splice(0, 1);
  bench.dispatcher.resubmit(dying.thread.die());
  t.is(bench.dispatcher.queuedJobs, 3);
  const next = bench.addThread(4);
  t.deepEqual(next.begin(), ['a', 'b', 'c']);
});

test('a pool that stops refuses all waiting jobs', (t) => {
  const bench = new PoolBench();
  const jobs = bench.submit('a', 'b');
  bench.dispatcher.refuseAll();
  for (const job of jobs) t.deepEqual(job.refusals, ['draining']);
  t.is(bench.dispatcher.queuedJobs, 0);
});
