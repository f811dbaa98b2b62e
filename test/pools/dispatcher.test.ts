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

test('what no thread has room for waits in order and moves on with every slot that is freed', (t) => {
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

test('nobody overtakes the ones that wait', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(1);
  const [a] = bench.submit('a', 'b');
  scripted.begin();
  scripted.finish(a!);
  bench.submit('c');
  t.deepEqual(scripted.begin(), ['b']);
});

test('a full queue refuses, and only then', (t) => {
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

test('a bound of zero still lets a thread with room take the job', (t) => {
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

test('the unbegun half of a stalled thread goes to one that sleeps, in order', (t) => {
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
  t.deepEqual(idle.begin(), ['d', 'e', 'f']);
  t.deepEqual(busy.begin(), ['b', 'c']);
  t.is(bench.dispatcher.recalledJobs, 3);
});

test('a thread that is awake, or has unbegun work of its own, is given nothing', (t) => {
  const bench = new PoolBench();
  const busy = bench.addThread(8);
  bench.submit('a', 'b', 'c');
  const awake = bench.addThread(8);
  bench.turns.nowMs = 10;
  bench.dispatcher.rebalance();
  t.is(awake.thread.outstanding, 0);
  awake.sleep();
  const own = new RecordingJob('own');
  awake.thread.assign(own);
  bench.dispatcher.rebalance();
  t.is(awake.thread.outstanding, 1);
  t.is(busy.thread.outstanding, 3);
});

test('a job is recalled for the time that it has waited itself, not for a long one before it', (t) => {
  const bench = new PoolBench();
  const busy = bench.addThread(8);
  bench.submit('stream', 'another');
  t.deepEqual(busy.begin(), ['stream', 'another']);
  bench.turns.nowMs = 1000;
  bench.submit('a');
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

test('half of what is not begun moves, however much is begun', (t) => {
  const bench = new PoolBench();
  const busy = bench.addThread(16);
  bench.submit('1', '2', '3', '4', '5', '6');
  busy.begin();
  bench.submit('a', 'b', 'c', 'd');
  const idle = bench.addThread(16);
  idle.sleep();
  bench.turns.nowMs = 5;
  bench.dispatcher.rebalance();
  t.deepEqual(idle.begin(), ['c', 'd']);
  t.deepEqual(busy.begin(), ['a', 'b']);
});

test('what is begun between the look and the taking stays where it is', (t) => {
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

test('jobs that the thief cannot take wait in their order, before the ones that waited already', (t) => {
  const bench = new PoolBench({ maxQueuedJobs: 100 });
  const busy = bench.addThread(8);
  const jobs = bench.submit('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'waits');
  busy.begin(1);
  const idle = bench.addThread(1);
  // Takes 'waits', and ends it before it sleeps.
  t.deepEqual(idle.begin(), ['waits']);
  idle.finish(jobs[8]!);
  idle.sleep();
  bench.submit('i');
  busy.thread.state = 'draining';
  bench.submit('last');
  bench.turns.nowMs = 10;
  idle.begin();
  const own = bench.threads[1]!.thread.jobs.head as RecordingJob;
  idle.finish(own);
  t.deepEqual(idle.begin(), ['last']);
  const last = idle.thread.jobs.head as RecordingJob;
  idle.finish(last);
  idle.sleep();
  bench.dispatcher.rebalance();
  const order: string[] = [];
  for (let next = idle.begin(); next.length > 0; next = idle.begin()) {
    order.push(...next);
    idle.finish(idle.thread.jobs.head as RecordingJob);
  }
  t.deepEqual(order, ['e', 'f', 'g', 'h']);
});

test('what has waited too long is refused, in the queue and on a thread that has not begun it', (t) => {
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

test('the wait counts from the admission, also for a job that was moved to another thread', (t) => {
  const bench = new PoolBench({ maxWaitMs: 100 });
  const busy = bench.addThread(2);
  const [, old] = bench.submit('first', 'old');
  busy.begin(1);
  bench.turns.nowMs = 90;
  const other = bench.addThread(4);
  bench.submit('fresh');
  other.sleep();
  bench.dispatcher.rebalance();
  t.is(old!.thread, other.thread);
  bench.turns.nowMs = 101;
  bench.dispatcher.rebalance();
  t.deepEqual(old!.refusals, ['waited-too-long']);
});

test('the jobs of a thread that is gone come before everything that waits', (t) => {
  const bench = new PoolBench();
  const dying = bench.addThread(2);
  bench.submit('a', 'b', 'c');
  bench.dispatcher.threads.splice(0, 1);
  bench.dispatcher.resubmit(dying.thread.die());
  t.is(bench.dispatcher.queuedJobs, 3);
  const next = bench.addThread(4);
  t.deepEqual(next.begin(), ['a', 'b', 'c']);
});

test('a pool that stops refuses all that waits', (t) => {
  const bench = new PoolBench();
  const jobs = bench.submit('a', 'b');
  bench.dispatcher.refuseAll();
  for (const job of jobs) t.deepEqual(job.refusals, ['pool-stopped']);
  t.is(bench.dispatcher.queuedJobs, 0);
});
