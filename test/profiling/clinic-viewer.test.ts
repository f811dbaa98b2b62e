/** What happens if clinic is missing, has another version, or fails. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { findClinic } from '../../runtime/clinic/installed.ts';
import { renderWithClinic } from '../../runtime/profiling/clinic-viewer.ts';

const goesOn = new AbortController().signal;

/** Searches for clinic only in this project. */
function project(t: ExecutionContext, clinic?: { version: string; program: string }) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-clinic-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  if (clinic !== undefined) {
    const there = join(folder, 'node_modules/clinic');
    mkdirSync(there, { recursive: true });
    const manifest = { name: 'clinic', version: clinic.version, bin: { clinic: 'bin.js' } };
    writeFileSync(join(there, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(there, 'bin.js'), clinic.program);
  }
  return { folder, find: () => findClinic(folder, join(folder, 'package.json')) };
}

test('if clinic is not installed, the message says what to install and what to do then', async (t) => {
  const { folder, find } = project(t);
  const page = await renderWithClinic('flame', '/tmp/p.clinic-flame', find, goesOn);
  t.deepEqual(page, {
    missing: `no page by clinic: expected clinic 13.0.0 among the packages of ${folder}, found none; install it: npm install --save-dev --save-exact clinic@13.0.0; then \`npx clinic flame --visualize-only /tmp/p.clinic-flame\``,
  });
});

test('another version of clinic is not run', async (t) => {
  const { find } = project(t, { version: '12.1.0', program: 'process.exit(0)' });
  const page = await renderWithClinic('flame', '/tmp/p.clinic-flame', find, goesOn);
  t.regex('missing' in page ? page.missing : '', /expected clinic 13\.0\.0, found 12\.1\.0/);
});

test('output of a failed clinic is quoted, and clinic is told to send nothing anywhere', async (t) => {
  const program =
    'console.error(process.env.NO_INSIGHT, process.env.NO_UPDATE_NOTIFIER, ...process.argv.slice(2)); process.exit(3)';
  const { find } = project(t, { version: '13.0.0', program });
  const page = await renderWithClinic('heapprofiler', '/tmp/p', find, goesOn);
  t.deepEqual(page, {
    missing: 'clinic made no page: it ended with 3: 1 1 heapprofiler --visualize-only /tmp/p\n',
  });
});

test('waiting for clinic ends when its result is no longer wanted', async (t) => {
  const { find } = project(t, { version: '13.0.0', program: 'setInterval(() => undefined, 1000)' });
  const page = await renderWithClinic('flame', '/tmp/p', find, AbortSignal.abort());
  t.true('missing' in page);
});
