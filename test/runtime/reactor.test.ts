/** The reactor's turns, taken by hand. */
import test from 'ava';
import type { Flushable } from '../../runtime/connections/turns.ts';
import { Thread } from '../../runtime/pools/thread.ts';
import { Reactor } from '../../runtime/server/reactor.ts';
import { openChannel } from '../../wire/channel.ts';
import { RECORDS_INDEX } from '../../wire/layout.ts';
import { RecordingJob } from '../pools/recording-job.ts';
import { type Received, recordThread } from '../wire/record.ts';
import { ManualLoop } from './model/manual-loop.ts';

const loop = new ManualLoop();
loop.install();

function start(threads = 1) {
  loop.clear();
  let maintained = 0;
  const hooks = { onMaintain: () => undefined as unknown };
  const reactor = new Reactor(5, () => {
    maintained++;
    hooks.onMaintain();
  });
  const made = Array.from({ length: threads }, (_, i) => {
    const corrupted: Error[] = [];
    const thread: Thread = new Thread(
      `t-${i}`,
      {
        onRoom() {},
        onCorrupt: (_thread, error) => {
          corrupted.push(error);
          reactor.removeThread(thread);
        },
      },
      reactor,
      4,
      65_536,
    );
    const received: Received[] = [];
    const host = openChannel(thread.transfer, recordThread(received));
    /** Gives it a job, which the thread begins. */
    const begin = () => {
      const job = new RecordingJob();
      thread.assign(job);
      thread.channel.publish();
      host.receive(10);
      host.claims.claim(job.slot, job.generation);
      return job;
    };
    thread.channel.unref();
    host.unref();
    thread.state = 'ready';
    reactor.addThread(thread);
    return { thread, host, received, corrupted, begin };
  });
  return { reactor, threads: made, hooks, maintained: () => maintained };
}

class Connection implements Flushable {
  isDirty = false;
  flushes = 0;
  readonly onFlush: () => void;

  constructor(onFlush: () => void = () => undefined) {
    this.onFlush = onFlush;
  }

  flush(): void {
    this.flushes++;
    this.onFlush();
  }
}

function sleep(): void {
  for (let i = 0; i < 50 && loop.pending > 0; i++) loop.runAll();
}

test.serial('a turn is asked for once, however many ask', (t) => {
  const { reactor } = start(0);
  t.is(loop.pending, 0);
  reactor.request();
  reactor.request();
  t.is(loop.pending, 1);
});

test.serial('a turn publishes, receives and publishes what that made', (t) => {
  const { threads } = start();
  const [{ thread, host, received }] = threads as [(typeof threads)[0]];
  const job = new RecordingJob();
  thread.assign(job);
  t.is(host.receive(10), 0);
  host.sendHead(job.slot, 0, 200, [], null);
  host.publish();
  job.onHeadSend = () => thread.channel.sendCredit(job.slot, 7);
  loop.runAll();
  host.receive(10);
  t.deepEqual(
    received.map(([kind]) => kind),
    ['open', 'credit'],
  );
});

test.serial('a connection is flushed once per turn, in the turn that made it dirty', (t) => {
  const { reactor } = start(0);
  const second = new Connection();
  const first = new Connection(() => reactor.flushLater(second));
  reactor.flushLater(first);
  reactor.flushLater(first);
  loop.runAll();
  t.is(first.flushes, 1);
  t.is(second.flushes, 1);
  t.false(first.isDirty);
  loop.runAll();
  t.is(first.flushes, 1);
});

test.serial('without anything to do the reactor sleeps, and asks threads to ring from then on', (t) => {
  const { reactor, threads } = start();
  sleep();
  t.is(loop.pending, 0);
  t.true(threads[0]!.host.peerSleeps);
  threads[0]!.thread.onWake();
  t.is(loop.pending, 1);
  reactor.request();
  t.is(loop.pending, 1);
  loop.runAll();
  t.true(threads[0]!.host.peerSleeps, 'a turn that brought nothing leads back to sleep at once');
});

test.serial('it does not sleep over what a thread has published', (t) => {
  const { threads } = start(2);
  for (const [index, { thread, host, begin }] of threads.entries()) {
    const job = begin();
    sleep();
    host.sendHead(job.slot, 3, 200, [], null);
    host.publish();
    t.is(job.said.length, 0);
    thread.onWake();
    sleep();
    t.deepEqual(job.said[0]?.[0], 'head', `thread ${index}`);
  }
});

test.serial('nor over what comes while it is about to', (t) => {
  // One of these turns is the one that ends in sleep.
  for (let last = 1; last <= 12; last++) {
    const { threads, hooks, maintained } = start();
    const [{ host, begin }] = threads as [(typeof threads)[0]];
    const job = begin();
    hooks.onMaintain = () => {
      if (maintained() !== last) return;
      host.sendHead(job.slot, 3, 200, [], null);
      host.publish();
    };
    for (let turn = 0; turn < 30 && loop.pending > 0; turn++) {
      loop.nowMs += 5;
      loop.runAll();
    }
    if (maintained() >= last) t.is(job.said[0]?.[0], 'head', `turn ${last}`);
  }
});

test.serial('nor over output that the look at what is open has made', (t) => {
  const { reactor, threads, hooks } = start();
  const [{ thread }] = threads as [(typeof threads)[0]];
  sleep();
  const connection = new Connection();
  // As a refusal of what has waited too long does; it comes behind the flush of its turn.
  hooks.onMaintain = () => reactor.flushLater(connection);
  loop.nowMs = 100;
  // A lone request, which the reactor does not poll for.
  const job = new RecordingJob();
  Object.defineProperty(job, 'awaitsOnlyResponse', { value: true });
  thread.assign(job);
  loop.runAll();
  t.is(connection.flushes, 0);
  t.false(reactor.isAsleep);
  hooks.onMaintain = () => undefined;
  loop.runAll();
  t.is(connection.flushes, 1);
});

test.serial('while jobs are open it looks after them every few milliseconds, awake or asleep', (t) => {
  const { threads, maintained } = start();
  const [{ thread }] = threads as [(typeof threads)[0]];
  sleep();
  t.is(maintained(), 0, 'nothing is open');
  loop.nowMs = 100;
  thread.assign(new RecordingJob());
  loop.runAll();
  t.is(maintained(), 1);
  loop.nowMs = 104;
  loop.runAll();
  t.is(maintained(), 1);
  loop.nowMs = 105;
  sleep();
  t.is(maintained(), 2);
  t.is(loop.pending, 0, 'it sleeps, the thread computes');
  loop.nowMs = 111;
  loop.fireTimers();
  loop.runAll();
  t.is(maintained(), 3);
});

test.serial('a thread that is found corrupt and removed in a turn does not stop the others', (t) => {
  const { threads } = start(3);
  const jobs = threads.map(({ host, begin }) => {
    const job = begin();
    host.sendHead(job.slot, 3, 200, [], null);
    host.publish();
    return job;
  });
  new Int32Array(threads[1]!.thread.transfer.responses)[RECORDS_INDEX] = 2 ** 30;
  sleep();
  t.is(threads[1]!.corrupted.length, 1);
  t.deepEqual(
    jobs.map((job) => job.said.length),
    [1, 0, 1],
  );
});
