/** An application that stops has its time, and no more. */
import test from 'ava';
import { stopApplication } from '../../workers/thread/stop.ts';
import { ManualClock } from '../wire/manual-clock.ts';

const shutdown = { end: async (close: () => unknown) => void (await close()) };

/** An application whose `stop` settles when the test says so. */
function begin(timeoutMs: number | undefined) {
  const clock = new ManualClock();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const failures: string[] = [];
  const over = stopApplication(
    { application: () => undefined, lifespan: { stop: () => promise } },
    shutdown,
    timeoutMs,
    (error) => failures.push(String(error)),
    clock,
  );
  return { clock, failures, over, resolve, reject };
}

test('time in which the process was stopped does not count for the stop of an application', async (t) => {
  const { clock, failures, over, resolve } = begin(30_000);
  clock.run(500);
  clock.stop(3_600_000);
  clock.run(20_000);
  resolve();
  await over;
  t.deepEqual(failures, []);
});

test('an application that does not stop is left to itself when its time is over', async (t) => {
  const { clock, failures, over } = begin(30_000);
  // It comes to its `stop` behind the close of its servers.
  await new Promise(setImmediate);
  clock.run(30_000);
  await over;
  t.deepEqual(failures, [
    "Error: expected the application's stop() to end within 30000 ms, but it still runs",
  ]);
});

test('a stop that fails is told, and no timer stays', async (t) => {
  const { clock, failures, over, reject } = begin(30_000);
  reject(new RangeError('no goodbye'));
  await over;
  clock.run(60_000);
  t.deepEqual(failures, ['RangeError: no goodbye']);
});

test('without a limit nothing ends the wait but the stop', async (t) => {
  const { clock, failures, over, resolve } = begin(undefined);
  await new Promise(setImmediate);
  clock.run(3_600_000);
  resolve();
  await over;
  t.deepEqual(failures, []);
});
