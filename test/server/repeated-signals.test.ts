/** Which signals count, by a clock that the test moves. */
import { EventEmitter } from 'node:events';
import test from 'ava';
import { createLog } from '../../runtime/logging/log.ts';
import { REPEATED_SIGINT_MS, StopSignals } from '../../runtime/process/stop-signals.ts';
import { LogLines } from './log-lines.ts';

function start() {
  const clock = { nowMs: 1_000 };
  const log = new LogLines();
  const source = new EventEmitter();
  const signals = new StopSignals(() => clock.nowMs, source);
  signals.tellTo(
    createLog({ level: 'info', format: 'json' }, { stream: log.stream, isTerminal: false, colour: false }),
  );
  const send = (signal: NodeJS.Signals) => source.emit(signal, signal);
  return { clock, log, signals, send };
}

test('a SIGINT that comes again within 200 ms is one signal, however often it comes', async (t) => {
  const { clock, log, signals, send } = start();
  send('SIGINT');
  await signals.first;
  for (const afterMs of [0, 100, 99]) {
    clock.nowMs += afterMs;
    send('SIGINT');
  }
  t.is(REPEATED_SIGINT_MS, 200);
  t.is(log.count('draining'), 1);
  t.is(log.count('second signal: ending'), 0);
  clock.nowMs += 1;
  send('SIGINT');
  t.is(await signals.second, 130);
  t.is(log.count('second signal: ending'), 1);
});

for (const [first, second, code] of [
  ['SIGINT', 'SIGTERM', 143],
  ['SIGTERM', 'SIGINT', 130],
  ['SIGTERM', 'SIGTERM', 143],
] as const) {
  test(`${second} at the same moment as ${first} is the second signal`, async (t) => {
    const { signals, send } = start();
    send(first);
    send(second);
    t.is(await signals.second, code);
  });
}
