/** Threads that do not come as far as their application: the flags of their pool have them preload a module that fails. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { startPool } from './start-pool.ts';

const HOUR_MS = 3_600_000;

function preloading(name: string) {
  const module = fileURLToPath(new URL(`applications/preloads/${name}.mjs`, import.meta.url));
  return { flags: { env: process.env, execArgv: ['--import', module] } };
}

for (const [name, message] of [
  ['throws', /the preloaded module breaks/],
  ['leaves', /worker exited with code: 5/],
] as const) {
  test(`the failure of a preloaded module is told at once, and by its name: ${name}`, async (t) => {
    const { pool } = startPool(t, 'scripted', { ...preloading(name), startTimeoutMs: HOUR_MS });
    await t.throwsAsync(pool.start(), { code: 'SLUICE_APPLICATION_LOAD_FAILED', message });
    t.is(pool.threadCount, 0);
  });
}

const onLinux = process.platform === 'linux' ? test.serial : test.serial.skip;
onLinux('a thread that hangs in a preloaded module ends at its time limit', async (t) => {
  const threads = () => readdirSync('/proc/self/task').length;
  const { pool } = startPool(t, 'scripted', { ...preloading('hangs'), startTimeoutMs: 300 });
  const before = threads();
  await t.throwsAsync(pool.start(), { message: /did not load within 300 ms/ });
  // One that goes on is met by the test's deadline.
  while (threads() > before) await new Promise((resolve) => setImmediate(resolve));
  t.is(pool.threadCount, 0);
});
