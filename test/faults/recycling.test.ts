/** Threads that make room for others under a whole server, and what those do before they take work. */
import test from 'ava';
import { application, type PoolInput, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';

test('a thread that leaks Buffers is recycled without a request that notices', async (t) => {
  const { origin, server, log } = await startServer(t, {
    pools: {
      pool: {
        application: application('faults', 'leaking'),
        threads: 1,
        minUptimeMs: 0,
        recycle: { maxExternalBytes: 60_000_000 },
      },
    },
  });
  const session = await connectHttp2(t, origin);
  let most = 0;
  for (let kept = 0; kept >= most; ) {
    most = kept;
    const { status, body } = await request(session, { ':path': kept < 40 ? '/leak' : '/' });
    t.is(status, 200);
    kept = Number(body.toString());
  }
  t.like(log.find('thread recycled'), { level: 'info', pool: 'pool', thread: 'pool-1', cause: 'external' });
  t.is(log.count('thread died'), 0);
  const [status] = server.status().pools;
  t.like(status, { exchanges: { lost: 0, failed: 0 } });
});

test('threads are recycled by the number of their exchanges under load: each request is answered once', async (t) => {
  const { origin, server, log } = await startServer(t, {
    pools: {
      pool: {
        application: application('faults', 'leaking'),
        threads: 2,
        minUptimeMs: 0,
        recycle: { maxExchanges: 50, maxAtOncePercent: 100 },
      },
    },
  });
  const session = await connectHttp2(t, origin);
  let [sent, answered] = [0, 0];
  while ((server.status().pools[0]?.recycledThreads ?? 0) < 4) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => request(session, { ':path': '/' })));
    sent += answers.length;
    answered += answers.filter(({ status }) => status === 200).length;
  }
  t.is(answered, sent);
  t.is(log.count('thread died'), 0);
  t.is(server.status().pools[0]?.exchanges.complete, sent);
});

test('near its memory limit the server recycles the largest thread', async (t) => {
  const { origin, log } = await startServer(t, {
    pools: {
      small: { application: application('faults', 'leaking'), threads: 1 },
      large: { application: application('faults', 'leaking'), threads: 1, minUptimeMs: 0 },
    },
    routes: [
      { path: '/small', pool: 'small' },
      { path: '/*', pool: 'large' },
    ],
    // The process of the test has more than that already, and the thread most of it.
    memory: { limitBytes: 100_000_000, everyMs: 1_000 },
  });
  const session = await connectHttp2(t, origin);
  for (let kept = 0; kept < 60; kept++) await request(session, { ':path': '/leak' });
  const line = await log.until('its largest thread is recycled', ({ pool }) => pool === 'large');
  t.is(line.thread, 'large-1');
  await log.until('thread recycled', ({ thread }) => thread === 'large-1');
  t.is((await request(session, { ':path': '/' })).status, 200);
});

test('a thread answers its warm-up requests, in their order, before it takes others', async (t) => {
  const { origin } = await startServer(t, {
    pools: {
      pool: {
        application: application('faults', 'warmed'),
        threads: 1,
        warmUp: [{ path: '/first?a=1' }, { method: 'HEAD', path: '/second', host: 'www.example.org' }],
      },
    },
  });
  const session = await connectHttp2(t, origin);
  const { body } = await request(session, { ':path': '/asked' });
  t.deepEqual(JSON.parse(body.toString()), [
    'GET localhost /first?a=1 sluice-warm-up',
    'HEAD www.example.org /second sluice-warm-up',
  ]);
});

for (const [path, says] of [
  ['/fails', /the warm-up request GET \/fails failed.*there is no database to warm up from/s],
  ['/unavailable', /the warm-up request GET \/unavailable .*below 500, got 503/],
] as const) {
  test(`a warm-up request that is not answered well is a failure to load: ${path}`, async (t) => {
    const pool = { application: application('faults', 'warmed'), threads: 1, warmUp: [{ path }] };
    const error = await t.throwsAsync(startServer(t, { pools: { pool } }), {
      code: 'SLUICE_APPLICATION_LOAD_FAILED',
    });
    t.regex(error?.message ?? '', says);
  });
}

for (const [what, pool, says] of [
  [
    'a warm-up request',
    { application: application('faults', 'warmed'), warmUp: [{ path: '/asked' }, { path: '/loops' }] },
    /within 5000 ms, because the warm-up request GET \/loops has not ended/,
  ],
  [
    'start',
    { application: application('faults', 'starts-never') },
    /within 5000 ms, because the application's start\(\) has not ended/,
  ],
] satisfies [string, PoolInput, RegExp][]) {
  test(`a start that takes too long is told with what it is at: ${what}`, async (t) => {
    const input = { pools: { pool: { ...pool, threads: 1, startTimeoutMs: 5_000 } } };
    const error = await t.throwsAsync(startServer(t, input), { code: 'SLUICE_APPLICATION_LOAD_FAILED' });
    t.regex(error?.message ?? '', says);
  });
}
