/** Where the control socket is, who can get there, and what stands in its way. Real sockets and real servers. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import test from 'ava';
import { ConfigError } from '../../runtime/config/errors.ts';
import { ControlSocketError } from '../../runtime/control/errors.ts';
import { connectControl } from '../../runtime/control/find.ts';
import { controlFolders } from '../../runtime/control/folder.ts';
import { openControl } from '../../runtime/control/open.ts';
import { ControlRoutes } from '../../runtime/control/routes.ts';
import { openAt, openIn } from '../../runtime/control/socket.ts';
import { createLog } from '../../runtime/logging/log.ts';
import { Reactor } from '../../runtime/server/reactor.ts';
import { application } from '../server/harness.ts';
import { LogLines } from '../server/log-lines.ts';
import { startProcess } from '../server/process.ts';
import { configOf, ownFolder, startControl } from './control-server.ts';

const isRoot = process.getuid?.() === 0;
const modeOf = (path: string): number => lstatSync(path).mode & 0o777;
const anyListener = { listen: () => Promise.resolve() };

test.serial(
  'the folders are the user’s alone before the socket is made, whatever the umask says',
  async (t) => {
    const base = ownFolder(t);
    const before = process.umask(0);
    t.teardown(() => process.umask(before));
    const seen: number[] = [];
    const owner = {
      listen: async (path: string) => {
        for (let at = dirname(path); at !== base; at = dirname(at)) seen.push(modeOf(at));
        writeFileSync(path, '');
      },
    };
    const { path } = await openIn(join(base, 'runtime.config.json'), owner, { XDG_RUNTIME_DIR: base });
    t.deepEqual(seen, [0o700, 0o700]);
    t.is(modeOf(path), 0o600);
  },
);

test('the socket goes at the end, and the folder of its configuration with the last', async (t) => {
  const base = ownFolder(t);
  const one = await startControl(t, base);
  const two = await startControl(t, base);
  t.is(dirname(one.path), dirname(two.path));
  one.control.close();
  t.false(existsSync(one.path));
  t.true(existsSync(two.path));
  two.control.close();
  t.false(existsSync(dirname(two.path)));
});

test('several servers of one configuration start and answer; a client is told which there are', async (t) => {
  const base = ownFolder(t);
  const one = await startControl(t, base);
  const alone = await connectControl(one.config, one);
  alone.close();
  const two = await startControl(t, base);
  for (const { routes, client } of [one, two]) {
    routes.add('GET', '/status', (exchange) => exchange.answer(200, 'here'));
    t.is(await (await client()).ask('GET', '/status'), 'here');
  }
  await t.throwsAsync(connectControl(one.config, one), {
    code: 'SLUICE_CONTROL_SEVERAL_SERVERS',
    message: new RegExp(`of the processes ${process.pid}, ${process.pid};`),
  });
});

test('the server of a process is found among several by its process id', async (t) => {
  const base = ownFolder(t);
  const here = await startControl(t, base);
  // As another process would have it: a socket under another process id.
  const other = join(dirname(here.path), '1.sock');
  const stranger = createServer((socket) => socket.destroy()).listen(other);
  t.teardown(() => stranger.close());
  const client = await connectControl(here.config, { ...here, pid: process.pid });
  client.close();
  t.is(client.path, here.path);
  await t.throwsAsync(connectControl(here.config, { ...here, pid: 2 }), { code: 'SLUICE_CONTROL_NO_SERVER' });
});

test('a folder that others may enter is refused with what to do', async (t) => {
  const folder = join(ownFolder(t), 'open');
  mkdirSync(folder);
  chmodSync(folder, 0o750);
  await t.throwsAsync(openAt(join(folder, 'c.sock'), anyListener), {
    instanceOf: ControlSocketError,
    code: 'SLUICE_CONTROL_FOLDER_UNSAFE',
    message: `${folder}: expected mode 0700, got mode 0750; chmod 700 ${folder}`,
  });
});

test('a folder that others may replace is refused', async (t) => {
  const around = join(ownFolder(t), 'around');
  const folder = join(around, 'own');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(around, 0o777);
  await t.throwsAsync(openAt(join(folder, 'c.sock'), anyListener), {
    code: 'SLUICE_CONTROL_FOLDER_UNSAFE',
    message: /others may put another folder/,
  });
  // As the system's temporary folder is.
  chmodSync(around, 0o1777);
  writeFileSync(join(folder, 'c.sock'), '');
  await t.throwsAsync(openAt(join(folder, 'c.sock'), anyListener), { code: 'SLUICE_CONTROL_NO_SOCKET' });
});

test('a link in the place of the folder is refused', async (t) => {
  const base = ownFolder(t);
  mkdirSync(join(base, 'elsewhere'), { mode: 0o700 });
  symlinkSync(join(base, 'elsewhere'), join(base, 'link'));
  await t.throwsAsync(openAt(join(base, 'link', 'c.sock'), anyListener), {
    code: 'SLUICE_CONTROL_FOLDER_UNSAFE',
    message: /expected a folder, got something else/,
  });
});

(isRoot ? test : test.skip)('a folder of somebody else’s is refused (root can make one)', async (t) => {
  const folder = join(ownFolder(t), 'theirs');
  mkdirSync(folder, { mode: 0o700 });
  chownSync(folder, 65_534, 65_534);
  await t.throwsAsync(openAt(join(folder, 'c.sock'), anyListener), {
    code: 'SLUICE_CONTROL_FOLDER_UNSAFE',
    message: /expected a folder of user 0, who runs this, got one of user 65534/,
  });
});

test('somebody else’s folder in the temporary folder is passed over for the next place', async (t) => {
  const base = ownFolder(t);
  const file = join(base, 'runtime.config.json');
  const [first = ''] = controlFolders(file, { XDG_RUNTIME_DIR: base });
  mkdirSync(first, { recursive: true });
  chmodSync(first, 0o777);
  const owner = { listen: async (path: string) => writeFileSync(path, '') };
  const { path, remove } = await openIn(file, owner, { XDG_RUNTIME_DIR: base });
  t.teardown(remove);
  t.is(dirname(path), controlFolders(file, {})[0]);
});

test('a file that is no socket stays where it is', async (t) => {
  const base = ownFolder(t);
  const path = join(base, 'precious');
  writeFileSync(path, 'x');
  await t.throwsAsync(startControl(t, base, { path }), { code: 'SLUICE_CONTROL_NO_SOCKET' });
  t.is(statSync(path).size, 1);
});

test('a path with another server on it is refused, and that server goes on', async (t) => {
  const base = ownFolder(t);
  const path = join(base, 'c.sock');
  const first = await startControl(t, base, { path });
  first.routes.add('GET', '/status', (exchange) => exchange.answer(200, 'first'));
  await t.throwsAsync(startControl(t, base, { path }), {
    code: 'SLUICE_CONTROL_IN_USE',
    message: /expected no other server on it, got one that answers; end it, or give each server/,
  });
  t.is(await (await first.client()).ask('GET', '/status'), 'first');
});

test('a path that is too long for a socket is an error of the configuration', (t) => {
  const error = t.throws(() => configOf({ path: `/tmp/${'x'.repeat(103)}` }, '/tmp/runtime.config.json'), {
    instanceOf: ConfigError,
  });
  t.like(error?.problems[0], { where: '$.control.path', code: 'SLUICE_CONFIG_WRONG_VALUE' });
  t.notThrows(() => configOf({ path: `/tmp/${'x'.repeat(98)}` }, '/tmp/runtime.config.json'));
});

test('a default place that is too long is passed over; where no other is left, the log says so and the server goes on', async (t) => {
  const base = ownFolder(t);
  const long = join(base, 'x'.repeat(80));
  mkdirSync(long);
  const log = new LogLines();
  const output = { stream: log.stream, isTerminal: false, colour: false };
  const config = configOf({}, join(base, 'runtime.config.json'));
  const reactor = new Reactor(1_000, () => undefined);
  const pinoLog = createLog({ level: 'debug', format: 'json' }, output);
  const none = await openControl(config, new ControlRoutes(), reactor, pinoLog, {
    XDG_RUNTIME_DIR: long,
    TMPDIR: long,
  });
  t.is(none, null);
  t.like(log.find('runs without a control socket'), { level: 'warn', code: 'SLUICE_CONTROL_PATH_TOO_LONG' });
  const some = await openControl(config, new ControlRoutes(), reactor, pinoLog, {
    XDG_RUNTIME_DIR: long,
    TMPDIR: base,
  });
  t.teardown(() => some?.close());
  t.is(dirname(dirname(dirname(some?.path ?? ''))), base);
});

const input = { pools: { app: { application: application('server', 'pool-name') } } };

test('a killed server’s socket is cleared away by the next start, the command line’s signals take theirs along', async (t) => {
  const base = ownFolder(t);
  const variables = { XDG_RUNTIME_DIR: base };
  const sockets = () =>
    readdirSync(base, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.sock'));
  const path = join(base, 'explicit', 'c.sock');
  const killed = startProcess(t, { ...input, control: { path } }, [], variables);
  await killed.listening();
  killed.child.kill('SIGKILL');
  await killed.ended;
  t.true(existsSync(path));
  const next = startProcess(t, { ...input, control: { path } }, [], variables);
  await next.listening();
  next.child.kill('SIGTERM');
  t.is((await next.ended).code, 0);
  t.false(existsSync(path));

  // Another process's leavings beside our own.
  const file = join(base, 'runtime.config.json');
  const [folder = ''] = controlFolders(file, variables);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(dirname(folder), 0o700);
  const dead = spawnSync(process.execPath, [
    '-e',
    `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`,
    join(folder, '4194305.sock'),
  ]);
  t.is(dead.signal, 'SIGKILL');
  t.is(sockets().length, 1);
  const here = await startControl(t, base);
  t.deepEqual(
    sockets().map((name) => join(base, name)),
    [here.path],
  );
});

test('the socket goes with a second signal', async (t) => {
  const base = ownFolder(t);
  const path = join(base, 'c.sock');
  const app = join(base, 'app.mjs');
  writeFileSync(
    app,
    'export default async (exchange) => { exchange.respond(200); await exchange.write("x"); await new Promise(() => {}); };',
  );
  const { child, listening, log, endBySecond } = startProcess(t, {
    pools: { app: { application: app, kind: 'exchange' } },
    control: { path },
  });
  const response = await fetch(await listening());
  t.is(response.status, 200);
  t.true(existsSync(path));
  child.kill('SIGTERM');
  await log.until('draining');
  t.true(existsSync(path), 'it answers during the drain');
  t.is((await endBySecond('SIGTERM')).code, 143);
  t.false(existsSync(path));
});

test('the socket goes with an error that nobody caught, after which the process waits for no thread', async (t) => {
  const base = ownFolder(t);
  const path = join(base, 'c.sock');
  const code = `
    import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.on('SIGUSR2', () => { throw new Error('of the main thread'); });`;
  const variables = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` };
  const { child, listening, ended } = startProcess(t, { ...input, control: { path } }, [], variables);
  await listening();
  t.true(existsSync(path));
  child.kill('SIGUSR2');
  t.is((await ended).code, 1);
  t.false(existsSync(path));
});

const canMount = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0;

(canMount ? test : test.skip)(
  'on a read-only file system the server starts without it, and not where a path was set (needs unshare)',
  (t) => {
    const base = ownFolder(t);
    const folder = join(base, 'ro');
    mkdirSync(folder);
    const script = `
    import { configOf } from '${import.meta.resolve('./control-server.ts')}';
    import { openControl } from '${import.meta.resolve('../../runtime/control/open.ts')}';
    import { ControlRoutes } from '${import.meta.resolve('../../runtime/control/routes.ts')}';
    import { Reactor } from '${import.meta.resolve('../../runtime/server/reactor.ts')}';
    const reactor = new Reactor(1000, () => undefined);
    const log = { warn: ({ code }) => console.log('warned', code), debug: () => console.log('opened') };
    for (const control of [{}, { path: '${join(folder, 'x', 'c.sock')}' }]) {
      const config = configOf(control, '${join(base, 'runtime.config.json')}');
      try { console.log(await openControl(config, new ControlRoutes(), reactor, log)); }
      catch (error) { console.log(error.code, error.message); }
    }`;
    writeFileSync(join(base, 'script.ts'), script);
    const command = `mount -t tmpfs -o ro tmpfs ${folder} && exec "$@"`;
    const { stdout, stderr } = spawnSync(
      'unshare',
      ['-m', 'sh', '-c', command, 'sh', process.execPath, join(base, 'script.ts')],
      {
        encoding: 'utf8',
        env: { ...process.env, TMPDIR: folder, XDG_RUNTIME_DIR: '' },
      },
    );
    const lines = stdout.trim().split('\n');
    t.deepEqual(lines.slice(0, 2), ['warned SLUICE_CONTROL_READ_ONLY', 'null'], stderr);
    t.regex(lines[2] ?? '', /^SLUICE_CONTROL_READ_ONLY .*read-only.*mount a tmpfs/);
  },
);
