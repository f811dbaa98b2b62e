/** `sluice start app.mjs`: an application without a configuration file, and the questions about its server. */
import { type ExecFileException, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { ownFolder } from '../control/control-server.ts';
import { AppFolder } from '../reload/app-folder.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { LogLines } from '../server/log-lines.ts';

const command = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));

test('a module gets every request, and commands find and reload its server by the name of the module', async (t) => {
  const folder = new AppFolder(t);
  const file = folder.answering('app.mjs', 'old');
  const env = { ...process.env, XDG_RUNTIME_DIR: ownFolder(t) };
  const cwd = dirname(file);
  const run = (...words: string[]) =>
    new Promise<{ error: ExecFileException | null; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, [command, ...words], { cwd, env }, (error, stdout, stderr) =>
        resolve({ error, stdout, stderr }),
      );
    });

  const checked = await run('check', 'app.mjs');
  t.is(checked.error, null, checked.stderr);
  t.regex(checked.stdout, /^ {2}127\.0\.0\.1:8080 /m);
  t.regex(checked.stdout, /^ {2}app {2}.* threads?, app\.mjs$/m);

  const words = ['start', 'app.mjs', '--port', '0', '--threads', '1', '--log-format', 'json'];
  const server = spawn(process.execPath, [command, ...words], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => server.kill('SIGKILL'));
  const log = new LogLines();
  server.stdout.setEncoding('utf8').on('data', (text: string) => log.push(text));
  const { address } = await log.until('listening on');
  const textOf = async (path: string) => String((await requestHttp1(`http://${address}${path}`)).body);
  t.is(await textOf('/'), 'old');
  t.is(await textOf('/anything/else?x'), 'old');

  const status = await run('status', 'app.mjs');
  t.is(status.error, null, status.stderr);
  t.like(JSON.parse(status.stdout), { pid: server.pid, pools: [{ name: 'app' }] });

  folder.answering('app.mjs', 'new');
  const reloaded = await run('reload', './app.mjs');
  t.is(reloaded.error, null, reloaded.stderr);
  t.regex(reloaded.stdout, /pool app: 1 thread replaced/);
  t.is(await textOf('/'), 'new');

  server.kill('SIGTERM');
  t.deepEqual(await once(server, 'exit'), [0, null]);
});

test('start exits 3 and names the module if it is missing', async (t) => {
  const cwd = ownFolder(t);
  const child = spawn(process.execPath, [command, 'start', 'missing.ts'], { cwd });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  t.deepEqual(await once(child, 'close'), [3, null]);
  t.regex(errors, /expected a module that exists, got ".*missing\.ts" \[SLUICE_CONFIG_APPLICATION_MISSING\]/);
});
