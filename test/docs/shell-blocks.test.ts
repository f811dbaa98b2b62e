/**
 * The shell blocks of the pages do what the pages say, run as they are printed: on a machine of their own (`shell/machine.ts`), with
 * the package as npm packs it.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import anyTest, { type ExecutionContext } from 'ava';
import { type Packed, packAndInstall, root } from '../package/packed.ts';
import { FileScope, START_PATIENCE_MS } from '../server/harness.ts';
import { blocksOf, pages, read } from './markdown.ts';
import { type Command, Machine, missing, type Terminal } from './shell/machine.ts';
import { Page, SHELLS } from './shell/page.ts';
import { makeClone, makeProject } from './shell/project.ts';

const scope = new FileScope();
let packed: Packed;

const LISTENING = /listening on/;

/** Pages whose blocks run here, and in the other files of `shell-`. */
const RUN = [
  'README.md',
  'apps/middleware/README.md',
  'docs/actors.md',
  'docs/admin.md',
  'docs/applications.md',
  'docs/bring-your-app.md',
  'docs/control-socket.md',
  'docs/health.md',
  'docs/monitoring.md',
  'docs/notifications.md',
  'docs/operate.md',
  'docs/profiling.md',
  'docs/reload.md',
  'docs/sluice-profile.md',
  'docs/static-files.md',
  'docs/topics.md',
];

/** Pages whose blocks no test runs as they are printed, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'apps/render/sample.md':
    'the text that a sample renders: it shows a block of console, and no command of ours',
  'bench/README.md':
    'each measures for minutes, on a machine that does nothing else, and replaces bench/results; commands.test.ts checks the words',
  'docs/frameworks.md':
    'they build applications from the npm registry; npm run test:frameworks builds and starts the same ones',
};

anyTest('each page with shell blocks is run, or a reason says why not', async (t) => {
  const found = (await pages()).filter(
    (file) => file !== 'CHANGELOG.md' && blocksOf(read(file)).some(({ language }) => SHELLS.has(language)),
  );
  t.deepEqual(found, [...RUN, ...Object.keys(NOT_RUN)].sort());
});

anyTest('a block without a language shows no command', async (t) => {
  const found = (await pages()).flatMap((file) =>
    blocksOf(read(file))
      .filter(({ language, text }) => language === '' && /^(?:\$ |npx |npm |curl |sluice )/m.test(text))
      .map(({ text }) => `${file}: ${text}`),
  );
  t.deepEqual(found, []);
});

const onMachine = missing === null ? anyTest.serial : anyTest.serial.skip;

if (missing === null) {
  anyTest.before(async (t) => {
    t.timeout(120_000, 'npm pack on a busy machine');
    packed = await packAndInstall(scope);
  });
  anyTest.after.always(() => scope.end());
}

/** A machine with a project in which the package is installed. */
async function boot(t: ExecutionContext, others: readonly string[] = []): Promise<Machine> {
  const machine = await Machine.boot(t);
  makeProject(machine.folder, packed, others);
  return machine;
}

function write(machine: Machine, name: string, content: string | object): void {
  const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
  writeFileSync(join(machine.folder, name), text);
}

async function listening(terminal: Terminal, block: string): Promise<Command> {
  const server = terminal.start(block);
  await server.shows(LISTENING);
  return server;
}

/** Ctrl-C, after which the server has ended well. npx itself ends by the signal. */
async function stop(t: ExecutionContext, server: Command): Promise<void> {
  const { stdout } = await server.interrupt();
  t.regex(stdout, /"msg":"stopped"\}\n$/);
}

/** Words of a line of a table in a terminal. */
const HASH = /^[0-9a-f]{32}:[0-9a-f]{64}\n$/;

onMachine('README.md: the quick start, from the clone to the configuration', async (t) => {
  t.timeout(240_000, 'it builds the package');
  const machine = await Machine.boot(t);
  const page = new Page('README.md');
  makeClone(join(machine.folder, 'sluice'));
  const [ci, pack, ...others] = page.commands();
  t.deepEqual(others, []);
  // It asks the registry for every package, and is the first command of each run on CI.
  t.is(ci, 'npm ci');
  t.regex(read('.ci/run'), /^tests='npm ci && /m);
  await machine.terminal('sluice').run(pack as string);

  const app = join(machine.folder, 'app');
  mkdirSync(app);
  const registry = machine.terminal().start(`node ${root}test/docs/shell/registry.ts`);
  const [, address] = /(http:\S+)/.exec(await registry.shows(/http:\S+\n/)) ?? [];
  const terminal = machine.terminal('app');
  writeFileSync(join(machine.folder, '.npmrc'), `registry=${address}\naudit=false\n`);
  await terminal.run(page.shell());
  const save = (name: string, text: string) => writeFileSync(join(app, name), text);
  save('app.js', page.source('js'));
  const start = page.shell();
  const curl = page.shell();
  const server = await listening(terminal, start);
  t.regex(await terminal.run(curl), HASH);
  await stop(t, server);

  save('app.ts', page.source('ts'));
  const typed = await listening(terminal, start.replace('app.js', 'app.ts'));
  t.regex(await terminal.run(curl), HASH);
  await stop(t, typed);

  save('runtime.config.json', page.source('json'));
  const configured = await listening(terminal, 'npx sluice start');
  t.regex(await terminal.run(curl), HASH);
  await stop(t, configured);
  page.end(t);
});

onMachine('docs/applications.md: the first application', async (t) => {
  const machine = await boot(t);
  const page = new Page('docs/applications.md');
  write(machine, 'hello.ts', page.source('ts'));
  write(machine, 'runtime.config.json', page.source('json'));
  const terminal = machine.terminal();
  const server = await listening(terminal, page.shell());
  t.is(await terminal.run(page.shell()), 'hello from /here\n');
  await stop(t, server);
  page.end(t);
});

onMachine('docs/actors.md and docs/topics.md: the first examples', async (t) => {
  const machine = await boot(t);
  const terminal = machine.terminal();
  const actors = new Page('docs/actors.md');
  write(machine, 'counter.ts', actors.source('ts'));
  write(machine, 'app.ts', actors.source('ts'));
  write(machine, 'runtime.config.json', actors.source('json'));
  const server = await listening(terminal, actors.shell());
  const count = actors.shell();
  t.deepEqual([await terminal.run(count), await terminal.run(count)], ['1\n', '2\n']);
  await stop(t, server);
  actors.end(t);

  const topics = new Page('docs/topics.md');
  write(machine, 'prices.ts', topics.source('ts'));
  write(machine, 'runtime.config.json', topics.source('json'));
  const market = await listening(terminal, topics.shell());
  const listen = topics.shell();
  const heard = [terminal.start(listen), terminal.start(listen)].map((listener) =>
    listener.shows(/^data: SLCE 1234, 0 missed\n\n/),
  );
  const publish = topics.shell();
  let isHeard = false;
  const all = Promise.all(heard).then(() => {
    isHeard = true;
  });
  // Nobody learns from outside when a subscription has begun.
  while (!isHeard) t.is(await terminal.run(`${publish.trim()} -w '%{http_code}'`), '204');
  await all;
  // Event streams end when the server drains, and are complete.
  const { stdout } = await market.interrupt();
  t.notRegex(stdout, /application failed/);
  topics.end(t);
});

onMachine('docs/bring-your-app.md: the same answers before and after', async (t) => {
  const machine = await boot(t, ['express']);
  const page = new Page('docs/bring-your-app.md');
  const terminal = machine.terminal();
  write(machine, 'server.js', page.source('js'));
  write(machine, 'app.js', page.source('js'));
  write(machine, 'runtime.config.json', page.source('json'));
  const [install, check, start, ...others] = page.commands();
  t.deepEqual(others, []);
  // The README's test runs it.
  t.true(read('README.md').includes(`\n${install?.replace(/ +#.*$/, '')}\n`));
  const [report, order] = page.commands() as [string, string];

  const before = terminal.start('node server.js');
  const overHttp1 = `${order.replace('--http2-prior-knowledge ', '')} --retry 100 --retry-connrefused --retry-delay 0`;
  const expected = [await terminal.run(`${overHttp1}`), await terminal.run(report)];
  await before.kill();

  t.regex(await terminal.run(check as string), /web[\s\S]*reports/);
  const server = await listening(terminal, start as string);
  t.deepEqual([await terminal.run(order), await terminal.run(report)], expected);
  t.is(expected[0], '{"ordered":"tea"}');
  await stop(t, server);
  page.end(t);
});

onMachine('docs/static-files.md: a directory instead of a pool', async (t) => {
  const machine = await boot(t);
  const page = new Page('docs/static-files.md');
  write(machine, 'runtime.config.json', page.source('jsonc').replace(/^\/\/.*\n/, ''));
  for (const folder of ['public', 'site']) mkdirSync(join(machine.folder, folder));
  write(machine, 'public/app.css', 'body { margin: 2rem }\n');
  write(machine, 'public/favicon.ico', 'icon');
  write(machine, 'site/index.html', `<!doctype html>${'x'.repeat(200)}`);
  const terminal = machine.terminal();
  const server = await listening(terminal, page.shell());
  const [asset, range] = page.commands() as [string, string];
  const style = await terminal.run(asset);
  t.regex(style, /^HTTP\/2 200/);
  t.regex(style, /cache-control: public, max-age=31536000, immutable\r\n/);
  t.true(style.endsWith('\r\nbody { margin: 2rem }\n'));
  const first = await terminal.run(range);
  t.regex(first, /^HTTP\/1\.1 206/);
  t.is(first.split('\r\n\r\n')[1]?.length, 100);
  await stop(t, server);
  page.end(t);
});

const SLOW_MODULE = `export default (exchange) => {
  if (exchange.request.path.startsWith('/stand')) for (;;);
  exchange.respond(200, {}, 'hello');
};
`;

onMachine('docs/health.md: the answer while a pool computes', async (t) => {
  const machine = await boot(t);
  const page = new Page('docs/health.md');
  write(machine, 'images.js', SLOW_MODULE);
  const { health } = JSON.parse(page.source('json'));
  write(machine, 'runtime.config.json', {
    health: { ...health, unresponsiveMs: 100 },
    // As in a stop the thread is ended, which nothing else does here.
    drainTimeoutMs: 100,
    pools: { images: { application: './images.js', threads: 1 } },
    routes: [{ path: '/*', pool: 'images' }],
  });
  const terminal = machine.terminal();
  const server = await listening(terminal, 'npx sluice start');
  const { command, output } = page.session();
  t.regex(await terminal.run(command), /"ready":true/);
  const waiting = terminal.start('curl -s http://127.0.0.1:8080/stand');
  let answer = '';
  while (!answer.includes('"ready":false')) answer = await terminal.run(command);
  t.is(answer.trim(), output.trim());
  await waiting.kill();
  await server.kill();
  page.end(t);
});

onMachine('docs/monitoring.md: probes and metrics', async (t) => {
  const machine = await boot(t);
  const page = new Page('docs/monitoring.md');
  const { monitoring } = JSON.parse(page.source('jsonc').replace(/ \/\/.*/, ''));
  write(machine, 'app.js', SLOW_MODULE);
  write(machine, 'runtime.config.json', {
    monitoring,
    pools: { app: { application: './app.js' } },
    routes: [{ path: '/*', pool: 'app' }],
  });
  const terminal = machine.terminal();
  const server = await listening(terminal, 'npx sluice start');
  const [ready, metrics] = page.commands() as [string, string];
  t.regex(await terminal.run(ready), /"ready":true/);
  t.regex(await terminal.run(metrics), /^sluice_queued_exchanges\{pool="app"\} 0$/m);
  await stop(t, server);
  page.end(t);
});

/** A server with the pool of which the pages on operating a server speak. */
const RENDER = {
  pools: { render: { application: './app.js', threads: 2 } },
  routes: [{ path: '/*', pool: 'render' }],
};

onMachine('docs/control-socket.md: the commands, and curl', async (t) => {
  const machine = await boot(t);
  const page = new Page('docs/control-socket.md');
  const commands = page.commands() as [string, string, string];
  const { control } = JSON.parse(page.source('jsonc').replace(/ \/\/.*/, ''));
  write(machine, 'app.js', SLOW_MODULE);
  write(machine, 'runtime.config.json', { ...RENDER, control });
  const terminal = machine.terminal();
  await terminal.run('mkdir -m 0700 /run/sluice');
  const server = await listening(terminal, 'npx sluice start');
  t.regex(await terminal.run(commands[0]), /^Sluice [\s\S]*\n *render-1 /m);
  for (const command of commands.slice(1))
    t.is(JSON.parse(await terminal.run(command)).pools?.[0]?.name ?? 'of several', 'render', command);
  await stop(t, server);
  page.end(t);
});

onMachine('docs/admin.md: over the socket, by a link and with a token', async (t) => {
  const machine = await boot(t);
  const page = new Page('docs/admin.md');
  const [exchanges, recycle] = page.commands() as [string, string];
  const { admin } = JSON.parse(page.source('jsonc').replace(/ \/\/.*/, ''));
  const control = { path: '/run/sluice/control.sock' };
  write(machine, 'app.js', SLOW_MODULE);
  write(machine, 'runtime.config.json', { ...RENDER, control, admin });
  const terminal = machine.terminal();
  await terminal.run('mkdir -m 0700 /run/sluice');
  const server = await listening(terminal, 'npx sluice start');
  t.deepEqual(JSON.parse(await terminal.run(exchanges)).exchanges, []);
  t.regex(await terminal.run(recycle), /render-1/);
  const [dashboard] = page.commands() as [string];
  const [, shown] = /such as (\S+#link=)/.exec(dashboard) ?? [];
  const printed = await terminal.run(dashboard);
  t.true(printed.includes(shown as string), printed);
  await stop(t, server);

  write(machine, 'runtime.config.json', { ...RENDER, control, ...JSON.parse(page.source('jsonc')) });
  const [token, ask] = page.commands() as [string, string];
  await terminal.run(token);
  const guarded = await listening(terminal, 'npx sluice start');
  t.deepEqual(JSON.parse(await terminal.run(ask)).exchanges, []);
  t.regex(await terminal.run('curl http://10.0.0.5:9465/exchanges'), /SLUICE_ADMIN_UNAUTHORIZED/);
  await stop(t, guarded);
  page.end(t);
});

onMachine('docs/reload.md: what a reload prints', async (t) => {
  const machine = await boot(t);
  const page = new Page('docs/reload.md');
  const api = { application: './app.js', threads: 4 };
  write(machine, 'app.js', SLOW_MODULE);
  write(machine, 'runtime.config.json', {
    pools: { api, images: { application: './app.js' } },
    routes: [
      { path: '/*', pool: 'api' },
      { path: '/images/*', pool: 'images' },
    ],
  });
  const terminal = machine.terminal();
  const server = await listening(terminal, 'npx sluice start');
  write(machine, 'runtime.config.json', {
    limits: { maxConnections: 500 },
    pools: { api },
    routes: [{ path: '/*', pool: 'api' }],
  });
  const { command, output } = page.session();
  const withoutTime = (text: string) => text.replace(/\d+ ms/, 'N ms').trim();
  t.is(withoutTime(await terminal.run(command)), withoutTime(output));
  await stop(t, server);
  page.end(t);
});

onMachine('docs/notifications.md and apps/middleware/README.md: the samples in the clone', async (t) => {
  t.timeout(120_000, 'it starts every sample');
  const machine = await Machine.boot(t);
  const page = new Page('docs/notifications.md');
  const [start] = page.commands() as [string];
  const [, address] = /open (\S+)/.exec(start) ?? [];
  makeClone(join(machine.folder, 'sluice'));
  const config = JSON.parse(read('runtime.config.json'));
  // A machine that is busy with other tests starts threads slowly.
  for (const pool of Object.values<object>(config.pools))
    Object.assign(pool, { startTimeoutMs: START_PATIENCE_MS });
  write(machine, 'sluice/runtime.config.json', config);
  const terminal = machine.terminal('sluice');
  const server = await listening(terminal, start);
  t.regex(await terminal.run(`curl -sf ${address}`), /<title>/);
  const gallery = new Page('apps/middleware/README.md');
  t.regex(await terminal.run(gallery.shell()), /^HTTP\/2 200 /m);
  await stop(t, server);
  page.end(t);
  gallery.end(t);
});

onMachine('docs/operate.md: the life of a server', async (t) => {
  t.timeout(240_000, 'a load, and two dozen commands');
  const machine = await boot(t);
  const page = new Page('docs/operate.md');
  const terminal = machine.terminal();
  const [init, check, start] = page.commands() as [string, string, string];
  await terminal.run(init);
  t.true(existsSync(join(machine.folder, 'app.ts')));
  await terminal.run(check);
  const own = JSON.parse(readFileSync(join(machine.folder, 'runtime.config.json'), 'utf8'));
  const admin = JSON.parse(page.source('jsonc'));
  const [application] = Object.values(own.pools as Record<string, object>);
  const config = {
    ...admin,
    pools: { render: { ...application, threads: { min: 2, max: 2 } } },
    routes: [{ path: '/*', pool: 'render' }],
  };
  write(machine, 'runtime.config.json', config);
  const server = await listening(terminal, start);

  t.regex(await terminal.run(page.shell()), /200 succeeded, 0 failed/);

  const [ps, top, dashboard, logs, events, status] = page.commands() as [
    ...[ps: string, top: string, dashboard: string],
    ...[logs: string, events: string, status: string],
  ];
  t.regex(await terminal.run(ps), /^ *render-1 /m);
  const watched = terminal.start(top);
  await watched.shows(/per s[\s\S]*per s/);
  await watched.interrupt();
  t.regex(await terminal.run(dashboard), /^http:\/\/127\.0\.0\.1:9465\/#link=\S+$/m);
  const followed = terminal.start(logs);
  await followed.shows(LISTENING);
  await followed.interrupt();
  t.regex(await terminal.run(events), /started/);
  t.is(JSON.parse(await terminal.run(status)).state, 'running');

  await terminal.run(page.shell());

  const [reload, effective, resize, recycle, logLevel] = page.commands() as [
    ...[reload: string, effective: string, resize: string],
    ...[recycle: string, logLevel: string],
  ];
  t.regex(await terminal.run(reload), /pool render: 2 threads replaced/);
  t.regex(await terminal.run(effective), /threads\.min = 2 /);
  t.regex(await terminal.run(resize), /render/);
  t.regex(await terminal.run(effective), /threads\.max = 8 +admin/);
  t.regex(await terminal.run(recycle), /render-\d/);
  t.regex(await terminal.run(logLevel), /debug/);

  const [stopping, drain] = page.commands() as [string, string];
  await terminal.run(stopping);
  t.is((await server.ended).code, 0);
  const again = await listening(terminal, start);
  await terminal.run(drain);
  t.is((await again.ended).code, 0);
  rmSync(join(machine.folder, 'runtime.config.json'));
  page.end(t);
});
