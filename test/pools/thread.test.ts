import test from 'ava';
import { ClaimState } from '../../wire/claims.ts';
import { Flag } from '../../wire/messages.ts';
import type { ThreadEnd } from '../../wire/thread-end.ts';
import { heldSlots, PoolBench } from './pool-bench.ts';
import { RecordingJob } from './recording-job.ts';

const whole = Flag.End | Flag.Final;

test('a job has a slot of its own from its assignment to the final message', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(2);
  const { thread, host } = scripted;
  const jobs = [new RecordingJob('a'), new RecordingJob('b')];
  bench.turns.nowMs = 42;
  for (const job of jobs) t.true(thread.assign(job));
  t.not(jobs[0]!.slot, jobs[1]!.slot);
  t.is(jobs[0]!.assignedAtMs, 42);
  t.is(thread.outstanding, 2);
  t.false(thread.hasRoom);
  t.deepEqual(scripted.begin(), ['a', 'b']);
  host.sendHead(jobs[0]!.slot, 0, 200, [], null);
  host.sendData(jobs[0]!.slot, whole, Buffer.from('x'), 0, 1);
  host.publish();
  thread.channel.receive(10);
  t.deepEqual(jobs[0]!.said, [
    ['head', 0, 200],
    ['data', whole],
  ]);
  t.is(jobs[0]!.released, 1);
  t.is(jobs[0]!.thread, null);
  t.is(thread.outstanding, 1);
  t.true(thread.hasRoom);
  t.is(heldSlots(scripted), 1);
});

test('every final message gives its slot back, whatever kind it is', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(1);
  const { thread, host } = scripted;
  const finals: ((slot: number) => void)[] = [
    (slot) => host.sendHead(slot, whole, 200, [], null),
    (slot) => host.sendData(slot, whole, Buffer.alloc(0), 0, 0),
    (slot) => host.sendTrailers(slot, Flag.Final, []),
    (slot) => host.sendReset(slot, Flag.Final, 8, 0),
    (slot) => host.sendClosed(slot),
  ];
  for (const send of finals) {
    const job = new RecordingJob();
    t.true(thread.assign(job));
    scripted.begin();
    send(job.slot);
    host.publish();
    thread.channel.receive(10);
    t.is(job.released, 1);
    t.is(heldSlots(scripted), 0);
  }
});

test('messages without Final, and those for a slot that nobody holds, end nothing', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(2);
  const { thread, host } = scripted;
  const job = new RecordingJob();
  thread.assign(job);
  scripted.begin();
  for (const slot of [job.slot, 1 - job.slot]) {
    host.sendInform(slot, 103, []);
    host.sendHead(slot, Flag.End, 200, [], null);
    host.sendCredit(slot, 1, 2);
    host.sendTrailers(slot, 0, []);
    host.sendReset(slot, 0, 8, 0);
  }
  host.sendClosed(1 - job.slot);
  host.publish();
  thread.channel.receive(100);
  t.is(job.released, 0);
  t.deepEqual(
    job.said.map(([kind]) => kind),
    ['inform', 'head', 'credit', 'trailers', 'reset'],
  );
  t.deepEqual(scripted.corrupted, []);
});

test('a thread that ends what it has not begun is corrupt, and the reactor goes on', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(1);
  const job = new RecordingJob();
  scripted.thread.assign(job);
  t.notThrows(() => scripted.finish(job));
  t.like(scripted.corrupted, [{ code: 'SLUICE_CHANNEL_CORRUPT' }]);
  t.deepEqual(scripted.thread.die(), [job], 'whom nobody has begun');
});

for (const [state, word] of Object.entries(ClaimState)) {
  test(`a thread that overwrites its claims with '${state}' harms no other, and its jobs end`, (t) => {
    const bench = new PoolBench();
    const wild = bench.addThread(4);
    const sound = bench.addThread(4);
    const [begun] = bench.submit('begun', 'b', 'c', 'd');
    wild.begin(1);
    new Int32Array(wild.thread.transfer.claims).fill((7 << 2) | word);
    t.notThrows(() => {
      bench.dispatcher.withdraw(begun!);
      bench.submit('e', 'f', 'g');
      bench.turns.nowMs = 10_000;
      bench.dispatcher.rebalance();
      wild.finish(begun!);
      bench.dispatcher.threads.splice(0, 1);
      bench.dispatcher.resubmit(wild.thread.die());
    });
    t.is(wild.thread.outstanding, 0);
    if (word !== ClaimState.Free) t.true(wild.corrupted.length > 0);
    for (const error of wild.corrupted) t.like(error, { code: 'SLUICE_CHANNEL_CORRUPT' });
    t.deepEqual(sound.corrupted, []);
  });
}

test('a thread that is found corrupt gets nothing more', (t) => {
  const bench = new PoolBench();
  const wild = bench.addThread(4);
  const sound = bench.addThread(4);
  new Int32Array(wild.thread.transfer.claims).fill(ClaimState.Claimed);
  const jobs = bench.submit('a', 'b');
  t.deepEqual(
    jobs.map((job) => job.thread),
    [sound.thread, sound.thread],
  );
  t.is(wild.corrupted.length, 1, 'it is told of once');
  t.false(wild.thread.hasRoom);
});

/** Every message of a thread, and the method of the job that it comes to. */
const messages: readonly [method: keyof RecordingJob, send: (host: ThreadEnd, slot: number) => boolean][] = [
  ['onHead', (host, slot) => host.sendHead(slot, 0, 200, [], null)],
  ['onInform', (host, slot) => host.sendInform(slot, 103, [])],
  ['onData', (host, slot) => host.sendData(slot, 0, Buffer.from('x'), 0, 1)],
  ['onTrailers', (host, slot) => host.sendTrailers(slot, 0, [])],
  ['onCredit', (host, slot) => host.sendCredit(slot, 1, 1)],
  ['onReset', (host, slot) => host.sendReset(slot, 0, 8, 0)],
  ['onPush', (host, slot) => host.sendPush(slot, 1, 'GET', '/', [])],
  ['onPad', (host, slot) => host.sendPad(slot, 16)],
  ['onReleased', (host, slot) => host.sendClosed(slot)],
];

for (const [method, send] of messages) {
  test(`an error of ours in ${method} costs that job, and the messages behind it are heard`, (t) => {
    const bench = new PoolBench();
    const scripted = bench.addThread(2);
    const { thread, host } = scripted;
    const [faulty, sound] = [new RecordingJob('faulty'), new RecordingJob('sound')];
    for (const job of [faulty, sound]) thread.assign(job);
    scripted.begin();
    const error = new Error('of ours');
    Object.defineProperty(faulty, method, {
      value: () => {
        throw error;
      },
    });
    send(host, faulty.slot);
    if (method !== 'onReleased') host.sendClosed(faulty.slot);
    host.sendHead(sound.slot, whole, 200, [], null);
    host.publish();
    thread.channel.receive(10);
    t.deepEqual(faulty.faults, [error]);
    t.is(heldSlots(scripted), 0, 'the final message gives the slot back all the same');
    t.deepEqual(sound.said, [['head', whole, 200]]);
    t.deepEqual(sound.faults, []);
    t.deepEqual(scripted.corrupted, []);
  });
}

test('a job that a full ring refuses leaves no trace', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(100, 1024);
  const { thread } = scripted;
  let assigned = 0;
  while (thread.assign(new RecordingJob())) assigned++;
  t.true(assigned > 0 && assigned < 100);
  t.is(thread.outstanding, assigned);
  t.is(heldSlots(scripted), assigned);
  t.is(scripted.begin().length, assigned);
  t.true(thread.assign(new RecordingJob()));
});

test('a job is taken back until the thread begins it, and its slot serves again', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(1);
  const { thread } = scripted;
  const first = new RecordingJob('first');
  thread.assign(first);
  t.is(thread.unbegunTail, first);
  t.true(thread.takeBack(first));
  t.is(first.state, 'released');
  t.is(first.released, 0, 'it was never the thread’s');
  const second = new RecordingJob('second');
  t.true(thread.assign(second));
  t.deepEqual(scripted.begin(), ['second']);
  t.is(thread.unbegunTail, null);
  t.false(thread.takeBack(second));
  t.is(second.state, 'assigned');
});

test('a thread that dies gives what it has not begun, oldest first, and loses the rest', (t) => {
  const bench = new PoolBench();
  bench.turns.nowMs = 1;
  const scripted = bench.addThread(4);
  const { thread, host } = scripted;
  const jobs = ['a', 'b', 'c', 'd'].map((name) => new RecordingJob(name));
  for (const job of jobs) thread.assign(job);
  t.deepEqual(scripted.begin(2), ['a', 'b']);
  host.sendHead(jobs[0]!.slot, whole, 200, [], null);
  host.publish();
  t.deepEqual(thread.die(), [jobs[2]!, jobs[3]!]);
  t.deepEqual(jobs[0]!.said, [['head', whole, 200]], 'what it said before it died is heard');
  t.deepEqual(
    jobs.map(({ released, lost }) => [released, lost]),
    [
      [1, 0],
      [1, 1],
      [0, 0],
      [0, 0],
    ],
  );
  t.is(thread.outstanding, 0);
  t.false(thread.hasRoom);
  t.is(heldSlots(scripted), 0);
});

test('jobs that wait for room are called once each, and again from where the ring was full', (t) => {
  const bench = new PoolBench();
  const { thread } = bench.addThread(4);
  const jobs = ['a', 'b', 'c'].map((name) => new RecordingJob(name));
  const called: string[] = [];
  let room = 2;
  for (const job of jobs) {
    thread.assign(job);
    job.onRoom = () => {
      called.push(job.name);
      if (room-- > 0) return true;
      thread.waitForRoom(job);
      return false;
    };
    thread.waitForRoom(job);
  }
  thread.onRingRoom();
  t.deepEqual(called, ['a', 'b', 'c']);
  room = 10;
  thread.onRingRoom();
  thread.onRingRoom();
  t.deepEqual(called, ['a', 'b', 'c', 'c']);
});

test('a job that is over no longer waits for room', (t) => {
  const bench = new PoolBench();
  const { thread } = bench.addThread(4);
  const job = new RecordingJob();
  thread.assign(job);
  job.onRoom = () => t.fail();
  thread.waitForRoom(job);
  thread.takeBack(job);
  thread.onRingRoom();
  t.pass();
});

test('the oldest job that is not begun is found as the thread goes on, in whatever order jobs leave', (t) => {
  const bench = new PoolBench();
  const scripted = bench.addThread(8);
  const { thread } = scripted;
  const jobs = ['a', 'b', 'c', 'd', 'e'].map((name) => new RecordingJob(name));
  t.is(thread.oldestUnbegun, null);
  for (const job of jobs) thread.assign(job);
  t.is(thread.oldestUnbegun, jobs[0]!);
  scripted.begin(2);
  t.is(thread.oldestUnbegun, jobs[2]!);
  scripted.finish(jobs[0]!);
  thread.takeBack(jobs[2]!);
  t.is(thread.oldestUnbegun, jobs[3]!);
  scripted.begin(1);
  scripted.finish(jobs[3]!);
  t.is(thread.oldestUnbegun, jobs[4]!);
  scripted.begin();
  t.is(thread.oldestUnbegun, null);
  const next = new RecordingJob('next');
  thread.assign(next);
  t.is(thread.oldestUnbegun, next);
});

test('the thread notes since when it has had nothing to do', (t) => {
  const bench = new PoolBench();
  const { thread } = bench.addThread();
  const job = new RecordingJob();
  thread.assign(job);
  bench.turns.nowMs = 77;
  thread.takeBack(job);
  t.is(thread.idleSinceMs, 77);
});
