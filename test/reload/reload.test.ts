/** A server that takes over another configuration and other code while it serves: real threads, real connections. */
import { once } from 'node:events';
import { Agent } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import type { Config } from '../../runtime/config/config.ts';
import { parseConfig } from '../../runtime/config/load.ts';
import type { PoolStatus } from '../../runtime/status/status-types.ts';
import {
  application,
  configInput,
  type PoolInput,
  type ServerInput,
  START_PATIENCE_MS,
  startServer,
  type TestServer,
} from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { answer, connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { AppFolder } from './app-folder.ts';

const one: Partial<PoolInput> = {
  threads: { min: 1, max: 1 },
  minUptimeMs: 0,
  startTimeoutMs: START_PATIENCE_MS,
  validate: false,
};

const configOf = (input: ServerInput): Config =>
  parseConfig(JSON.stringify(configInput(input)), 'test.config.json');

const poolOf = ({ server }: TestServer, name: string): PoolStatus =>
  server.status().pools.find((pool) => pool.name === name) as PoolStatus;

async function textOf(url: string): Promise<string> {
  return String((await requestHttp1(url)).body);
}

async function start(t: ExecutionContext, input: ServerInput): Promise<TestServer> {
  return startServer(t, input);
}

test('a reload brings new code of the module, of what it imports, of JSON and of TypeScript, and keeps nothing stale', async (t) => {
  const folder = new AppFolder(t);
  const write = (text: string): string => {
    folder.write('package.json', '{ "type": "module" }');
    folder.write('data.json', JSON.stringify({ text }));
    folder.write('common.cjs', `module.exports = { text: '${text}', data: require('./data.json').text };`);
    folder.write('inner.ts', `export const text: string = '${text}';\n`);
    folder.write('outer.js', `export { text } from './inner.ts';\n`);
    return folder.write(
      'app.ts',
      `import data from './data.json' with { type: 'json' };
      import common from './common.cjs';
      import { text } from './outer.js';
      const own: string = '${text}';
      export default (exchange: { respond(status: number, fields: object, body: string): void }): void =>
        exchange.respond(200, {}, [own, text, data.text, common.text, common.data].join(' '));\n`,
    );
  };
  const pools = { app: { ...one, threads: { min: 2, max: 2 }, application: write('one') } };
  const running = await start(t, { pools });
  t.is(await textOf(running.origin), 'one one one one one');
  for (const text of ['two', 'six']) {
    // Of the same length: a cache that goes by sizes would not notice.
    write(text);
    const report = await running.server.reload(configOf({ pools }));
    t.like(report, { changed: [], pools: [{ pool: 'app', change: 'replaced', threads: 2 }] });
    for (let i = 0; i < 4; i++) t.is(await textOf(running.origin), Array(5).fill(text).join(' '));
  }
  const { version, stale, threads } = poolOf(running, 'app');
  t.is(version, 3);
  t.is(stale, null);
  t.true(threads.filter(({ state }) => state === 'ready').every((thread) => thread.version === 3));
});

test('routes, pools and limits change at once, and connections stay', async (t) => {
  const folder = new AppFolder(t);
  const apps = Object.fromEntries(
    ['a', 'b', 'c'].map((name) => [name, { ...one, application: folder.answering(`${name}.mjs`, name) }]),
  ) as Record<'a' | 'b' | 'c', PoolInput>;
  const { a, b, c } = apps;
  const running = await start(t, {
    pools: { a, b },
    routes: [
      { path: '/a', pool: 'a' },
      { path: '/b', pool: 'b' },
    ],
  });
  const { origin, server } = running;
  const session = await connectHttp2(t, origin);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const ask = async (path: string) => {
    const over2 = await request(session, { ':path': path });
    const over1 = await requestHttp1(`${origin}${path}`, { agent });
    t.is(over1.status, over2.status);
    return over1.status === 200 ? String(over1.body) : over1.status;
  };
  t.deepEqual(await Promise.all(['/a', '/b', '/c'].map(ask)), ['a', 'b', 404]);
  const report = await server.reload(
    configOf({
      pools: { a: { ...a, queue: { maxExchanges: 7 } }, c },
      routes: [
        { path: '/a', pool: 'a', maxBodyBytes: 3 },
        { path: '/c', pool: 'c' },
      ],
      limits: { maxConnections: 5 },
    }),
  );
  t.deepEqual(
    report.pools.map(({ pool, change }) => `${pool} ${change}`),
    ['a replaced', 'c added', 'b removed'],
  );
  t.true(report.changed.includes('$.routes'));
  t.true(report.changed.includes('$.limits.maxConnections'));
  t.true(report.changed.includes('$.pools.a.queue.maxExchanges'));
  t.deepEqual(await Promise.all(['/a', '/b', '/c'].map(ask)), ['a', 404, 'c']);
  const posted = await request(session, { ':method': 'POST', ':path': '/a' }, 'four');
  t.is(posted.status, 413);
  t.is(poolOf(running, 'a').maxQueued, 7);
  t.is(server.status().connections.max, 5);
  t.false(session.closed);
  t.is(Object.values(agent.freeSockets).flat().length, 1);
  await server.reloadSettled();
  t.deepEqual(
    server.status().pools.map(({ name }) => name),
    ['a', 'c'],
  );
});

test('what cannot change while the server runs is refused by name, and nothing of the rest changes', async (t) => {
  const folder = new AppFolder(t);
  const pools = { app: { ...one, application: folder.answering('app.mjs', 'old') } };
  const { server, origin, log } = await start(t, { pools });
  folder.answering('app.mjs', 'new');
  const before = server.config;
  const error = await t.throwsAsync(
    server.reload(
      configOf({
        pools,
        listeners: [{ address: '127.0.0.2:0', permissions: undefined }],
        http1: { enabled: false },
        limits: { maxConnections: 1 },
        log: { level: 'debug', format: 'text' },
      }),
    ),
    { code: 'SLUICE_CONFIG_INVALID' },
  );
  const { problems } = error as unknown as { problems: readonly { where: string; code: string }[] };
  t.deepEqual(
    problems.map(({ where, code }) => [where, code]),
    ['$.listeners[0].address', '$.http1.enabled', '$.log.format'].map((where) => [
      where,
      'SLUICE_CONFIG_FIXED',
    ]),
  );
  t.regex(
    String(error?.message),
    /\$\.listeners\[0\]\.address: expected "127\.0\.0\.1:0", which is what runs, got "127\.0\.0\.2:0"/,
  );
  t.is(server.config, before);
  t.is(await textOf(origin), 'old');
  t.is(log.count('thread started'), 1);
});

const failures: readonly {
  readonly title: string;
  readonly broken: string;
  readonly pool?: Partial<PoolInput>;
  readonly why: RegExp;
}[] = [
  { title: 'throws while it loads', broken: `throw new Error('no such luck');`, why: /no such luck/ },
  { title: 'is no JavaScript', broken: 'export default (', why: /SyntaxError/ },
  {
    title: 'hangs while it loads',
    broken: 'await new Promise(() => setInterval(() => {}, 1e6)); export default () => {};',
    pool: { startTimeoutMs: 1_500 },
    why: /did not load within 1500 ms/,
  },
  {
    title: 'computes for ever while it loads',
    broken: 'for (;;); export default () => {};',
    pool: { startTimeoutMs: 1_500 },
    why: /did not load within 1500 ms/,
  },
  {
    title: 'dies a moment after it has loaded',
    broken: `setTimeout(() => { throw new Error('too late'); }, 50); export default (exchange) => exchange.respond(200, {}, 'new');`,
    pool: { minUptimeMs: 60_000 },
    why: /too late/,
  },
];

for (const { title, broken, pool, why } of failures) {
  test(`a version that ${title} is given up, the old threads go on, and the pool says so`, async (t) => {
    const folder = new AppFolder(t);
    const pools = {
      app: { ...one, application: folder.answering('app.mjs', 'old') },
      other: { ...one, application: folder.answering('other.mjs', 'other old') },
    };
    const patient = { ...pools, app: { ...pools.app, ...pool } };
    const running = await start(t, { pools });
    const { server, origin } = running;
    folder.write('app.mjs', broken);
    folder.answering('other.mjs', 'other new');
    const error = await t.throwsAsync(
      server.reload(configOf({ pools: patient, limits: { maxConnections: 9 } })),
      {
        code: 'SLUICE_APPLICATION_LOAD_FAILED',
      },
    );
    t.regex(String(error?.message), why);
    t.regex(String(poolOf(running, 'app').stale?.why), why);
    t.is(poolOf(running, 'other').stale, null);
    t.not(server.status().connections.max, 9);
    t.is(await textOf(origin), 'old');
    t.is(poolOf(running, 'app').state, 'running');
    folder.answering('app.mjs', 'mended');
    await server.reload(configOf({ pools }));
    t.is(await textOf(origin), 'mended');
    t.is(await textOf(`${origin}/other`), 'other new');
    t.is(poolOf(running, 'app').stale, null);
  });
}

test('a stale pool that loses a thread is degraded, since its old code cannot be loaded again', async (t) => {
  const folder = new AppFolder(t);
  const dying = `export default (exchange) => {
    if (exchange.request.path === '/die') process.exit(1);
    exchange.respond(200, {}, 'old');
  };`;
  const pools = {
    app: { ...one, threads: { min: 2, max: 2 }, application: folder.write('app.mjs', dying) },
  };
  const running = await start(t, { pools });
  const { server, origin, log } = running;
  folder.write('app.mjs', `throw new Error('broken');`);
  await t.throwsAsync(server.reload(configOf({ pools })));
  await requestHttp1(`${origin}/die`);
  const line = await log.until('pool degraded: its version is no longer on the disk');
  t.regex(String(line.stale), /broken/);
  t.is(poolOf(running, 'app').state, 'degraded');
  t.is(await textOf(origin), 'old');
  folder.answering('app.mjs', 'mended');
  await log.until('pool recovered');
  await server.reload(configOf({ pools }));
  t.is(await textOf(origin), 'mended');
});

test('what an old thread has begun finishes there, and what it had not begun runs elsewhere', async (t) => {
  const folder = new AppFolder(t);
  const queue = { maxWaitMs: START_PATIENCE_MS };
  const pools = { staged: { ...one, application: application('server', 'staged'), queue } };
  const { server, origin, signals } = await start(t, { pools });
  folder.write('unused', '');
  const session = await connectHttp2(t, origin);
  const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
  const begun = signals.until('begun-blocked');
  const blocked = ask('/block?id=-blocked');
  await begun;
  // Behind what holds the only thread.
  const behind = ask('/run?id=-behind');
  await server.reload(configOf({ pools }));
  t.is(String((await behind).body), 'ran-behind');
  signals.tell('release');
  t.is(String((await blocked).body), 'released-blocked');
  await server.reloadSettled();
  t.is(server.status().pools[0]?.threads.length, 1);
});

test('exchanges on an old thread hear draining, and are reset when reload.drainTimeoutMs is over', async (t) => {
  const folder = new AppFolder(t);
  const application = folder.write(
    'app.mjs',
    `export default async (exchange) => {
      exchange.respond(200);
      await exchange.write('begun');
      if (exchange.request.path === '/polite') {
        await new Promise((resolve) => exchange.draining.addEventListener('abort', resolve));
        await exchange.write(' draining');
        exchange.end();
      } else await exchange.closed;
    };`,
  );
  const pools = { app: { ...one, application } };
  const reload = { drainTimeoutMs: 300 };
  const running = await start(t, { pools, reload });
  const session = await connectHttp2(t, running.origin);
  const polite = session.request({ ':path': '/polite' });
  const politely = answer(polite);
  const stubborn = session.request({ ':path': '/stubborn' });
  const stubbornly = answer(stubborn);
  await Promise.all([once(polite, 'data'), once(stubborn, 'data')]);
  await running.server.reload(configOf({ pools, reload }));
  t.is(String((await politely).body), 'begun draining');
  t.is((await politely).how, 'whole');
  // CANCEL
  t.is((await stubbornly).resetCode, 8);
  await running.server.reloadSettled();
  t.is(poolOf(running, 'app').threads.length, 1);
  t.is(poolOf(running, 'app').diedThreads, 0);
  t.false(session.closed);
});

test('an old thread that dies while others are being replaced is replaced once', async (t) => {
  const folder = new AppFolder(t);
  const pools = {
    app: {
      ...one,
      threads: { min: 3, max: 3 },
      // Long enough for the death to come before its turn.
      minUptimeMs: 1_000,
      application: folder.answering('app.mjs', 'x'),
    },
  };
  const running = await start(t, { pools });
  const { server, log } = running;
  const reloaded = server.reload(configOf({ pools }));
  await log.until('thread started', ({ thread }) => thread === 'app-5');
  const [pool] = server.parts.pools;
  const last = [...pool!.threads].find(({ name }) => name === 'app-3');
  await pool!.workerOf(last!)?.terminate();
  await reloaded;
  await server.reloadSettled();
  const { threads, version } = poolOf(running, 'app');
  t.is(threads.length, 3);
  t.true(threads.every((thread) => thread.version === version));
});

test('a pool may have fewer threads than before, or more', async (t) => {
  const folder = new AppFolder(t);
  const application = folder.answering('app.mjs', 'x');
  const poolsOf = (threads: number) => ({
    app: { ...one, application, threads: { min: threads, max: threads } },
  });
  const running = await start(t, { pools: poolsOf(3) });
  const ready = () => poolOf(running, 'app').threads.filter(({ state }) => state === 'ready').length;
  await running.server.reload(configOf({ pools: poolsOf(1) }));
  await running.server.reloadSettled();
  t.is(ready(), 1);
  await running.server.reload(configOf({ pools: poolsOf(2) }));
  await running.log.until('thread started', ({ thread }) => thread === 'app-6');
  await running.server.reloadSettled();
  t.is(ready(), 2);
});

async function limited(t: ExecutionContext, maxHeld: number) {
  const queue = { maxWaitMs: START_PATIENCE_MS };
  const staged = { ...one, application: application('server', 'staged'), queue };
  const input = (maxConcurrent: number): ServerInput => ({
    pools: { staged },
    routes: [{ path: '/*', pool: 'staged', maxConcurrent, maxHeld }],
  });
  const { origin, server, signals } = await start(t, input(1));
  const session = await connectHttp2(t, origin);
  const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
  const reload = (maxConcurrent: number) => server.reload(configOf(input(maxConcurrent)));
  const begun = ask('/wait?id=-0');
  await signals.until('begun-0');
  return { ask, reload, begun, signals };
}

test('what came before a reload counts towards the limit of its route', async (t) => {
  const { ask, reload, begun, signals } = await limited(t, 0);
  await reload(1);
  t.is((await ask('/run?id=-1')).status, 503);
  signals.tell('release');
  t.is((await begun).status, 200);
  t.is((await ask('/run?id=-2')).status, 200);
  t.is(signals.heard('ran-1'), 0);
});

test('what is held runs when a reload raises the limit of its route', async (t) => {
  const { ask, reload, begun, signals } = await limited(t, 1);
  const held = ask('/run?id=-1');
  t.is((await ask('/run?id=-2')).status, 503, 'one is held');
  await reload(2);
  t.is((await held).body.toString(), 'ran-1');
  signals.tell('release');
  t.is((await begun).status, 200);
});
