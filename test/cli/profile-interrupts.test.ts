/** What Ctrl-C does to `sluice profile`, with a clock and signals of the test's own. */
import { EventEmitter } from 'node:events';
import test from 'ava';
import { listenForInterrupts } from '../../runtime/cli/profile-interrupts.ts';
import { REPEATED_SIGINT_MS, StopSignals } from '../../runtime/process/stop-signals.ts';

function listen() {
  const source = new EventEmitter();
  const calls: string[] = [];
  let nowMs = 0;
  const stream = { endEarly: () => void calls.push('end early'), cancel: () => void calls.push('cancel') };
  const givenUp = listenForInterrupts(stream, new StopSignals(() => nowMs, source));
  const press = async (atMs: number) => {
    nowMs = atMs;
    source.emit('SIGINT', 'SIGINT');
    // What follows a signal follows in promises.
    await Promise.resolve();
    await Promise.resolve();
  };
  return { press, calls, givenUp };
}

test('a Ctrl-C that npx passes on as well ends the profile, and leaves its report', async (t) => {
  const { press, calls, givenUp } = listen();
  await press(1_000);
  await press(1_000 + REPEATED_SIGINT_MS - 1);
  t.deepEqual(calls, ['end early']);
  t.false(givenUp.aborted);
});

test('a second Ctrl-C gives up the report', async (t) => {
  const { press, calls, givenUp } = listen();
  await press(1_000);
  await press(1_000 + REPEATED_SIGINT_MS);
  t.deepEqual(calls, ['end early', 'cancel']);
  t.true(givenUp.aborted);
});
