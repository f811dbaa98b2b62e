/** Who asks during a run gets the next one, together with everybody else. */
import test from 'ava';
import { OneAtATime } from '../../runtime/reload/one-at-a-time.ts';

function start() {
  const runs: PromiseWithResolvers<string>[] = [];
  const line = new OneAtATime<string>(() => {
    const run = Promise.withResolvers<string>();
    runs.push(run);
    return run.promise;
  });
  return { runs, line };
}

/** What waits begins behind the microtasks of what ended. */
const begun = () => new Promise((resolve) => setImmediate(resolve));

test('runs do not overlap, and all who ask during one share the next', async (t) => {
  const { runs, line } = start();
  const first = line.ask();
  const others = [line.ask(), line.ask(), line.ask()];
  t.is(runs.length, 1);
  runs[0]?.resolve('one');
  t.is(await first, 'one');
  await begun();
  const late = line.ask();
  t.is(runs.length, 2);
  runs[1]?.resolve('two');
  t.deepEqual(await Promise.all(others), ['two', 'two', 'two']);
  await begun();
  runs[2]?.resolve('three');
  t.is(await late, 'three');
  t.is(runs.length, 3);
});

test('a run that fails fails for those who asked for it, and the next begins', async (t) => {
  const { runs, line } = start();
  const first = line.ask();
  const second = line.ask();
  runs[0]?.reject(new Error('broken'));
  await t.throwsAsync(first, { message: 'broken' });
  await begun();
  runs[1]?.resolve('mended');
  t.is(await second, 'mended');
});
