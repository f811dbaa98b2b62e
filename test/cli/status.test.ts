/** `sluice status` as a person runs it, beside servers that run. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { ownFolder } from '../control/control-server.ts';
import { application } from '../server/harness.ts';
import { LogLines } from '../server/log-lines.ts';
import { startProcess } from '../server/process.ts';

const command = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));
const pools = { app: { application: application('server', 'pool-name'), threads: { max: 1 } } };

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function status(file: string, variables: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    const words = [command, 'status', '--config', file];
    const child = execFile(
      process.execPath,
      words,
      { env: { ...process.env, ...variables } },
      (_error, stdout, stderr) => resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
}

test('status shows one server, all servers of a configuration, or that none runs', async (t) => {
  const base = ownFolder(t);
  const variables = { XDG_RUNTIME_DIR: base };
  const first = startProcess(t, { pools }, [], variables);
  await first.listening();
  const one = await status(first.file, variables);
  t.is(one.exitCode, 0, one.stderr);
  t.like(JSON.parse(one.stdout), { pid: first.child.pid, state: 'running', pools: [{ name: 'app' }] });

  const second = spawn(process.execPath, [command, 'start', '--config', first.file], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => second.kill('SIGKILL'));
  const log = new LogLines();
  second.stdout.setEncoding('utf8').on('data', (text: string) => log.push(text));
  await log.until('listening on');
  const both = await status(first.file, variables);
  const pids = both.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).pid);
  t.deepEqual(pids.toSorted(), [first.child.pid, second.pid].toSorted());

  for (const child of [first.child, second]) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  const gone = await status(first.file, variables);
  t.is(gone.exitCode, 1);
  t.regex(
    gone.stderr,
    /^sluice: .*expected a server that runs it.*found none; start it.* \[SLUICE_CONTROL_NO_SERVER\]$/m,
  );
  t.is(gone.stdout, '');
});
