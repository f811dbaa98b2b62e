/** `sluice exchanges`, `config`, `logs`, `events`, `log-level`, `recycle`, `resize`, `drain`, `reload`, `dashboard` and `check --effective`, as a person runs them beside a server. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { commands } from '../../runtime/cli/arguments.ts';
import { ownFolder } from '../control/control-server.ts';
import { application, type ServerInput } from '../server/harness.ts';
import { startProcess } from '../server/process.ts';

const command = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(words: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...variables };
    const child = execFile(process.execPath, [command, ...words], { env }, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
}

async function start(t: ExecutionContext, threads = 2, more: Partial<ServerInput> = {}) {
  const folder = ownFolder(t);
  const variables = { XDG_RUNTIME_DIR: folder };
  const echo = join(folder, 'echo.mjs');
  writeFileSync(
    echo,
    'export default async (exchange) => exchange.respond(200, {}, await exchange.body.text());',
  );
  const pools = { app: { application: echo, threads: { min: threads, max: threads }, minUptimeMs: 0 } };
  const server = startProcess(t, { pools, ...more }, [], variables);
  const origin = await server.listening();
  const ask = (...words: string[]) => run([...words, '--config', server.file], variables);
  return { server, origin, ask, variables };
}

/** A request whose content does not come until it is ended. */
async function open(origin: string, path: string) {
  const asked = request(new URL(path, origin), {
    method: 'POST',
    agent: false,
    headers: { expect: '100-continue' },
  });
  const answered = once(asked, 'response');
  asked.flushHeaders();
  await once(asked, 'continue');
  return { asked, answered };
}

for (const name of Object.keys(commands)) {
  test(`sluice ${name} --help says what it does, with an example, and exits 0`, async (t) => {
    const { exitCode, stdout, stderr } = await run([name, '--help']);
    t.is(stderr, '');
    t.is(exitCode, 0);
    t.regex(stdout, new RegExp(`^usage: sluice .*\\b${name}\\b`));
    t.regex(stdout, /\bexamples?:/i);
    t.true(stdout.endsWith('\n'));
  });
}

test('--help works before and after the command', async (t) => {
  const { stdout } = await run(['help', 'recycle']);
  t.regex(stdout, /^usage: sluice recycle \[pool or thread\]\.\.\. \[flags\]\n/);
  t.regex((await run(['help', 'check'])).stdout, /^usage: sluice check /);
});

test('invalid arguments exit 2 and say what was expected', async (t) => {
  for (const [words, says] of [
    [['recycle', '--pol', 'x'], /expected a flag of "sluice recycle", got --pol/],
    [['resize', 'app'], /expected sluice resize pool N\|MIN-MAX, got 1 words/],
    [['logs', '--lines'], /expected a value behind --lines/],
    [['drain', 'now'], /expected sluice drain/],
    [['exchanges', '--limit', '0'], /--limit: expected a whole number from 1 to 1000, got "0"/],
    [['log-level', 'debug', 'now'], /expected sluice log-level \[level\], got 2 words/],
  ] as const) {
    const { exitCode, stdout, stderr } = await run(words);
    t.is(exitCode, 2, stderr);
    t.is(stdout, '');
    t.regex(stderr, says);
    t.regex(stderr, new RegExp(`"sluice ${words[0]} --help" says more\\.`));
  }
});

test('without a running server each command says so and exits 1', async (t) => {
  const folder = ownFolder(t);
  const file = join(folder, 'runtime.config.json');
  const app = { application: application('server', 'pool-name') };
  writeFileSync(file, JSON.stringify({ pools: { app }, routes: [{ path: '/*', pool: 'app' }] }));
  const asked = ['exchanges', 'config', 'logs', 'events', 'log-level', 'recycle', 'drain', 'dashboard'].map(
    (name) => [name, '--config', file],
  );
  for (const words of [...asked, ['resize', 'app', '2', '--config', file]]) {
    const { exitCode, stderr } = await run(words, { XDG_RUNTIME_DIR: folder });
    t.is(exitCode, 1);
    t.regex(stderr, /start it, .* \[SLUICE_CONTROL_NO_SERVER\]\n$/);
  }
});

test('exchanges lists the exchanges in flight and what each waits for', async (t) => {
  // The client is to be silent for as long as the commands take.
  const { origin, ask } = await start(t, 2, { limits: { requestRate: { bytesPerSecond: 0 } } });
  const { asked, answered } = await open(origin, '/upload?secret=1');
  asked.write('part');
  const waits =
    /#1 {2}\S+ {2}POST \/upload {2}running {2}app-\d\n {4}waits for peer 127\.0\.0\.1:\d+: the application reads, and the client sends no more of its request\n/;
  let shown = await ask('exchanges');
  while (!waits.test(shown.stdout)) {
    t.is(shown.exitCode, 0, shown.stderr);
    shown = await ask('exchanges');
  }
  t.regex(shown.stdout, /^1 in flight\n/);
  t.regex(shown.stdout, /request: 4 B received, 0 B waiting, /);
  const json = JSON.parse((await ask('exchanges', '--json', '--pool', 'app')).stdout);
  t.like(json, { total: 1, exchanges: [{ path: '/upload', waitsFor: { who: 'peer' } }] });
  t.is((await ask('exchanges', '--older', '1h')).stdout, '0 in flight\n');
  const unknown = await ask('exchanges', '--pool', 'ap');
  t.is(unknown.exitCode, 1);
  t.regex(
    unknown.stderr,
    /pool: expected one of app, got "ap"; did you mean app\? \[SLUICE_ADMIN_UNKNOWN_POOL\]/,
  );
  asked.end();
  t.is(await text((await answered)[0]), 'part');
});

test('the effective configuration is shown before a start and for a running server', async (t) => {
  const { server, ask } = await start(t);
  const check = await run(['check', '--effective', '--config', server.file, '--threads', '3'], {
    SLUICE_LOG_LEVEL: 'warn',
  });
  t.is(check.exitCode, 0, check.stderr);
  t.regex(check.stdout, /^pools\.app\.threads\.min = 3 +--threads$/m);
  t.regex(check.stdout, /^log\.level = "warn" +SLUICE_LOG_LEVEL$/m);
  t.regex(check.stdout, /^drainTimeoutMs = 30000 +default$/m);
  t.regex(check.stdout, /^pools\.app\.minUptimeMs = 0 +file, line 1$/m);
  t.is((await ask('resize', 'app', '3')).stdout, 'pool app: from 3 to 3 threads, until the next reload\n');
  const config = await ask('config');
  t.regex(config.stdout, new RegExp(`^# ${server.file}\n`));
  t.regex(config.stdout, /^pools\.app\.threads\.max = 3 +admin$/m);
  const { values } = JSON.parse((await ask('config', '--json')).stdout);
  t.true(values.length > 100);
  const wrong = await ask('resize', 'app', '3-1');
  t.is(wrong.exitCode, 2);
  t.regex(wrong.stderr, /threads: expected a number of threads such as 4, or a range/);
});

test('threads and pools are recycled by name, and an unknown name lists those that exist', async (t) => {
  const { ask } = await start(t);
  t.is((await ask('recycle', 'app-1')).stdout, 'pool app: replaced app-1\n');
  t.is((await ask('recycle', 'app')).stdout, 'pool app: replaced app-2, app-3\n');
  t.is((await ask('recycle')).stdout, 'pool app: replaced app-4, app-5\n');
  const unknown = await ask('recycle', 'ap');
  t.is(unknown.exitCode, 1);
  t.regex(unknown.stderr, /pool or thread: expected one of app, app-6, app-7, got "ap"; did you mean app\?/);
});

test('Ctrl-C ends at once a command that waits for the server', async (t) => {
  const { server, origin, ask, variables } = await start(t, 1, {
    limits: { requestRate: { bytesPerSecond: 0 } },
  });
  const { asked, answered } = await open(origin, '/upload');
  const recycle = spawn(process.execPath, [command, 'recycle', 'app', '--config', server.file], {
    env: { ...process.env, ...variables },
    stdio: 'ignore',
  });
  const closed = once(recycle, 'close');
  while (!/recycled: asked/.test((await ask('events')).stdout));
  recycle.kill('SIGINT');
  t.deepEqual(await closed, [null, 'SIGINT']);
  asked.end('whole');
  t.is(await text((await answered)[0]), 'whole', 'the server goes on with what it was asked for');
});

test('what has happened to threads is told with its reason, for people and for programs', async (t) => {
  const { ask } = await start(t, 1);
  await ask('recycle', 'app-1');
  const events = await ask('events');
  t.is(events.exitCode, 0, events.stderr);
  t.regex(events.stdout, /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}app-1 {2}started\n/);
  t.regex(events.stdout, /Z {2}app-1 {2}recycled: asked\n/);
  const json = JSON.parse((await ask('events', '--json')).stdout);
  t.like(json.events[0], { pool: 'app', thread: 'app-1', what: 'started' });
});

test('the level of the log is shown and changed, until the next reload', async (t) => {
  const { server, ask } = await start(t, 1);
  t.is((await ask('log-level')).stdout, 'debug\n');
  t.is((await ask('log-level', 'warn')).stdout, 'log level: warn, until the next reload\n');
  await ask('recycle', 'app-1');
  await ask('log-level', 'debug');
  await ask('recycle', 'app-2');
  await server.log.until('thread started', ({ thread }) => thread === 'app-3');
  const started = server.log.lines.filter(({ msg }) => msg === 'thread started');
  t.deepEqual(
    started.map(({ thread }) => thread),
    ['app-1', 'app-3'],
    'what happened at the level warn was not logged',
  );
  const wrong = await ask('log-level', 'debgu');
  t.is(wrong.exitCode, 2);
  t.regex(wrong.stderr, /level: expected one of trace, debug, .*, got "debgu"; did you mean debug\?/);
  await ask('log-level', 'error');
  t.is((await ask('reload')).exitCode, 0);
  t.is((await ask('log-level')).stdout, 'debug\n');
});

test('the link of sluice dashboard gives access, and without an admin listener the command says what to add', async (t) => {
  const { ask } = await start(t, 1, { admin: { address: '127.0.0.1:0' } });
  const { stdout, exitCode } = await ask('dashboard');
  t.is(exitCode, 0);
  const url = new URL(stdout.trim());
  const link = url.hash.replace('#link=', '');
  const headers = { origin: url.origin, 'content-type': 'application/json' };
  const entered = await fetch(new URL('/session', url), {
    method: 'POST',
    headers,
    body: JSON.stringify({ link }),
  });
  t.is(entered.status, 200);
  const without = await start(t, 1);
  const refused = await without.ask('dashboard');
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /add "admin": \{\} to its configuration .*\[SLUICE_ADMIN_NO_LISTENER\]/);
});

test('logs prints the newest lines and follows the log until the server has ended', async (t) => {
  const { server, ask, variables } = await start(t);
  const newest = await ask('logs', '-n', '1000');
  const lines = newest.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.true(lines.some(({ msg }) => msg === 'listening on' || /listening/.test(msg)));
  const words = [command, 'logs', '-f', '-n', '0', '--config', server.file];
  const follower = spawn(process.execPath, words, { env: { ...process.env, ...variables } });
  t.teardown(() => follower.kill('SIGKILL'));
  const closed = once(follower, 'close');
  let shown = '';
  follower.stdout.setEncoding('utf8').on('data', (piece: string) => {
    shown += piece;
  });
  // It follows when it has shown a line that came after it began.
  for (let level = 0; shown === ''; level++) await ask('resize', 'app', String(2 + (level % 2)));
  t.is(JSON.parse(shown.split('\n')[0] ?? '').msg, 'pool resized on request');
  t.regex(
    (await ask('drain')).stdout,
    /^draining: process \d+, 0 open; it ends when they have ended, within 30s\n$/,
  );
  t.deepEqual(await server.ended, { code: 0, signal: null });
  const [code] = await closed;
  t.is(code, 0);
  t.regex(shown, /"msg":"draining, requested over the control socket/);
});

test('--pid selects one of several servers of a configuration', async (t) => {
  const { server, ask, variables } = await start(t, 1);
  const second = spawn(process.execPath, [command, 'start', '--config', server.file], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => second.kill('SIGKILL'));
  let said = '';
  for await (const piece of second.stdout) {
    said += piece;
    if (said.includes('listening on')) break;
  }
  t.is((await ask('recycle', '--pid', String(second.pid))).stdout, 'pool app: replaced app-1\n');
  const both = await ask('exchanges');
  t.is(both.stdout.match(/0 in flight/g)?.length, 2);
  const none = await ask('exchanges', '--pid', '1');
  t.is(none.exitCode, 1);
  t.regex(none.stderr, /expected a server in process 1/);
  const status = await ask('status', '--pid', String(second.pid));
  t.like(JSON.parse(status.stdout), { pid: second.pid });
  t.regex(
    (await ask('ps', '--pid', String(second.pid))).stdout,
    new RegExp(`process ${second.pid}, running`),
  );
  t.is((await ask('reload', '--pid', '1')).exitCode, 1);
  t.regex((await ask('top', '--pid', 'one')).stderr, /--pid: expected the number of a process, got "one"/);
  const ended = once(second, 'close');
  t.is((await ask('stop', '--pid', String(second.pid))).stdout, `stopped: process ${second.pid}\n`);
  t.deepEqual(await ended, [0, null]);
  t.like(JSON.parse((await ask('status')).stdout), { pid: server.child.pid, state: 'running' });
});

test('the process that is named is asked and no other, also at a control.path', async (t) => {
  const { server, ask } = await start(t, 1, { control: { path: join(ownFolder(t), 'own', 'c.sock') } });
  const other = await ask('drain', '--pid', '1');
  t.is(other.exitCode, 1);
  t.regex(other.stderr, /expected a server in process 1 .*\[SLUICE_CONTROL_NO_SERVER\]/);
  t.is((await ask('log-level', '--pid', String(server.child.pid))).stdout, 'debug\n');
});

test('a server is asked and stopped while its configuration is invalid', async (t) => {
  const { server, ask } = await start(t, 1);
  writeFileSync(server.file, '{ "pools": ');
  const events = await ask('events');
  t.is(events.exitCode, 0, events.stderr);
  t.regex(
    events.stderr,
    /^sluice: warning: .* is invalid now, which the server that runs it has not noticed/,
  );
  t.is((await ask('reload')).exitCode, 2, 'a reload is about the file');
  t.regex((await ask('ps')).stdout, /^app +running /m);
  t.regex((await ask('stop')).stdout, /^stopped: process \d+\n$/);
  t.deepEqual(await server.ended, { code: 0, signal: null });
  const none = await ask('ps');
  t.is(none.exitCode, 2);
  t.regex(none.stderr, /SLUICE_CONFIG_SYNTAX/);
});
