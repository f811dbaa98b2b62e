/** What reload after reload leaves behind: nothing. More of them than the suite runs: SLUICE_RELOADS=50 npx ava test/reload/leaks.test.ts */
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { parseConfig } from '../../runtime/config/load.ts';
import { application, configInput, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const RELOADS = Number(process.env.SLUICE_RELOADS ?? 6);
/** What is compiled and cached on first use has been by then. */
const WARM_UP_RELOADS = 2;
/** A reload that kept the reactor's side of one thread would keep 64 KiB of rings in each alone. */
const MOST_KEPT_BYTES_EACH = 32_768;

const LOOK_EVERY_MS = 20;

interface Resources {
  readonly handles: Record<string, number>;
  readonly threads: number;
}

function resources(): Resources {
  const handles: Record<string, number> = {};
  for (const what of process.getActiveResourcesInfo()) {
    // Immediates and timers come and go.
    if (what !== 'Immediate' && what !== 'Timeout') handles[what] = (handles[what] ?? 0) + 1;
  }
  const threads = process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0;
  return { handles, threads };
}

/** What there is more of than before. */
function moreThan(before: Resources): string[] {
  const { handles, threads } = resources();
  const more = Object.keys(handles).filter((what) => (handles[what] ?? 0) > (before.handles[what] ?? 0));
  return threads > before.threads ? [...more, 'threads'] : more;
}

function keptBytes(): number {
  collect();
  const { heapUsed, arrayBuffers, external } = process.memoryUsage();
  return heapUsed + Math.max(arrayBuffers, external);
}

test('reloads leave no handle, thread or memory behind', async (t) => {
  t.timeout(120_000 + 5_000 * RELOADS);
  const input = {
    pools: { pool: { application: application('server', 'pool-name'), threads: 1, minUptimeMs: 0 } },
  };
  const { server, origin } = await startServer(t, input);
  const session = await connectHttp2(t, origin);
  const reload = async () => {
    await server.reload(parseConfig(JSON.stringify(configInput(input)), 'test.config.json'));
    await server.reloadSettled();
    t.is((await request(session, { ':path': '/' })).status, 200);
  };
  for (let i = 0; i < WARM_UP_RELOADS; i++) await reload();
  const before = resources();
  const bytesBefore = keptBytes();
  for (let i = 0; i < RELOADS; i++) await reload();
  // Threads and their ports end in turns of their own; what stays is met by the test's deadline.
  while (moreThan(before).length > 0) await delay(LOOK_EVERY_MS);
  const mostBytes = bytesBefore + MOST_KEPT_BYTES_EACH * RELOADS;
  while (keptBytes() > mostBytes) await delay(LOOK_EVERY_MS);
  t.log(`${RELOADS} reloads: ${keptBytes() - bytesBefore} bytes more`, resources());
  t.deepEqual(moreThan(before), []);
});
