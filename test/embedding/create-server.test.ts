/** `createServer` as a process that embeds it meets it: in order, out of order, twice, and beside others. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { connectControl } from '../../runtime/control/find.ts';
import {
  type Configuration,
  createServer,
  type LogLine,
  type ServerOptions,
  type SluiceServer,
} from '../../runtime/embedding/sluice.ts';
import { configOf, ownFolder } from '../control/control-server.ts';
import { wholeOnly } from '../runner/whole-only.ts';
import { SIGNALS_FIELD, Signals } from '../server/signals.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';

const here = fileURLToPath(new URL('./applications/', import.meta.url));

function configurationOf(more: Partial<Configuration> = {}): Configuration {
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    pools: { app: { application: './answers.ts', threads: { min: 1, max: 1 }, startTimeoutMs: 60_000 } },
    routes: [{ path: '/*', pool: 'app' }],
    ...more,
  };
}

function create(
  t: ExecutionContext,
  more: Partial<Configuration> = {},
  options: ServerOptions = {},
): SluiceServer {
  const server = createServer(configurationOf(more), { directory: here, ...options });
  t.teardown(() => server.close());
  return server;
}

const originOf = ({ addresses }: SluiceServer): string => `http://${addresses[0]?.address}`;

async function textOf(server: SluiceServer, path: string): Promise<string> {
  return (await fetch(`${originOf(server)}${path}`)).text();
}

test('it starts, answers, tells its status, drains and is closed', async (t) => {
  const lines: LogLine[] = [];
  const server = create(t, {}, { log: (line) => lines.push(line) });
  t.is(server.status().state, 'starting');
  t.deepEqual(server.addresses, []);
  await server.start();
  t.is(await textOf(server, '/here'), '/here');
  t.like(server.status(), { state: 'running', pools: [{ name: 'app', exchanges: { complete: 1 } }] });
  await server.drain();
  await t.throwsAsync(textOf(server, '/here'));
  t.is(server.status().state, 'ended');
  t.true(lines.some(({ level, msg }) => level === 'info' && msg.startsWith('listening on')));
  t.is(lines.at(-1)?.msg, 'stopped');
});

wholeOnly('several servers run in one process, and the end of one does not affect the others', async (t) => {
  const [one, other] = [create(t), create(t)];
  await Promise.all([one.start(), other.start()]);
  t.not(originOf(one), originOf(other));
  await one.close();
  t.is(await textOf(other, '/there'), '/there');
  t.like(other.status(), { pools: [{ exchanges: { started: 1 } }] });
});

wholeOnly('a scope that is left closes its server', async (t) => {
  const server = create(t);
  await server.start();
  await server[Symbol.asyncDispose]();
  await t.throwsAsync(textOf(server, '/here'));
});

wholeOnly('the second call of start is refused', async (t) => {
  const server = create(t);
  const first = server.start();
  await t.throwsAsync(server.start(), {
    code: 'SLUICE_SERVER_STATE',
    message: 'start(): expected a server that has not been started, got one that starts',
  });
  await first;
  await t.throwsAsync(server.start(), { code: 'SLUICE_SERVER_STATE', message: /got one that runs$/ });
  t.is(await textOf(server, '/still'), '/still');
});

test('close, before start and twice', async (t) => {
  const server = create(t);
  await server.close();
  await server.close();
  await t.throwsAsync(server.start(), { code: 'SLUICE_SERVER_STATE', message: /got one that is closed$/ });
});

wholeOnly('close and drain during start', async (t) => {
  for (const end of ['close', 'drain'] as const) {
    const server = create(t);
    const started = server.start();
    const ended = server[end]();
    await t.throwsAsync(started, { code: 'SLUICE_SERVER_CLOSED' });
    await ended;
    t.is(server.status().state, 'ended');
  }
});

wholeOnly('drain, twice, and close while it lasts', async (t) => {
  const server = create(t);
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  await server.start();
  const ask = (): Promise<Response> =>
    fetch(`${originOf(server)}/waits`, { headers: { [SIGNALS_FIELD]: signals.name } });
  const waiting = ask();
  await signals.until('begun');
  const drained = server.drain();
  t.is(server.drain(), drained);
  t.is(server.status().state, 'draining');
  signals.tell('release');
  t.is(await (await waiting).text(), '/waits');
  await drained;
  await server.close();
  t.is(server.close(), server.close());
});

wholeOnly('close cuts off what a drain waits for', async (t) => {
  const server = create(t);
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  await server.start();
  const waiting = fetch(`${originOf(server)}/waits`, { headers: { [SIGNALS_FIELD]: signals.name } });
  const cut = t.throwsAsync(waiting);
  await signals.until('begun');
  const drained = server.drain();
  await server.close();
  await drained;
  await cut;
});

test('an invalid configuration lists all its errors, without line numbers, because it has no text', (t) => {
  const wrong = {
    listeners: [{ address: 'nowhere' }],
    routes: [{ path: '/*', pool: 'missing' }],
    colour: 'red',
  };
  const error = t.throws(() => createServer(wrong as unknown as Configuration), {
    code: 'SLUICE_CONFIG_INVALID',
  });
  t.is((error as unknown as { problems: unknown[] }).problems.length, 3);
  t.regex(error?.message ?? '', /^configuration: 3 errors\n/);
  t.notRegex(error?.message ?? '', /line \d/);
  t.throws(() => createServer(undefined as unknown as Configuration), {
    message: /\$: expected an object of what JSON has/,
  });
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  t.throws(() => createServer(circular as unknown as Configuration), { code: 'SLUICE_CONFIG_INVALID' });
  t.throws(() => createServer(configurationOf(), { directory: '/nowhere' }), {
    message: /SLUICE_CONFIG_APPLICATION_MISSING/,
  });
});

test('a log file and labelled prints, which only the command has, are refused', async (t) => {
  const refused = t.throws(() => create(t, { log: { file: './sluice.log', prints: 'labelled' } }), {
    code: 'SLUICE_CONFIG_INVALID',
    message: /\$\.log\.file: .*option log of createServer.*\$\.log\.prints: .*option prints of createServer/s,
  });
  const problems = (refused as unknown as { problems: { code: string }[] }).problems;
  t.deepEqual(
    problems.map(({ code }) => code),
    ['SLUICE_CONFIG_UNSUPPORTED', 'SLUICE_CONFIG_UNSUPPORTED'],
  );
  t.false(existsSync(join(here, 'sluice.log')));
  const path = join(ownFolder(t), 'c.sock');
  const server = create(t, { control: { path }, log: { prints: 'untouched' } });
  await server.start();
  await t.throwsAsync(server.reload(configurationOf({ control: { path }, log: { file: './sluice.log' } })), {
    message: /\$\.log\.file/,
  });
});

test('the effective configuration says that prints are passed on unchanged', async (t) => {
  const base = ownFolder(t);
  const path = join(base, 'c.sock');
  const server = create(t, { control: { path } });
  await server.start();
  const client = await connectControl(configOf({ path }, join(base, 'runtime.config.json')));
  const { values } = (await client.ask('GET', '/config')) as { values: { where: string; value: unknown }[] };
  client.close();
  t.is(values.find(({ where }) => where === '$.log.prints')?.value, 'untouched');
});

wholeOnly('a port in use, and an application that does not load', async (t) => {
  const taken = createNetServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const server = create(t, { listeners: [{ address: `127.0.0.1:${port}` }] });
  await t.throwsAsync(server.start(), { code: 'SLUICE_LISTEN_FAILED', message: /\(EADDRINUSE\)/ });
  await server.close();
  t.is(server.status().state, 'ended');
  const base = ownFolder(t);
  writeFileSync(join(base, 'broken.mjs'), 'throw new Error("as written");');
  const broken = createServer(configurationOf({ pools: { app: { application: './broken.mjs' } } }), {
    directory: base,
  });
  t.teardown(() => broken.close());
  await t.throwsAsync(broken.start(), { code: 'SLUICE_APPLICATION_LOAD_FAILED', message: /as written/ });
});

test('reloading certificates fails without TLS and before the start', async (t) => {
  const server = create(t);
  await t.throwsAsync(server.reloadCertificates(), { code: 'SLUICE_SERVER_STATE' });
  await server.start();
  await t.throwsAsync(server.reloadCertificates(), { code: 'SLUICE_NO_CERTIFICATES' });
  t.is(await textOf(server, '/here'), '/here');
});

wholeOnly('new connections get reloaded certificates; invalid ones are not used', async (t) => {
  const authority = await TestAuthority.create();
  const issue = (subject: string) => authority.issue({ subject, names: ['localhost'] });
  const files = new TestFiles(t);
  const certificates = [files.certificate('c', await issue('before'))];
  const server = create(t, { listeners: [{ address: '127.0.0.1:0', tls: { certificates, watch: false } }] });
  await server.start();
  const port = Number(server.addresses[0]?.address.split(':').at(-1));
  t.true(server.addresses[0]?.tls);
  const subject = async (): Promise<string> => {
    const socket = connectTls({ port, host: '127.0.0.1', ca: authority.cert, servername: 'localhost' });
    await once(socket, 'secureConnect');
    const shown = String(socket.getPeerX509Certificate()?.subject);
    socket.destroy();
    return shown;
  };
  t.is(await subject(), 'CN=before');
  files.certificate('c', await issue('after'));
  await server.reloadCertificates();
  t.is(await subject(), 'CN=after');
  writeFileSync(certificates[0]?.cert as string, 'no certificate');
  const error = await t.throwsAsync(server.reloadCertificates(), { code: 'SLUICE_CONFIG_INVALID' });
  t.regex(error?.message ?? '', /\$\.listeners\[0\]\.tls\.certificates\[0\]\.cert.*SLUICE_TLS_INVALID/s);
  t.is(await subject(), 'CN=after');
});

wholeOnly('a logger that throws loses only its line', async (t) => {
  const server = create(
    t,
    {},
    {
      log: () => {
        throw new Error('no log');
      },
    },
  );
  await server.start();
  t.is(await textOf(server, '/here'), '/here');
});

wholeOnly('what applications print goes to the streams that the embedding process names', async (t) => {
  const printed = Promise.withResolvers<string>();
  const prints = {
    stdout: (piece: Uint8Array) => printed.resolve(Buffer.from(piece).toString()),
    stderr: () => undefined,
  };
  const server = create(t, {}, { prints });
  await server.start();
  t.is(await textOf(server, '/prints'), '/prints');
  t.is(await printed.promise, 'printed\n');
});

wholeOnly('a server has a control socket only if its configuration asks for one', async (t) => {
  const base = ownFolder(t);
  const path = join(base, 'c.sock');
  const server = create(t, { control: { path } });
  await server.start();
  const client = await connectControl(configOf({ path }, join(base, 'runtime.config.json')));
  t.like(await client.ask('GET', '/status'), { state: 'running' });
  client.close();
  const second = create(t, { control: { path } });
  await t.throwsAsync(second.start(), { code: 'SLUICE_CONTROL_IN_USE' });
  await server.close();
  t.false(existsSync(path));
});

wholeOnly(
  'the process keeps its signals, its streams and its environment, and ends when its servers have',
  (t) => {
    const base = ownFolder(t);
    const script = join(base, 'embeds.ts');
    writeFileSync(
      join(base, 'app.mjs'),
      'export default (exchange) => exchange.respond(200, {}, "from the application");',
    );
    writeFileSync(
      script,
      `
    import { createServer } from '${new URL('../../runtime/embedding/sluice.ts', import.meta.url)}';
    const state = () => JSON.stringify({
      listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]).sort(),
      env: Object.entries(process.env).sort(),
      umask: process.umask(),
      title: process.title,
    });
    process.env.LISTEN_FDS = '7';
    process.stdout.write('');
    const before = state();
    const server = createServer(
      {
        listeners: [{ address: '127.0.0.1:0' }],
        pools: { app: { application: './app.mjs', startTimeoutMs: 60_000, threads: { min: 1, max: 1 } } },
        routes: [{ path: '/*', pool: 'app' }],
      },
      { directory: ${JSON.stringify(base)} },
    );
    await server.start();
    const during = state();
    const answer = await (await fetch(\`http://\${server.addresses[0].address}/\`)).text();
    await server.drain();
    console.log(JSON.stringify({ answer, same: during === before && state() === before, during, before }));
    `,
    );
    const { stdout, stderr, status } = spawnSync(process.execPath, [script], {
      encoding: 'utf8',
      timeout: 100_000,
    });
    t.is(stderr, '');
    const { answer, same, during, before } = JSON.parse(stdout);
    t.is(answer, 'from the application');
    t.is(during, before);
    t.true(same);
    t.is(status, 0);
  },
);

wholeOnly('an application may be named by the path of a module’s URL', async (t) => {
  const application = fileURLToPath(pathToFileURL(join(here, 'answers.ts')));
  const server = createServer(configurationOf({ pools: { app: { application, startTimeoutMs: 60_000 } } }));
  t.teardown(() => server.close());
  await server.start();
  t.is(await textOf(server, '/url'), '/url');
});

test('reload takes over another configuration, and refuses an invalid one', async (t) => {
  const lines: LogLine[] = [];
  const server = create(t, {}, { log: (line) => lines.push(line) });
  await t.throwsAsync(server.reload(), { code: 'SLUICE_SERVER_STATE' });
  await server.start();
  const app = {
    application: './answers.ts',
    threads: { min: 1, max: 1 },
    startTimeoutMs: 60_000,
    minUptimeMs: 0,
  };
  const changed = configurationOf({
    pools: { app, more: app },
    routes: [
      { path: '/more', pool: 'more' },
      { path: '/*', pool: 'app' },
    ],
  });
  const report = await server.reload(changed);
  t.deepEqual(
    report.pools.map(({ pool, change }) => `${pool} ${change}`),
    ['app replaced', 'more added'],
  );
  t.is(await textOf(server, '/more'), '/more');
  t.like(server.status().pools, [{ exchanges: { started: 0 } }, { name: 'more', exchanges: { started: 1 } }]);
  await t.throwsAsync(server.reload({ ...changed, listeners: [{ address: '127.0.0.1:1' }] }), {
    code: 'SLUICE_CONFIG_INVALID',
    message: /\$\.listeners\[0\]\.address: expected "127\.0\.0\.1:0", which is what runs/,
  });
  t.throws(() => createServer({ ...changed, routes: [] }), { code: 'SLUICE_CONFIG_INVALID' });
  await t.throwsAsync(server.reload({ ...changed, routes: [] }), { code: 'SLUICE_CONFIG_INVALID' });
  // Without one it is the configuration that runs, and new threads.
  t.like(await server.reload(), { changed: [], pools: [{ change: 'replaced' }, { change: 'replaced' }] });
  t.is(await textOf(server, '/more'), '/more');
  const reloading = server.reload();
  const closed = server.close();
  await t.throwsAsync(reloading, { code: 'SLUICE_RELOAD_STOPPED' });
  await closed;
  t.is(lines.filter(({ msg }) => msg.startsWith('reloaded: ')).length, 2);
});
