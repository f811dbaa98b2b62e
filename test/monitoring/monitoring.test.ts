/** The listener of `monitoring`, as probes and scrapers meet it. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect as connectClient } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setInterval } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BroadcastChannel } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { parseConfig } from '../../runtime/config/load.ts';
import {
  type Configuration,
  createServer,
  type LogLine,
  type SluiceServer,
} from '../../runtime/embedding/sluice.ts';
import { FrameType } from '../../runtime/http2/frames.ts';
import { routesOf } from '../../runtime/monitoring/open.ts';
import { ownFolder } from '../control/control-server.ts';
import { read } from '../docs/markdown.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { headers, RawHttp2, requestHead } from '../server/raw-http2.ts';
import { type Metric, readExposition, sampleOf } from './exposition.ts';

const execute = promisify(execFile);
const here = fileURLToPath(new URL('./applications/', import.meta.url));

interface Started {
  readonly server: SluiceServer;
  readonly origin: string;
  readonly monitoring: string;
}

/** @param whenOpen hears where probes are answered, which is before the applications have loaded */
async function start(
  t: ExecutionContext,
  more: Partial<Configuration> = {},
  whenOpen: (origin: string) => Promise<void> = async () => {},
): Promise<Started> {
  const open = Promise.withResolvers<string>();
  const log = ({ msg, address }: LogLine): void => {
    if (msg.startsWith('monitoring on')) open.resolve(`http://${address}`);
  };
  const configuration: Configuration = {
    listeners: [{ address: '127.0.0.1:0' }],
    pools: { app: { application: './monitored.ts', threads: { min: 1, max: 1 }, startTimeoutMs: 60_000 } },
    routes: [{ path: '/*', pool: 'app' }],
    control: { enabled: false },
    // Some tests ask as fast as they can.
    monitoring: { address: '127.0.0.1:0', maxRequestsPerSecond: 1_000_000 },
    ...more,
  };
  const server = createServer(configuration, { directory: here, log });
  t.teardown(() => server.close());
  const [monitoring] = await Promise.all([open.promise, server.start(), open.promise.then(whenOpen)]);
  return { server, origin: `http://${server.addresses[0]?.address}`, monitoring };
}

async function metricsOf(origin: string) {
  return readExposition(String((await requestHttp1(`${origin}/metrics`)).body));
}

test('metrics tell what became of requests, in the text format, over both versions', async (t) => {
  const { origin, monitoring } = await start(t);
  for (const path of ['/', '/missing', '/throw']) await requestHttp1(`${origin}${path}`);
  await requestHttp1(`${origin}/`, { method: 'PROPFIND' });
  const answer = await requestHttp1(`${monitoring}/metrics`);
  t.is(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.is(answer.headers['cache-control'], 'no-store');
  const metrics = readExposition(String(answer.body));
  const count = (method: string, status: string) =>
    sampleOf(
      metrics,
      'http_server_request_duration_seconds',
      `_count{pool="app",http_route="/*",network_protocol_version="1.1",http_request_method="${method}",http_response_status_class="${status}"}`,
    );
  t.deepEqual(
    [count('GET', '2xx'), count('GET', '4xx'), count('GET', '5xx'), count('_OTHER', '2xx')],
    [1, 1, 1, 1],
  );
  t.is(sampleOf(metrics, 'sluice_exchanges_started_total', '{pool="app"}'), 4);
  t.is(sampleOf(metrics, 'sluice_exchanges_ended_total', '{pool="app",outcome="failed"}'), 1);
  t.is(sampleOf(metrics, 'sluice_pool_state', '{pool="app",state="running"}'), 1);
  t.is(sampleOf(metrics, 'sluice_queue_wait_seconds', '_count{pool="app"}'), 4);
  t.is(sampleOf(metrics, 'sluice_queue_wait_seconds', '_bucket{pool="app",le="+Inf"}'), 4);
  const over2 = await request(await connectHttp2(t, monitoring), { ':path': '/metrics' });
  t.is(over2.status, 200);
  t.true(readExposition(String(over2.body)).has('sluice_info'));
});

test('the buckets of a wait never shrink and end with the count', async (t) => {
  const { origin, monitoring } = await start(t);
  for (let i = 0; i < 20; i++) await requestHttp1(origin);
  for (const [name, { type, values }] of await metricsOf(monitoring)) {
    if (type !== 'histogram') continue;
    let last = 0;
    for (const [key, value] of values) {
      if (!key.startsWith('_bucket')) continue;
      t.true(value >= last, `${name}${key}`);
      last = key.includes('+Inf') ? 0 : value;
      if (key.includes('+Inf'))
        t.is(values.get(key.replace('_bucket', '_count').replace(/,?le="\+Inf"/, '')), value);
    }
  }
});

test('a request that never becomes an exchange is counted by why it was refused, over both versions', async (t) => {
  const { origin, monitoring, server } = await start(t, { http2: { maxConcurrentStreams: 1 } });
  const { hostname, port } = new URL(origin);
  const over1 = async (text: string) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'close');
  };
  await over1('GET / HTTP/1.1\r\n\r\n');
  await over1(`GET /${'x'.repeat(10_000)} HTTP/1.1\r\nhost: a\r\n\r\n`);
  await over1(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`);
  await over1('GET / HTTP/1.1\r\nhost: a\r\nexpect: a miracle\r\n\r\n');
  const over2 = await RawHttp2.connect(t, Number(port));
  over2.send(headers(1, requestHead('GET', ''), true));
  await over2.untilFrame(FrameType.RstStream, 1);
  over2.send(headers(3, requestHead('POST', '/'), false), headers(5, requestHead('POST', '/'), false));
  await over2.untilFrame(FrameType.RstStream, 5);
  over2.send(headers(2, requestHead('GET', '/'), true));
  await over2.closed;
  const metrics = await metricsOf(monitoring);
  const refused = [...(metrics.get('sluice_requests_refused_total')?.values ?? [])];
  t.deepEqual(Object.fromEntries(refused), {
    '{reason="malformed"}': 2,
    '{reason="head-too-large"}': 2,
    '{reason="content-too-large"}': 0,
    '{reason="unsupported"}': 1,
    '{reason="head-timeout"}': 0,
    '{reason="too-many-streams"}': 1,
    '{reason="connection-error"}': 1,
  });
  t.is(server.status().pools[0]?.exchanges.started, 1, 'only the one that was announced');
});

test('without HTTP/1.1 its connections are counted as refused', async (t) => {
  const { origin, monitoring } = await start(t, { http1: { enabled: false } });
  await t.throwsAsync(requestHttp1(origin));
  const metrics = await metricsOf(monitoring);
  t.is(sampleOf(metrics, 'sluice_connections_refused_total', '{reason="http1-disabled"}'), 1);
});

/** Asks until the text is of now, which it is four times a second, and as it is wanted. */
async function metricsWhen(origin: string, wanted: (metrics: Map<string, Metric>) => boolean) {
  for (;;) {
    const metrics = await metricsOf(origin);
    if (wanted(metrics)) return metrics;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('who is turned away, what wakes whom, and what threads and responses wait for is counted', async (t) => {
  const { origin, monitoring } = await start(t);
  const { hostname, port } = new URL(origin);
  const stranger = connect(Number(port), hostname, () => stranger.write('no HTTP at all\r\n\r\n'));
  stranger.on('error', () => undefined);
  stranger.resume();
  await once(stranger, 'close');
  for (let each = 0; each < 3; each++) await requestHttp1(origin);
  const transport = (metrics: Map<string, Metric>) =>
    sampleOf(metrics, 'sluice_transport_seconds', '_count{pool="app"}');
  const metrics = await metricsWhen(monitoring, (each) => transport(each) === 3);
  t.is(sampleOf(metrics, 'sluice_connections_refused_total', '{reason="no-http"}'), 1);
  t.is(sampleOf(metrics, 'sluice_connections_refused_total', '{reason="proxy-header"}'), 0);
  const labels = 'pool="app",thread="app-1"';
  // On a busy machine the other side may be awake whenever something is published.
  for (const to of ['thread', 'reactor']) {
    let rung = 0;
    while (rung < 3) {
      await requestHttp1(origin);
      rung = sampleOf(await metricsOf(monitoring), 'sluice_doorbells_total', `{pool="app",to="${to}"}`) ?? 0;
    }
    t.true(rung >= 3, to);
  }
  for (const ring of ['request', 'response']) {
    t.is(sampleOf(metrics, 'sluice_thread_ring_used_bytes', `{${labels},ring="${ring}"}`), 0);
    t.is(sampleOf(metrics, 'sluice_thread_ring_bytes', `{${labels},ring="${ring}"}`), 2_097_152);
  }
});

test('a thread that computes is late on its loop, and says so when it comes back', async (t) => {
  const { origin, monitoring } = await start(t);
  const delay = (metrics: Map<string, Metric>) =>
    sampleOf(metrics, 'sluice_thread_loop_delay_seconds', '{pool="app",thread="app-1"}') ?? 0;
  await requestHttp1(`${origin}/compute`);
  t.true(delay(await metricsWhen(monitoring, (metrics) => delay(metrics) > 1)) > 1);
});

test('threads that die are counted by cause, and what they had cost stays counted', async (t) => {
  const { origin, monitoring } = await start(t, {
    pools: {
      app: {
        application: './monitored.ts',
        threads: { min: 1, max: 1 },
        startTimeoutMs: 60_000,
        minUptimeMs: 0,
        computeGraceMs: 200,
        resourceLimits: { maxOldGenerationSizeMb: 32 },
        // A busy machine may take longer than the default to start the next thread.
        queue: { maxWaitMs: 60_000 },
        restart: { intensity: 100 },
      },
    },
    routes: [
      { path: '/die/hung', pool: 'app', computeTimeoutMs: 200 },
      { path: '/*', pool: 'app' },
    ],
  });
  const died = (metrics: Map<string, Metric>, cause: string) =>
    sampleOf(metrics, 'sluice_threads_died_total', `{pool="app",cause="${cause}"}`);
  const rung = (metrics: Map<string, Metric>) =>
    sampleOf(metrics, 'sluice_doorbells_total', '{pool="app",to="reactor"}') ?? 0;
  let before = await metricsOf(monitoring);
  for (const cause of ['uncaught', 'exit', 'memory', 'hung']) {
    t.is(died(before, cause), 0, cause);
    t.is((await requestHttp1(`${origin}/die/${cause}`)).status, cause === 'hung' ? 504 : 502);
    // Ended by the next thread: the one before it has gone.
    t.is((await requestHttp1(origin)).status, 200);
    const after = await metricsWhen(monitoring, (each) => died(each, cause) === 1);
    t.true(rung(after) >= rung(before), 'a counter does not fall when a thread ends');
    before = after;
  }
  const causes = [...(before.get('sluice_threads_died_total')?.values ?? [])];
  t.is(
    causes.reduce((sum, [, count]) => sum + count, 0),
    4,
    'each is of one cause',
  );
});

test('threads that are recycled are counted by why, and peers that go over a budget by which', async (t) => {
  const { origin, monitoring } = await start(t, {
    pools: {
      app: {
        application: './monitored.ts',
        threads: { min: 1, max: 1 },
        startTimeoutMs: 60_000,
        recycle: { maxExchanges: 2, jitterPercent: 0 },
        minUptimeMs: 0,
      },
    },
    http2: { budgets: { pings: { burst: 4, perSecond: 0 } } },
  });
  for (let each = 0; each < 3; each++) await requestHttp1(origin);
  const flood = connectClient(origin);
  flood.on('error', () => undefined);
  await once(flood, 'connect');
  const closed = new Promise((resolve) => flood.once('close', resolve));
  for (let each = 0; each < 9; each++) flood.ping(() => undefined);
  await closed;
  const recycled = (metrics: Map<string, Metric>) =>
    sampleOf(metrics, 'sluice_threads_recycled_total', '{pool="app",cause="exchanges"}') ?? 0;
  const metrics = await metricsWhen(monitoring, (each) => recycled(each) >= 1);
  t.is(sampleOf(metrics, 'sluice_threads_recycled_total', '{pool="app",cause="heap"}'), 0);
  const over = [...(metrics.get('sluice_abuse_total')?.values ?? [])].filter(([, count]) => count > 0);
  t.is(over.length, 1);
  t.is(over[0]?.[1], 1);
});

test('HEAD is answered without content, other methods and paths are refused with a code', async (t) => {
  const { origin, monitoring, server } = await start(t);
  for (const path of ['/livez', '/readyz', '/metrics']) {
    const head = await requestHttp1(`${monitoring}${path}`, { method: 'HEAD' });
    t.deepEqual([head.status, head.body.length, head.how], [200, 0, 'whole']);
    const posted = await requestHttp1(`${monitoring}${path}`, { method: 'POST', body: 'x' });
    t.deepEqual([posted.status, posted.headers.allow], [405, 'GET, HEAD']);
  }
  const nowhere = await requestHttp1(`${monitoring}/status`);
  t.is(nowhere.status, 404);
  t.is(JSON.parse(String(nowhere.body)).error.code, 'SLUICE_CONTROL_NOT_FOUND');
  // Nothing of it reaches an application, and what the applications' listener is asked reaches only them.
  t.is(server.status().pools[0]?.exchanges.started, 0);
  t.is(String((await requestHttp1(`${origin}/metrics`)).body), 'answer');
});

test('a server is alive and not ready while its applications load', async (t) => {
  const name = `gate-${process.pid}-${Math.random()}`;
  const gate = new BroadcastChannel(name);
  t.teardown(() => gate.close());
  const loading = new Promise<void>((resolve) => {
    gate.onmessage = () => resolve();
  });
  const pools = {
    app: {
      application: './monitored.ts',
      threads: { min: 1, max: 1 },
      env: { SLUICE_TEST_GATE: name },
      startTimeoutMs: 60_000,
    },
  };
  const { monitoring } = await start(t, { pools }, async (origin) => {
    await loading;
    t.is((await requestHttp1(`${origin}/livez`)).status, 200);
    const unready = await requestHttp1(`${origin}/readyz`);
    t.is(unready.status, 503);
    t.like(JSON.parse(String(unready.body)), { ready: false, state: 'starting' });
    t.is(sampleOf(await metricsOf(origin), 'sluice_pool_state', '{pool="app",state="starting"}'), 1);
    gate.postMessage('open');
  });
  t.is((await requestHttp1(`${monitoring}/readyz`)).status, 200);
});

test('a client that does not read holds eight streams of a window, and others are answered', async (t) => {
  const { monitoring } = await start(t);
  const slow = connectClient(monitoring, { settings: { initialWindowSize: 0 } });
  t.teardown(() => slow.destroy());
  await once(slow, 'remoteSettings');
  t.is(slow.remoteSettings.maxConcurrentStreams, 8);
  const held = Array.from({ length: 8 }, () => slow.request({ ':path': '/metrics' }));
  for (const [head] of await Promise.all(held.map((stream) => once(stream, 'response'))))
    t.is(head[':status'], 200);
  t.true(readExposition(String((await requestHttp1(`${monitoring}/metrics`)).body)).has('sluice_info'));
  const texts = held.map((stream) => text(stream));
  slow.settings({ initialWindowSize: 1_000_000 });
  for (const each of await Promise.all(texts)) t.true(readExposition(each).has('sluice_info'));
});

test('a Unix domain socket does as well', async (t) => {
  const path = join(ownFolder(t), 'm.sock');
  await start(t, { monitoring: { address: `unix:${path}` } });
  const { stdout } = await execute('curl', ['-s', '--unix-socket', path, 'http://monitoring/livez']);
  t.is(stdout, '{"live":true}\n');
});

test('however often metrics are asked for, they are made four times a second', async (t) => {
  const { server } = await start(t);
  let now = 10_000;
  let asked = 0;
  const counted = {
    durations: null,
    details: () => ({ front: { refused: {}, requests: {}, abuse: {} } as never, pools: [], threads: [] }),
    readiness: () => ({ ready: true, state: 'running', pools: [] }) as const,
    status: () => {
      asked++;
      return server.status();
    },
  };
  const answer = routesOf(counted, () => now).find('GET', '/metrics');
  const exchange = { method: 'GET', respond: () => {}, write: async () => {}, end: () => {} };
  for (now = 10_000; now < 11_000; now += 10) await answer(exchange as never);
  t.is(asked, 4);
});

test('two clients that scrape every 10 ms get every answer right, while requests do, from a text made four times a second', async (t) => {
  const { origin, monitoring } = await start(t);
  const scrapes = 60;
  const texts = new Set<string>();
  const counted = (metrics: Map<string, Metric>) =>
    sampleOf(metrics, 'sluice_exchanges_started_total', '{pool="app"}') ?? Number.NaN;
  let requests = 0;
  let isOver = false;
  const load = async () => {
    const agent = new Agent({ keepAlive: true });
    while (!isOver) {
      const { status, body } = await requestHttp1(origin, { agent });
      t.is(status, 200);
      t.is(String(body), 'answer');
      requests++;
    }
    agent.destroy();
  };
  const scrape = async () => {
    // Fewer than `maxConnections`, also where the machine is slow.
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    let last = 0;
    const answers: Promise<void>[] = [];
    for await (const _ of setInterval(10)) {
      answers.push(
        requestHttp1(`${monitoring}/metrics`, { agent }).then(({ status, how, body }) => {
          t.is(status, 200);
          t.is(how, 'whole');
          texts.add(String(body));
          const now = counted(readExposition(String(body)));
          t.true(now >= last, 'a counter does not fall');
          last = now;
        }),
      );
      if (answers.length === scrapes) break;
    }
    await Promise.all(answers);
    agent.destroy();
  };
  const beganMs = performance.now();
  const loads = [load(), load()];
  await Promise.all([scrape(), scrape()]);
  const renderings = 1 + (performance.now() - beganMs) / 250;
  isOver = true;
  await Promise.all(loads);
  // The CPU time of the process differs from one text to the next.
  t.true(texts.size <= renderings, `${texts.size} texts`);
  t.is(counted(await metricsWhen(monitoring, (metrics) => counted(metrics) >= requests)), requests);
});

test('an address that a listener has, or that no probe could reach, is refused by its place', (t) => {
  const base = {
    listeners: [{ address: '127.0.0.1:9464' }],
    pools: { app: { application: 'app.ts' } },
    routes: [{ path: '/*', pool: 'app' }],
  };
  const problemsOf = (monitoring: object) => {
    try {
      parseConfig(JSON.stringify({ ...base, monitoring }), '/x/runtime.config.json');
      return [];
    } catch (error) {
      return (error as { problems: { where: string; code: string }[] }).problems;
    }
  };
  t.like(problemsOf({}), [{ where: '$.monitoring.address', code: 'SLUICE_CONFIG_CONFLICT' }]);
  t.like(problemsOf({ address: 'fd:3' }), [{ where: '$.monitoring.address' }]);
  t.like(problemsOf({ address: '/run/m.sock' }), [{ where: '$.monitoring.address' }]);
  t.deepEqual(problemsOf({ address: '127.0.0.1:9465' }), []);
});

test('docs/monitoring.md has every metric with its type, and no other', async (t) => {
  const { monitoring, origin } = await start(t, { topics: {} });
  await requestHttp1(origin);
  const documented = new Map(
    [...read('docs/monitoring.md').matchAll(/^\| `([a-z_]+)` \| (\w+) \|/gm)].map(([, name, type]) => [
      name,
      type,
    ]),
  );
  const metrics = await metricsOf(monitoring);
  for (const [name, { type }] of metrics) t.is(documented.get(name), type, name);
  for (const name of documented.keys())
    t.true(metrics.has(name as string) || String(name).startsWith('sluice_actor_'), name);
});
