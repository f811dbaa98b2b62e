/** What the log says of requests that pools refuse. */
import test from 'ava';
import { OutcomeCounters } from '../../runtime/exchange/outcomes.ts';
import { createLog } from '../../runtime/logging/log.ts';
import { RefusalLog } from '../../runtime/logging/refusal-log.ts';
import { LogLines } from '../server/log-lines.ts';

function refusals() {
  const lines = new LogLines();
  const log = createLog(
    { level: 'info', format: 'json' },
    { stream: lines.stream, isTerminal: false, colour: false },
  );
  return { lines: lines.lines, refusals: new RefusalLog(log, 10_000), outcomes: new OutcomeCounters() };
}

test('the first is told at once, and then what has come in ten seconds, by pool and with the option', (t) => {
  const { lines, refusals: told, outcomes } = refusals();
  const pools = new Map([['app', outcomes]]);
  told.tick(0, pools);
  t.is(lines.length, 0);
  outcomes.queueFull = 3;
  told.tick(1_000, pools);
  t.is(lines.length, 1);
  t.like(lines[0], {
    level: 'warn',
    pool: 'app',
    refused: 3,
    queueFull: 3,
    option: 'pools.app.queue.maxExchanges',
  });
  t.false('waitedTooLong' in (lines[0] ?? {}));

  outcomes.queueFull = 5;
  outcomes.waitedTooLong = 1;
  outcomes.noThread = 4;
  told.tick(10_999, pools);
  t.is(lines.length, 1, 'too soon');
  told.tick(11_000, pools);
  t.like(lines[1], { pool: 'app', refused: 7, queueFull: 2, waitedTooLong: 1, noThread: 4 });

  outcomes.draining = 9;
  outcomes.complete = 9;
  told.tick(30_000, pools);
  t.is(lines.length, 2, 'a drain is no lack of room');
});

test('pools that are gone are forgotten, and one of the same name begins anew', (t) => {
  const { lines, refusals: told, outcomes } = refusals();
  outcomes.noThread = 2;
  told.tick(0, new Map([['app', outcomes]]));
  told.tick(1, new Map());
  const fresh = new OutcomeCounters();
  fresh.noThread = 1;
  told.tick(2, new Map([['app', fresh]]));
  t.deepEqual(
    lines.map(({ refused }) => refused),
    [2, 1],
  );
});
