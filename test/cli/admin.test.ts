/**
 * `sluice exchanges`, `config`, `logs`, `events`, `log-level`, `recycle`, `resize`, `drain`, `reload`, `dashboard` and `check --effective`, as a person
 * uses them beside a server. Most tests share one server, and run their commands in this process.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import anyTest, { type ExecutionContext } from 'ava';
import { commands } from '../../runtime/cli/arguments.ts';
import { ownFolder } from '../control/control-server.ts';
import { application, FileScope, type Scope, type ServerInput } from '../server/harness.ts';
import { type ServerProcess, startProcess } from '../server/process.ts';
import { type Ended, runInside } from './inside.ts';

const test = anyTest.serial;
const command = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));

/** In a process of its own. */
function run(words: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...variables };
    const child = execFile(process.execPath, [command, ...words], { env }, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
}

interface Started {
  readonly server: ServerProcess;
  readonly origin: string;
  readonly variables: Readonly<Record<string, string>>;
  ask(...words: string[]): Promise<Ended>;
}

async function start(scope: Scope, threads = 1, more: Partial<ServerInput> = {}): Promise<Started> {
  const folder = ownFolder(scope);
  const variables = { XDG_RUNTIME_DIR: folder };
  const echo = join(folder, 'echo.mjs');
  writeFileSync(
    echo,
    'export default async (exchange) => exchange.respond(200, {}, await exchange.body.text());',
  );
  const pools = { app: { application: echo, threads: { min: threads, max: threads }, minUptimeMs: 0 } };
  const server = startProcess(scope, { pools, ...more }, [], variables);
  const origin = await server.listening();
  const ask = (...words: string[]) => runInside([...words, '--config', server.file], variables);
  return { server, origin, ask, variables };
}

const scope = new FileScope();
let shared: Started;
anyTest.before(async () => {
  shared = await start(scope, 2, {
    admin: { address: '127.0.0.1:0' },
    // A client is silent for as long as commands take.
    limits: { requestRate: { bytesPerSecond: 0 } },
  });
});
anyTest.after.always(() => scope.end());

/** The threads that the shared server has now, oldest first. */
async function threadNames(): Promise<string[]> {
  const { pools } = JSON.parse((await shared.ask('status')).stdout);
  return pools[0].threads.map(({ name }: { readonly name: string }) => name);
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

const says = (t: ExecutionContext, name: string, { exitCode, stdout, stderr }: Ended) => {
  t.is(stderr, '', name);
  t.is(exitCode, 0, name);
  t.regex(stdout, new RegExp(`^usage: sluice .*\\b${name}\\b`));
  t.regex(stdout, /\bexamples?:/i, name);
  t.true(stdout.endsWith('\n'), name);
};

test('sluice COMMAND --help says what the command does, with an example, and exits 0', async (t) => {
  for (const name of Object.keys(commands)) says(t, name, await runInside([name, '--help']));
});

test('so it does as a process, and exit codes are those of the process', async (t) => {
  says(t, 'recycle', await run(['recycle', '--help']));
  const wrong = await run(['recycle', '--pol', 'x']);
  t.is(wrong.exitCode, 2);
  t.is(wrong.stdout, '');
  const asked = await run(['exchanges', '--config', shared.server.file], shared.variables);
  t.deepEqual(asked, { exitCode: 0, stdout: '0 in flight\n', stderr: '' });
});

test('a full disk is a failure that is told, and a reader that has gone is none', async (t) => {
  const file = shared.server.file;
  // A check, what a server is asked once, what is printed as it is done, and what runs until it is ended.
  for (const words of [['check'], ['ps'], ['log-level'], ['logs', '-f']]) {
    const full = openSync('/dev/full', 'w');
    t.teardown(() => closeSync(full));
    const child = spawn(process.execPath, [command, ...words, '--config', file], {
      env: { ...process.env, ...shared.variables },
      stdio: ['ignore', full, 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const closed = once(child, 'close');
    t.regex(
      await text(child.stderr as Readable),
      /^sluice: standard output: ENOSPC: no space left on device/,
    );
    t.deepEqual(await closed, [1, null], words.join(' '));
  }
  const gone = spawn(process.execPath, [command, 'logs', '-f', '--config', file], {
    env: { ...process.env, ...shared.variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => gone.kill('SIGKILL'));
  const closed = once(gone, 'close');
  await once(gone.stdout as Readable, 'data');
  gone.stdout?.destroy();
  const isOver = { value: false };
  void closed.then(() => {
    isOver.value = true;
  });
  // It notices when it writes.
  while (!isOver.value) await shared.ask('resize', 'app', '2');
  t.deepEqual(await closed, [0, null]);
});

test('--help works before and after the command', async (t) => {
  const { stdout } = await runInside(['help', 'recycle']);
  t.regex(stdout, /^usage: sluice recycle \[pool or thread\]\.\.\. \[flags\]\n/);
  t.regex((await runInside(['help', 'check'])).stdout, /^usage: sluice check /);
});

test('invalid arguments exit 2 and say what was expected', async (t) => {
  for (const [words, expected] of [
    [['recycle', '--pol', 'x'], /expected a flag of "sluice recycle", got --pol/],
    [['resize', 'app'], /expected sluice resize pool N\|MIN-MAX, got 1 word /],
    [['logs', '--lines'], /expected a value behind --lines/],
    [['drain', 'now'], /expected sluice drain/],
    [['exchanges', '--limit', '0'], /--limit: expected a whole number from 1 to 1000, got "0"/],
    [['log-level', 'debug', 'now'], /expected sluice log-level \[level\], got 2 words/],
  ] as const) {
    const { exitCode, stdout, stderr } = await runInside(words);
    t.is(exitCode, 2, stderr);
    t.is(stdout, '');
    t.regex(stderr, expected);
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
    const { exitCode, stderr } = await runInside(words, { XDG_RUNTIME_DIR: folder });
    t.is(exitCode, 1);
    t.regex(stderr, /start it, .* \[SLUICE_CONTROL_NO_SERVER\]\n$/);
  }
});

test('exchanges lists the exchanges in flight and what each waits for', async (t) => {
  const { origin, ask } = shared;
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
  const { server, ask } = shared;
  const check = await runInside(['check', '--effective', '--config', server.file, '--threads', '3'], {
    SLUICE_LOG_LEVEL: 'warn',
  });
  t.is(check.exitCode, 0, check.stderr);
  t.regex(check.stdout, /^pools\.app\.threads\.min = 3 +--threads$/m);
  t.regex(check.stdout, /^log\.level = "warn" +SLUICE_LOG_LEVEL$/m);
  t.regex(check.stdout, /^drainTimeoutMs = 30000 +default$/m);
  t.regex(check.stdout, /^pools\.app\.minUptimeMs = 0 +file, line 1$/m);
  t.is((await ask('resize', 'app', '1-2')).stdout, 'pool app: 1 to 2 threads, until the next reload\n');
  const config = await ask('config');
  t.regex(config.stdout, new RegExp(`^# ${server.file}\n`));
  t.regex(config.stdout, /^pools\.app\.threads\.min = 1 +admin$/m);
  const { values } = JSON.parse((await ask('config', '--json')).stdout);
  t.true(values.length > 100);
  const wrong = await ask('resize', 'app', '3-1');
  t.is(wrong.exitCode, 2);
  t.regex(wrong.stderr, /threads: expected a number of threads such as 4, or a range/);
  t.is((await ask('resize', 'app', '2')).stdout, 'pool app: 2 threads, until the next reload\n');
});

test('threads and pools are recycled by name, and an unknown name lists those that exist', async (t) => {
  const { ask } = shared;
  const [one = '', other = ''] = await threadNames();
  t.is((await ask('recycle', one)).stdout, `pool app: replaced ${one}\n`);
  const [, third = ''] = await threadNames();
  t.is((await ask('recycle', 'app')).stdout, `pool app: replaced ${other}, ${third}\n`);
  const [fourth = '', fifth = ''] = await threadNames();
  t.is((await ask('recycle')).stdout, `pool app: replaced ${fourth}, ${fifth}\n`);
  const [sixth = '', seventh = ''] = await threadNames();
  const unknown = await ask('recycle', sixth, 'ap');
  t.is(unknown.exitCode, 1);
  t.is(unknown.stdout, '', 'names are checked before anything is done');
  t.true(
    unknown.stderr.includes(
      `pool or thread: expected one of app, ${sixth}, ${seventh}, got "ap"; did you mean app?`,
    ),
    unknown.stderr,
  );
});

test('what was recycled before a failure is printed, and so is what was not tried', async (t) => {
  const [one = '', other = ''] = await threadNames();
  // It has ended by the time its turn comes.
  const { exitCode, stdout, stderr } = await shared.ask('recycle', one, one, other);
  t.is(exitCode, 1);
  t.is(stdout, `pool app: replaced ${one}\n`);
  t.regex(
    stderr,
    new RegExp(
      `^sluice: thread: expected one of .*, got "${one}".*; not recycled because of that: ${other} \\[SLUICE_ADMIN_UNKNOWN_THREAD\\]\n$`,
    ),
  );
});

test('Ctrl-C ends at once a command that waits for the server', async (t) => {
  const { server, origin, ask, variables } = shared;
  const { asked, answered } = await open(origin, '/upload');
  const timesRecycled = async () => {
    const { exitCode, stdout, stderr } = await ask('events');
    t.is(exitCode, 0, stderr);
    return stdout.match(/recycled: asked/g)?.length ?? 0;
  };
  const before = await timesRecycled();
  const recycle = spawn(process.execPath, [command, 'recycle', 'app', '--config', server.file], {
    env: { ...process.env, ...variables },
    stdio: 'ignore',
  });
  const closed = once(recycle, 'close');
  while ((await timesRecycled()) === before);
  recycle.kill('SIGINT');
  t.deepEqual(await closed, [null, 'SIGINT']);
  asked.end('whole');
  t.is(await text((await answered)[0]), 'whole', 'the server goes on with what it was asked for');
  // Until then it is busy with the first one.
  while ((await ask('recycle')).stderr.includes('SLUICE_ADMIN_CONFLICT'));
});

test('what has happened to threads is told with its reason, for people and for programs', async (t) => {
  const { ask } = shared;
  const [name = ''] = await threadNames();
  await ask('recycle', name);
  const events = await ask('events');
  t.is(events.exitCode, 0, events.stderr);
  t.regex(events.stdout, /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}app-[12] +started\n/);
  t.regex(events.stdout, new RegExp(`Z {2}${name} +recycled: asked\\n`));
  const json = JSON.parse((await ask('events', '--json')).stdout);
  t.like(json.events[0], { pool: 'app', what: 'started' });
});

test('the level of the log is shown and changed, until the next reload', async (t) => {
  const { server, ask } = shared;
  const startedSince = (line: number) =>
    server.log.lines.slice(line).flatMap(({ msg, thread }) => (msg === 'thread started' ? [thread] : []));
  t.is((await ask('log-level')).stdout, 'debug\n');
  const before = server.log.lines.length;
  t.is((await ask('log-level', 'warn')).stdout, 'log level: warn, until the next reload\n');
  await ask('recycle', (await threadNames())[0] as string);
  await ask('log-level', 'debug');
  await ask('recycle', (await threadNames())[0] as string);
  const [, newest] = await threadNames();
  await server.log.until('thread started', ({ thread }) => thread === newest);
  t.deepEqual(startedSince(before), [newest], 'what happened at the level warn was not logged');
  const wrong = await ask('log-level', 'debgu');
  t.is(wrong.exitCode, 2);
  t.regex(wrong.stderr, /level: expected one of trace, debug, .*, got "debgu"; did you mean debug\?/);
  await ask('log-level', 'error');
  t.is((await ask('reload')).exitCode, 0);
  t.is((await ask('log-level')).stdout, 'debug\n');
});

test('the link of sluice dashboard gives access', async (t) => {
  const { stdout, exitCode } = await shared.ask('dashboard');
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
});

test('at a control.path the named process is asked and no other; without an admin listener dashboard says what to add', async (t) => {
  const { server, ask } = await start(t, 1, { control: { path: join(ownFolder(t), 'own', 'c.sock') } });
  const other = await ask('drain', '--pid', '1');
  t.is(other.exitCode, 1);
  t.regex(other.stderr, /expected a server in process 1 .*\[SLUICE_CONTROL_NO_SERVER\]/);
  t.is((await ask('log-level', '--pid', String(server.child.pid))).stdout, 'debug\n');
  const refused = await ask('dashboard');
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /add "admin": \{\} to its configuration .*\[SLUICE_ADMIN_NO_LISTENER\]/);
});

test('--pid selects one of several servers of a configuration, and logs follows it until it has ended', async (t) => {
  const { server, ask, variables } = shared;
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
  const pid = String(second.pid);
  t.is((await ask('recycle', 'app-1', '--pid', pid)).stdout, 'pool app: replaced app-1\n');
  const both = await ask('exchanges');
  t.is(both.stdout.match(/0 in flight/g)?.length, 2);
  const none = await ask('exchanges', '--pid', '1');
  t.is(none.exitCode, 1);
  t.regex(none.stderr, /expected a server in process 1/);
  t.like(JSON.parse((await ask('status', '--pid', pid)).stdout), { pid: second.pid });
  t.regex((await ask('ps', '--pid', pid)).stdout, new RegExp(`process ${pid}, running`));
  t.is((await ask('reload', '--pid', '1')).exitCode, 1);
  t.regex((await ask('top', '--pid', 'one')).stderr, /--pid: expected the number of a process, got "one"/);
  const newest = await ask('logs', '-n', '1000', '--pid', pid);
  const lines = newest.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.true(lines.some(({ msg }) => /^listening on/.test(msg)));
  const words = [command, 'logs', '-f', '-n', '0', '--config', server.file, '--pid', pid];
  const follower = spawn(process.execPath, words, { env: { ...process.env, ...variables } });
  t.teardown(() => follower.kill('SIGKILL'));
  const closed = once(follower, 'close');
  let shown = '';
  follower.stdout.setEncoding('utf8').on('data', (piece: string) => {
    shown += piece;
  });
  // It follows when it has shown a line that came after it began.
  for (let level = 0; shown === ''; level++)
    await ask('resize', 'app', String(2 + (level % 2)), '--pid', pid);
  t.is(JSON.parse(shown.split('\n')[0] ?? '').msg, 'pool resized on request');
  const ended = once(second, 'close');
  t.regex(
    (await ask('drain', '--pid', pid)).stdout,
    /^draining: process \d+, 0 open; it ends when they have ended, within 30s\n$/,
  );
  t.deepEqual(await ended, [0, null]);
  t.deepEqual(await closed, [0, null]);
  t.regex(shown, /"msg":"draining, requested over the control socket/);
  t.like(JSON.parse((await ask('status')).stdout), { pid: server.child.pid, state: 'running' });
});

test('a server is asked and stopped while its configuration is invalid', async (t) => {
  const { server, ask } = shared;
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

for (const [name, says] of [
  ['drain', /^draining: process \d+, 0 open; it ends when they have ended, within 30s\n$/],
  ['stop', /^stopped: process \d+\n$/],
] as const) {
  test(`sluice ${name} of a server that still starts gets its answer, though nothing keeps the server`, async (t) => {
    const folder = ownFolder(t);
    const variables = { XDG_RUNTIME_DIR: folder };
    const application = join(folder, 'loads-for-ever.mjs');
    writeFileSync(
      application,
      "console.log('loading'); setInterval(() => {}, 60_000); await new Promise(() => {});",
    );
    const pools = { app: { application, threads: { min: 1, max: 1 }, startTimeoutMs: 600_000 } };
    const server = startProcess(t, { pools }, [], variables);
    await server.log.until('loading');
    const { exitCode, stdout, stderr } = await runInside([name, '--config', server.file], variables);
    t.deepEqual([exitCode, stderr], [0, '']);
    t.regex(stdout, says);
    t.is((await server.ended).code, 0);
  });
}
