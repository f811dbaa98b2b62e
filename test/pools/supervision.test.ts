import test from 'ava';
import { Supervision } from '../../runtime/pools/supervision.ts';

const cause = { name: 'Error', message: 'it broke', stack: '' };

function supervised() {
  const clock = { nowMs: 0, runningMs: 0, tick: () => undefined };
  const pool = {
    missingThreads: 0,
    isStarting: false,
    readyThreads: 1,
    minThreads: 1,
    startThread: () => undefined,
    onOutage: () => undefined,
    onDegraded: () => undefined,
    onRecovered: () => undefined,
  };
  const restart = { intensity: 1, periodMs: 1_000, delayMs: 100, maxDelayMs: 100, giveUp: false };
  return { clock, supervision: new Supervision(restart, pool, clock) };
}

test('time in which the process was stopped does not part deaths from one another', (t) => {
  const { clock, supervision } = supervised();
  supervision.onDied('p-1', cause, true, true);
  clock.nowMs = 60_000;
  clock.runningMs = 10;
  const { isTooMany, nextStartInMs } = supervision.onDied('p-2', cause, true, true);
  t.true(isTooMany);
  t.true(nextStartInMs >= 50);
  t.is(supervision.lastDeath?.atMs, 60_000, 'it is told when it was by the other clock');
});

test('deaths a period apart are each made good at once', (t) => {
  const { clock, supervision } = supervised();
  supervision.onDied('p-1', cause, true, true);
  clock.nowMs = 1_000;
  clock.runningMs = 1_000;
  t.deepEqual(supervision.onDied('p-2', cause, true, true), { isTooMany: false, nextStartInMs: 0 });
});
