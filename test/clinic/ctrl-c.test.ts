/**
 * Each of clinic's tools until Ctrl-C, which reaches clinic and the server, with the package as npm installs
 * and links it.
 */
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ClinicTool } from '../../runtime/clinic/injected.ts';
import { execute, manifest, packAndInstall } from '../package/packed.ts';
import { FileScope } from '../server/harness.ts';
import { pressCtrlC, runClinic } from './clinic-run.ts';
import { flameNames, heapUrls, processSamples, recordedEvents, recordedStacks } from './recorded.ts';

const scope = new FileScope();
let command: string;

test.before(async (t) => {
  t.timeout(120_000, 'npm pack on a busy machine');
  const { project, installed } = await packAndInstall(scope);
  command = join(project, 'node_modules/.bin/sluice');
  await mkdir(join(project, 'node_modules/.bin'));
  await symlink(join(installed, manifest.bin.sluice), command);
});
test.after.always(() => scope.end());

const recorded: Readonly<Record<ClinicTool, (data: string) => Promise<boolean> | boolean>> = {
  doctor: async (data) => {
    const times = (await processSamples(data)).map(({ timestamp }) => timestamp);
    const inOrder = [...times].sort((a, b) => a - b);
    const threads = new Set(
      recordedEvents(data)
        .filter(({ cat }) => cat === 'v8')
        .map(({ tid }) => tid),
    );
    return times.length > 0 && String(times) === String(inOrder) && threads.size === 1;
  },
  flame: (data) => [...flameNames(data)].some((name) => name.includes('/runtime/http2/')),
  bubbleprof: async (data) => (await recordedStacks(data)).length > 100,
  heapprofiler: (data) => [...heapUrls(data)].some((url) => url.includes('/runtime/')),
};

for (const [tool, isRecorded] of Object.entries(recorded) as [ClinicTool, (typeof recorded)[ClinicTool]][]) {
  test.serial(`${tool} has its data after Ctrl-C has ended the server as usual`, async (t) => {
    t.timeout(120_000);
    const run = runClinic(t, tool, { command, words: ['--collect-only'] });
    const origin = await run.listening();
    const { stdout } = await execute('h2load', ['-n', '200', '-c', '4', origin]);
    t.regex(stdout, /200 2xx, 0 3xx, 0 4xx, 0 5xx/);
    pressCtrlC(run);
    t.is(await run.ended, 0, run.output());
    t.is(run.log.count('draining'), 1);
    t.is(run.log.count('stopped'), 1);
    for (const wrong of ['thread died', 'pool stopped', 'second signal: '])
      t.is(run.log.count(wrong), 0, wrong);
    t.true(await isRecorded(run.data));
  });
}

test('if clinic is not installed, the command says what to install and leaves nothing behind', async (t) => {
  const directory = join(command, '../../..');
  await writeFile(
    join(directory, 'app.js'),
    `export default (exchange) => exchange.respond(200, {}, 'served');\n`,
  );
  await writeFile(
    join(directory, 'runtime.config.json'),
    JSON.stringify({ pools: { app: { application: './app.js' } }, routes: [{ path: '/*', pool: 'app' }] }),
  );
  const flame = [command, 'flame', '--output', 'profile', '--load', '/'];
  const error = await t.throwsAsync(execute(process.execPath, flame, { cwd: directory }));
  t.like(error, { code: 1, stdout: '' });
  t.regex(
    (error as Error & { readonly stderr: string }).stderr,
    /^sluice: expected clinic 13\.0\.0 .*, found none; install it: npm install .*clinic@13\.0\.0 \[SLUICE_CLINIC_MISSING\]\n$/,
  );
  t.false(existsSync(join(directory, 'profile')));
});
