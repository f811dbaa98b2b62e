/** `sluice stop`: what is open finishes, the command waits for it, and says so. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { connectControl } from '../../runtime/control/find.ts';
import { configOf, ownFolder } from '../control/control-server.ts';
import { application } from '../server/harness.ts';
import { startProcess } from '../server/process.ts';

const command = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function stop(file: string, variables: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    const words = [command, 'stop', '--config', file];
    const env = { ...process.env, ...variables };
    const child = execFile(process.execPath, words, { env }, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
}

test('stop lets the servers of a configuration finish open exchanges and waits until they have ended', async (t) => {
  const folder = ownFolder(t);
  const variables = { XDG_RUNTIME_DIR: folder };
  const echo = join(folder, 'echo.mjs');
  writeFileSync(
    echo,
    'export default async (exchange) => exchange.respond(200, {}, await exchange.body.text());',
  );
  const pools = { app: { application: echo, threads: { min: 1, max: 1 } } };
  const first = startProcess(t, { pools }, [], variables);
  const origin = await first.listening();
  const open = request(origin, { method: 'POST', agent: false, headers: { expect: '100-continue' } });
  const answered = once(open, 'response');
  open.flushHeaders();
  // The application waits for the content.
  await once(open, 'continue');
  const stopped = stop(first.file, variables);
  await first.log.until('draining, requested over the control socket: open exchanges finish');
  // Asked twice is not asked to end at once.
  const client = await connectControl(configOf({}, first.file), { environment: variables });
  t.teardown(() => client.close());
  const { pid } = first.child;
  t.deepEqual(await client.ask('POST', '/stop'), { pid });
  open.end('whole');
  const [response] = await answered;
  t.is(await text(response), 'whole');
  t.deepEqual(await stopped, { exitCode: 0, stdout: `stopped: process ${pid}\n`, stderr: '' });
  t.deepEqual(await first.ended, { code: 0, signal: null });
});

test('without a running server stop exits 1 and says so', async (t) => {
  const variables = { XDG_RUNTIME_DIR: ownFolder(t) };
  const pools = { app: { application: application('server', 'pool-name'), threads: { max: 1 } } };
  const { file, listening, ended } = startProcess(t, { pools }, [], variables);
  await listening();
  t.is((await stop(file, variables)).exitCode, 0);
  await ended;
  const nobody = await stop(file, variables);
  t.is(nobody.exitCode, 1);
  t.regex(nobody.stderr, /^sluice: not stopped: .* \[SLUICE_CONTROL_NO_SERVER\]\n$/);
});
