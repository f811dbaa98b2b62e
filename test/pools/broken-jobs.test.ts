/** What is thrown while a job goes from one hand to the next costs that job, and never a slot, a place in the queue or the turn. */
import test from 'ava';
import { heldSlots, PoolBench, type ScriptedThread } from './pool-bench.ts';
import { RecordingJob } from './recording-job.ts';

const error = new Error('of ours');

class UnsendableJob extends RecordingJob {
  override sendOpen(): boolean {
    throw error;
  }
}

class UnrefusableJob extends RecordingJob {
  override onRefused(): void {
    throw error;
  }
}

test('a job that cannot be sent is faulty, and its slot serves the next', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(1);
  for (let round = 0; round < 3; round++) {
    const job = new UnsendableJob();
    bench.dispatcher.submit(job);
    t.deepEqual(job.faults, [error]);
    t.deepEqual([job.state, job.thread, job.refusals.length], ['released', null, 0]);
    t.is(heldSlots(scripted), 0);
    t.is(scripted.thread.outstanding, 0);
    t.true(scripted.thread.hasRoom);
  }
  const [next] = bench.submit('next');
  t.deepEqual(scripted.begin(), ['next']);
  scripted.finish(next!);
  t.is(next!.released, 1);
  t.deepEqual(scripted.corrupted, []);
});

test('a message larger than the ring leaves the slot and the ring as they were', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(1, 65_536);
  const huge = new RecordingJob('x'.repeat(65_536));
  bench.dispatcher.submit(huge);
  t.like(huge.faults[0], { code: 'SLUICE_RECORD_TOO_LARGE' });
  const [next] = bench.submit('next');
  t.deepEqual(scripted.begin(), ['next']);
  scripted.finish(next!);
  t.is(heldSlots(scripted), 0);
});

test('a queue moves on past a job that cannot be sent', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(1);
  const [first] = bench.submit('first');
  const broken = new UnsendableJob();
  bench.dispatcher.submit(broken);
  const [last] = bench.submit('last');
  scripted.begin();
  t.notThrows(() => scripted.finish(first!));
  t.deepEqual(broken.faults, [error]);
  t.deepEqual(scripted.begin(), ['last']);
  t.is(last!.state, 'assigned');
  t.is(bench.dispatcher.queuedJobs, 0);
});

test('a job that moves and cannot be sent again does not stop the others', (t) => {
  const bench = new PoolBench({ recallAfterMs: 5 });
  const busy = bench.addThread(4);
  const jobs = bench.submit('a', 'b', 'c');
  const idle = bench.addThread(4);
  idle.sleep();
  jobs[2]!.sendOpen = () => {
    throw error;
  };
  bench.turns.nowMs = 100;
  t.notThrows(() => bench.dispatcher.rebalance());
  t.deepEqual(jobs[2]!.faults, [error]);
  t.is(heldSlots(busy) + heldSlots(idle), 2);
  t.deepEqual([...busy.begin(), ...idle.begin()].toSorted(), ['a', 'b']);
});

for (const [how, refuse] of [
  ['a queue that is full', (bench: PoolBench, job: RecordingJob) => bench.dispatcher.submit(job)],
  [
    'a pool that stops',
    (bench: PoolBench, job: RecordingJob) => {
      bench.dispatcher.resubmit([job]);
      bench.dispatcher.refuseAll();
    },
  ],
  [
    'a wait that is too long',
    (bench: PoolBench, job: RecordingJob) => {
      bench.dispatcher.resubmit([job]);
      bench.turns.nowMs = 10_000;
      bench.dispatcher.rebalance();
    },
  ],
] as const) {
  test(`an error in what a job does about its refusal stays with it: ${how}`, (t) => {
    const bench = new PoolBench({ maxQueuedJobs: 0 });
    const job = new UnrefusableJob();
    const next = new RecordingJob();
    t.notThrows(() => {
      refuse(bench, job);
      refuse(bench, next);
    });
    t.deepEqual(job.faults, [error]);
    t.is(job.state, 'released');
    t.is(next.refusals.length, 1);
  });
}

test('a refusal that breaks off and takes another job along leaves the rest of the thread to be looked at', (t) => {
  const bench = new PoolBench({ maxWaitMs: 100 });
  const scripted = bench.addThread(8);
  // Later than the thread was measured: it is not held short, and the jobs stay with it.
  bench.turns.nowMs = 1;
  const [a, b, c, d] = bench.submit('a', 'b', 'c', 'd');
  scripted.begin(1);
  d!.onRefused = () => {
    throw error;
  };
  // Its connection ends, and with that the other job of it.
  d!.onFault = (fault) => {
    d!.faults.push(fault);
    t.true(bench.dispatcher.withdraw(c!));
  };
  bench.turns.nowMs = 500;
  bench.dispatcher.rebalance();
  t.deepEqual(d!.faults, [error]);
  t.deepEqual(c!.refusals, [], 'it was withdrawn');
  t.deepEqual(b!.refusals, ['waited-too-long']);
  t.is(a!.state, 'assigned');
  t.is(heldSlots(scripted), 1);
});

for (const [when, happen] of [
  ['a job is over', (scripted: ScriptedThread, job: RecordingJob) => scripted.finish(job)],
  ['its ring has room again', (scripted: ScriptedThread) => scripted.thread.onRingRoom()],
] as const) {
  test(`an error in how jobs are handed on costs the thread that had room, when ${when}`, (t) => {
    const bench = new PoolBench();
    const scripted = bench.addThread(1);
    const [job] = bench.submit('a');
    scripted.begin();
    bench.dispatcher.onRoom = () => {
      throw error;
    };
    t.notThrows(() => happen(scripted, job!));
    t.deepEqual(scripted.corrupted, [error]);
    t.is(scripted.thread.state, 'draining');
  });
}
