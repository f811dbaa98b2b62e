/** What counts towards the deadline of a drain: on a clock of the test's own. */
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { parseConfig } from '../../runtime/config/load.ts';
import { createLog } from '../../runtime/logging/log.ts';
import { Drain } from '../../runtime/server/drain.ts';
import { ManualClock } from '../wire/manual-clock.ts';
import { application, configInput } from './harness.ts';
import { LogLines } from './log-lines.ts';

test('time in which the process was stopped does not count towards the deadline of a drain', async (t) => {
  const pools = { app: { application: application('server', 'pool-name') } };
  const config = parseConfig(
    JSON.stringify(configInput({ pools, drainTimeoutMs: 8_000 })),
    'test.config.json',
  );
  const lines = new LogLines();
  const clock = new ManualClock();
  const server = {
    config,
    frontend: null,
    pools: [],
    onDraining: () => undefined,
    // Applications that never stop.
    stopApplications: () => new Promise<void>(() => undefined),
  };
  const log = createLog(config.log, { stream: lines.stream, isTerminal: false, colour: false });
  let state = 'draining';
  const drained = new Drain(server, log, clock).run().then(() => {
    state = 'over';
  });
  await setImmediate();
  clock.run(1_000);
  clock.stop(3_600_000);
  clock.run(4_000);
  await setImmediate();
  t.is(state, 'draining');
  clock.run(4_000);
  await drained;
  t.is(lines.count('drain deadline reached'), 1);
});
