/** Signals in the middle of a reload under load: a process of its own, whose clients notice nothing but that it ends (`../faults/fault-load.ts`). */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { FaultLoad, ROUNDS } from '../faults/fault-load.ts';
import { START_PATIENCE_MS } from '../server/harness.ts';
import { startProcess } from '../server/process.ts';

for (let round = 1; round <= ROUNDS; round++) {
  test.serial(
    `SIGHUP, a second one and SIGTERM in the middle of a reload under load: ${round}`,
    async (t) => {
      const load = new FaultLoad(t);
      const pool = { ...load.pool(), startTimeoutMs: START_PATIENCE_MS };
      const { child, listening, log, ended } = startProcess(t, { pools: { pool } });
      await load.begin(await listening());
      await load.completed(100);
      const asked = async (times: number) => {
        child.kill('SIGHUP');
        await log.until('reload requested', () => log.count('reload requested') === times);
      };
      // One that comes to its end, with another in the middle of it, which stays in the middle.
      load.fate = 'waits on load';
      await asked(1);
      await load.completed(100);
      await asked(2);
      load.fate = 'lives';
      await log.until('reloaded: ');
      load.fate = 'waits on load';
      await asked(3);
      await load.completed(100);
      t.is(log.count('thread died'), 0);
      child.kill('SIGTERM');
      t.deepEqual(await ended, { code: 0, signal: null });
      const { failed } = await load.end();
      t.is(failed, 0);
      t.is(log.count('thread died'), 0);
    },
  );
}

const onLinux = process.platform === 'linux' ? test.serial : test.serial.skip;
/** Longer than anything that is to go on waits for, on a busy machine. */
const LIMIT_MS = 8_000;

onLinux(
  'a process that is stopped for longer than its limits, in a reload under load, goes on',
  async (t) => {
    const load = new FaultLoad(t);
    const pool = {
      ...load.pool(),
      queue: { maxWaitMs: LIMIT_MS },
      computeTimeoutMs: LIMIT_MS,
      minUptimeMs: 300,
      startTimeoutMs: START_PATIENCE_MS,
    };
    const { child, listening, log } = startProcess(t, { pools: { pool } });
    await load.begin(await listening());
    await load.completed(100);
    load.fate = 'waits on load';
    child.kill('SIGHUP');
    await log.until('reload requested');
    await load.completed(100);
    child.kill('SIGSTOP');
    while (!/ T /.test(readFileSync(`/proc/${child.pid}/stat`, 'latin1'))) await delay(20);
    await delay(LIMIT_MS + 500);
    child.kill('SIGCONT');
    load.fate = 'lives';
    await log.until('reloaded: ');
    await load.completed(100);
    const { failed, refused } = await load.end();
    t.deepEqual([failed, refused], [0, 0]);
    t.is(log.count('thread overdue'), 0);
    t.is(log.count('thread died'), 0);
  },
);
