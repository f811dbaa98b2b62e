/** The paths of `health`: answered by the reactor, on the listeners that it is to answer on, whatever the threads do. */
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { parseConfig } from '../../runtime/config/load.ts';
import { readinessOf } from '../../runtime/health/readiness.ts';
import { createLog } from '../../runtime/logging/log.ts';
import { Server } from '../../runtime/server/server.ts';
import { startPool } from '../pools/start-pool.ts';
import { application, configInput, startServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { LogLines } from '../server/log-lines.ts';
import { startProcess } from '../server/process.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const health = { live: '/livez', ready: '/readyz' };
const staged = { application: application('server', 'staged'), threads: { min: 1, max: 1 } };

/** The next answer with that status. Each asks the reactor anew, which is what makes it look. */
async function until(url: string, status: number): Promise<unknown> {
  for (;;) {
    const answer = await requestHttp1(url);
    if (answer.status === status) return JSON.parse(String(answer.body));
  }
}

test('GET and HEAD are answered over both versions, before every route, and by no application', async (t) => {
  const { server, origin } = await startServer(t, {
    health,
    pools: { app: staged },
    routes: [
      { path: '/*', pool: 'app' },
      { host: '127.0.0.1', path: '/readyz', pool: 'app' },
    ],
  });
  const session = await connectHttp2(t, origin);
  for (const [path, body] of [
    ['/livez', '{"live":true}\n'],
    ['/readyz?verbose', '{"ready":true,"state":"running","pools":[]}\n'],
  ]) {
    const got = await requestHttp1(`${origin}${path}`);
    t.is(got.status, 200);
    t.is(got.headers['content-type'], 'application/json');
    t.is(got.headers['cache-control'], 'no-store');
    t.is(String(got.body), body);
    const head = await requestHttp1(`${origin}${path}`, { method: 'HEAD' });
    t.is(head.status, 200);
    t.is(head.headers['content-length'], got.headers['content-length']);
    t.is(head.body.length, 0);
    const over2 = await request(session, { ':path': path });
    t.is(over2.status, 200);
    t.is(String(over2.body), body);
    t.is((await request(session, { ':path': path, ':method': 'HEAD' })).body.length, 0);
    const posted = await requestHttp1(`${origin}${path}`, { method: 'POST' });
    t.is(posted.status, 405);
    t.is(posted.headers.allow, 'GET, HEAD');
  }
  t.is(server.status().pools[0]?.exchanges.started, 0);
});

test('a listener that says so leaves the paths to its routes, as does a server without them', async (t) => {
  const pools = { app: { application: application('server', 'pool-name'), threads: { max: 1 } } };
  const off = await startServer(t, {
    health,
    pools,
    listeners: [{ address: '127.0.0.1:0', health: false }],
  });
  const without = await startServer(t, { pools });
  for (const { origin, server } of [off, without]) {
    await requestHttp1(`${origin}/readyz`);
    t.is(server.status().pools[0]?.exchanges.started, 1);
  }
});

test('a pool whose threads hang is not ready, unless it is optional, and the server lives', async (t) => {
  const { origin, signals } = await startServer(t, {
    health: { ...health, unresponsiveMs: 100 },
    pools: { app: staged, extra: { ...staged, optional: true } },
  });
  const fields = { headers: { [SIGNALS_FIELD]: signals.name } };
  const begunExtra = signals.until('begun-extra');
  const extra = requestHttp1(`${origin}/extra/block?id=-extra`, fields);
  await begunExtra;
  const begun = signals.until('begun-app');
  const blocked = requestHttp1(`${origin}/app/block?id=-app`, fields);
  await begun;
  t.deepEqual(await until(`${origin}/readyz`, 503), {
    ready: false,
    state: 'running',
    pools: [{ pool: 'app', why: 'unresponsive' }],
  });
  t.is((await requestHttp1(`${origin}/livez`)).status, 200);
  signals.tell('release');
  t.is((await blocked).status, 200);
  t.is((await extra).status, 200);
  await until(`${origin}/readyz`, 200);
  t.pass();
});

test('a process that was stopped is ready when it goes on, and a thread that hangs is found out from there', async (t) => {
  const { pool, reactor, submit } = startPool(t, 'hanging');
  await pool.start();
  submit('loop');
  const [thread] = pool.threads;
  while (thread!.unbegunJobs > 0) await setImmediate();
  const ready = () => readinessOf('running', [pool], 10_000).ready;
  t.true(ready());
  // The reactor takes no turn meanwhile.
  reactor.nowMs += 3_600_000;
  t.true(ready());
  for (let seconds = 0; seconds < 6; seconds++) {
    reactor.nowMs += 1_000;
    t.true(ready());
  }
  for (let seconds = 0; seconds < 4; seconds++) {
    reactor.nowMs += 1_000;
    ready();
  }
  t.false(ready());
});

test('a pool that has no thread yet is loading', (t) => {
  const config = parseConfig(JSON.stringify(configInput({ pools: { app: staged } })), 'test.config.json');
  const { stream } = new LogLines();
  const server = new Server(config, createLog(config.log, { stream, isTerminal: false, colour: false }));
  t.deepEqual(server.readiness(), {
    ready: false,
    state: 'starting',
    pools: [{ pool: 'app', why: 'loading' }],
  });
});

test.serial('from the first SIGTERM on the server is not ready, and goes on for drainDelayMs', async (t) => {
  const { child, listening, log, ended } = startProcess(t, {
    health,
    drainDelayMs: 60_000,
    pools: { app: { application: application('server', 'pool-name'), threads: { max: 1 } } },
  });
  const origin = await listening();
  t.is((await requestHttp1(`${origin}/readyz`)).status, 200);
  child.kill('SIGTERM');
  await log.until('not ready: ');
  const { status, body } = await requestHttp1(`${origin}/readyz`);
  t.is(status, 503);
  t.deepEqual(JSON.parse(String(body)), { ready: false, state: 'leaving', pools: [] });
  t.is((await requestHttp1(`${origin}/livez`)).status, 200);
  t.is((await requestHttp1(`${origin}/`)).status, 200);
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 143, signal: null });
});

test.serial('the drain begins when drainDelayMs is over', async (t) => {
  const { child, listening, ended, log } = startProcess(t, {
    drainDelayMs: 50,
    pools: { app: { application: application('server', 'pool-name'), threads: { max: 1 } } },
  });
  await listening();
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
  t.like(log.find('not ready: '), { drainDelayMs: 50 });
});

test('live and ready are two paths, without a pattern', (t) => {
  const parse = (live: string, ready: string) => () =>
    parseConfig(JSON.stringify(configInput({ health: { live, ready }, pools: { app: staged } })), 'a.json');
  t.notThrows(parse('/a', '/b'));
  t.throws(parse('/a', '/a'), { message: /\$\.health\.ready .*a path that \$\.health\.live does not have/s });
  t.throws(parse('/a/*', '/b'), { message: /\$\.health\.live .*expected a path such as "\/livez"/s });
});
