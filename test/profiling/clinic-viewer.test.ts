/** Where clinic is missing, another version, or fails. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { renderWithClinic } from '../../runtime/profiling/clinic-viewer.ts';

const goesOn = new AbortController().signal;

function project(t: ExecutionContext, clinic?: { version: string; program: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-clinic-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  if (clinic !== undefined) {
    const there = join(folder, 'node_modules/clinic');
    mkdirSync(there, { recursive: true });
    const manifest = { name: 'clinic', version: clinic.version, bin: { clinic: 'bin.js' } };
    writeFileSync(join(there, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(there, 'bin.js'), clinic.program);
  }
  return join(folder, 'package.json');
}

test('clinic that is not installed: what to install, and what to do then', async (t) => {
  const page = await renderWithClinic('flame', '/tmp/p.clinic-flame', [project(t)], goesOn);
  t.deepEqual(page, {
    missing:
      'clinic is not installed: `npm install --save-dev --save-exact clinic@13.0.0`, then `npx clinic flame --visualize-only /tmp/p.clinic-flame`',
  });
});

test('clinic of another version is not run', async (t) => {
  const place = project(t, { version: '12.1.0', program: 'process.exit(0)' });
  const page = await renderWithClinic('flame', '/tmp/p.clinic-flame', [place], goesOn);
  t.regex(
    'missing' in page ? page.missing : '',
    /expected clinic 13\.0\.0, whose format the data have, found 12\.1\.0/,
  );
});

test('clinic that fails is quoted, and asked to send nothing anywhere', async (t) => {
  const program =
    'console.error(process.env.NO_INSIGHT, process.env.NO_UPDATE_NOTIFIER, ...process.argv.slice(2)); process.exit(3)';
  const place = project(t, { version: '13.0.0', program });
  const page = await renderWithClinic('heapprofiler', '/tmp/p', [place], goesOn);
  t.deepEqual(page, {
    missing: 'clinic made no page: it ended with 3: 1 1 heapprofiler --visualize-only /tmp/p\n',
  });
});

test('clinic is not waited for when that is no longer wanted', async (t) => {
  const place = project(t, { version: '13.0.0', program: 'setInterval(() => undefined, 1000)' });
  const page = await renderWithClinic('flame', '/tmp/p', [place], AbortSignal.abort());
  t.true('missing' in page);
});
