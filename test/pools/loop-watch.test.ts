/** For how long a thread has not come back to its loop, on a clock of the test's own. */
import test from 'ava';
import { LoopWatch, type WatchedThread } from '../../runtime/pools/loop-watch.ts';

/** A thread as the watch sees it, for the test to move. */
function bench(mostSilentMs = 60_000) {
  const thread = {
    state: 'ready' as WatchedThread['state'],
    outstanding: 1,
    hasOtherWork: false,
    heardAtMs: 0,
    vitals: { turn: 1 },
    channel: {
      peerSleeps: false,
      wakePeer: () => {
        woken++;
        thread.channel.peerSleeps = false;
      },
    },
  };
  let woken = 0;
  let nowMs = 0;
  const watch = new LoopWatch(thread, mostSilentMs);
  watch.look(nowMs);
  /** Looks every so often for so long; for how long the thread is silent at the end. */
  const pass = (ms: number, everyMs = 250, meanwhile: () => void = () => undefined) => {
    let silentMs = 0;
    for (const end = nowMs + ms; nowMs < end; ) {
      nowMs += everyMs;
      meanwhile();
      silentMs = watch.look(nowMs);
    }
    return silentMs;
  };
  return { thread, watch, pass, woken: () => woken };
}

test('a thread that is awake and begins no turn is silent', (t) => {
  const { pass } = bench();
  t.is(pass(10_000), 10_000);
});

test('a turn is an end of the silence', (t) => {
  const { thread, pass } = bench();
  pass(10_000);
  t.is(
    pass(1_000, 250, () => thread.vitals.turn++),
    0,
  );
  t.is(pass(1_000), 1_000);
});

test('a thread that answers one job after another within a turn is not silent', (t) => {
  const { thread, pass } = bench();
  t.is(
    pass(100_000, 250, () => thread.heardAtMs++),
    0,
  );
});

test('a thread that sleeps without work is left alone', (t) => {
  const { thread, pass, woken } = bench();
  thread.channel.peerSleeps = true;
  thread.outstanding = 0;
  t.is(pass(100_000), 0);
  t.is(woken(), 0);
});

test('a thread that sleeps while jobs await something is woken about once a second, turns, and is not silent', (t) => {
  const { thread, pass, woken } = bench();
  thread.channel.peerSleeps = true;
  const turn = () => {
    if (thread.channel.peerSleeps) return;
    thread.vitals.turn++;
    thread.channel.peerSleeps = true;
  };
  t.is(pass(100_000, 250, turn), 0);
  t.true(woken() >= 50 && woken() <= 101, String(woken()));
});

test('a thread that computes behind its sleep does not turn when it is woken: it is silent', (t) => {
  const { thread, pass, woken } = bench();
  thread.channel.peerSleeps = true;
  t.is(pass(10_000), 9_750);
  t.is(woken(), 1);
});

test('a thread that drains is woken without any job: its application may hang while it stops', (t) => {
  const { thread, pass } = bench();
  thread.channel.peerSleeps = true;
  thread.outstanding = 0;
  thread.state = 'draining';
  t.is(pass(10_000), 9_750);
});

test('a thread that sleeps with other work than jobs is woken: a method of an actor may hang behind its sleep', (t) => {
  const { thread, pass, woken } = bench();
  thread.channel.peerSleeps = true;
  thread.outstanding = 0;
  thread.hasOtherWork = true;
  t.is(pass(10_000), 9_750);
  t.is(woken(), 1);
});

test('it is woken often enough to be seen within a short limit', (t) => {
  const { thread, pass, woken } = bench(400);
  pass(1_000, 10, () => {
    if (!thread.channel.peerSleeps) thread.vitals.turn++;
    thread.channel.peerSleeps = true;
  });
  t.true(woken() >= 9, String(woken()));
});

test('a clock that jumps, as that of a process that was stopped, counts for one look at most', (t) => {
  const { pass } = bench();
  pass(1_000);
  t.is(pass(3_600_000, 3_600_000), 2_500);
  t.is(pass(1_000), 3_500, 'it goes on from there');
});

test('a clock that jumps back counts for nothing', (t) => {
  const { watch } = bench();
  watch.look(1_000);
  t.is(watch.look(500), 1_000);
  t.is(watch.look(600), 1_100);
});

test('what was excused does not count', (t) => {
  const { watch, pass } = bench();
  pass(10_000);
  watch.excuse();
  t.is(pass(1_000), 1_000);
});
