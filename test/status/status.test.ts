/** What a status tells, held against what clients did: over HTTP/1.1 and HTTP/2, with whatever can end an exchange. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { request as request1 } from 'undici';
import type { JobRecord } from '../../runtime/pools/tally.ts';
import type { ExchangeStatus, PoolStatus, ThreadStatus } from '../../runtime/status/status-types.ts';
import { wholeOnly } from '../runner/whole-only.ts';
import { type ServerInput, startServer, type TestServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const application = fileURLToPath(new URL('./applications/ends.ts', import.meta.url));

/** One pool of one thread. */
async function start(
  t: ExecutionContext,
  pool: Partial<ServerInput['pools'][string]> = {},
  more: Partial<ServerInput> = {},
): Promise<TestServer> {
  const threads = { min: 1, max: 1 };
  return startServer(t, { pools: { app: { application, threads, validate: false, ...pool } }, ...more });
}

const poolOf = ({ server }: TestServer): PoolStatus => server.status().pools[0] as PoolStatus;
const threadOf = (running: TestServer): ThreadStatus => poolOf(running).threads[0] as ThreadStatus;

/** Without what is 0. */
function counted(exchanges: ExchangeStatus): Record<string, number> {
  return Object.fromEntries(Object.entries(exchanges).filter(([, count]) => count !== 0));
}

/** Both sides have heard of the ends of all exchanges. */
async function settled(running: TestServer): Promise<ExchangeStatus> {
  for (;;) {
    const { exchanges, threads } = poolOf(running);
    const busy = threads.reduce((sum, { running: open, waiting }) => sum + open + waiting, 0);
    if (exchanges.open === 0 && busy === 0) return exchanges;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function send(origin: string, path: string, body?: Buffer): Promise<number> {
  const method = body === undefined ? 'GET' : 'POST';
  const answer = await request1(`${origin}${path}`, { method, ...(body && { body }) });
  await answer.body.arrayBuffer();
  return answer.statusCode;
}

test('exchanges and bytes are those that clients sent and got, over HTTP/1.1 and HTTP/2', async (t) => {
  const running = await start(t);
  const session = await connectHttp2(t, running.origin);
  const body = Buffer.alloc(300_000, 1);
  for (let i = 0; i < 5; i++) t.is(await send(running.origin, '/whole'), 200);
  t.is(await send(running.origin, '/whole', body), 200);
  for (let i = 0; i < 7; i++) t.is((await request(session, { ':path': '/whole' })).status, 200);
  const { body: echoed } = await request(session, { ':path': '/whole', ':method': 'POST' }, body);
  t.is(echoed.length, body.length);
  t.deepEqual(counted(await settled(running)), { started: 14, complete: 14 });
  const { total } = poolOf(running);
  t.like(total, { ended: 14, lost: 0, requestBytes: 600_000, responseBytes: 600_000 });
  for (const wait of [total.queueWait, total.claimWait, total.service]) {
    t.is(wait.count, 14);
    t.is(
      wait.buckets?.reduce((sum, [, count]) => sum + count, 0),
      14,
    );
    t.true(wait.p50Ms <= wait.p99Ms && wait.p99Ms <= wait.maxMs);
  }
});

wholeOnly('each way that an exchange can end is counted once, over both protocols', async (t) => {
  const running = await start(t, { maxBodyBytes: 1_000 });
  const { origin, server } = running;
  const session = await connectHttp2(t, origin);
  t.is(await send(origin, '/throws'), 500);
  t.is((await request(session, { ':path': '/throws' })).status, 500);
  await t.throwsAsync(send(origin, '/half'));
  t.is((await request(session, { ':path': '/half' })).resetCode, 2);
  await t.throwsAsync(send(origin, '/resets'));
  t.is((await request(session, { ':path': '/resets' })).resetCode, 8);
  t.is(await send(origin, '/whole', Buffer.alloc(1_001)), 413);
  const large = await request(session, { ':path': '/whole', ':method': 'POST' }, Buffer.alloc(1_001));
  t.is(large.status, 413);
  t.deepEqual(counted(await settled(running)), {
    started: 8,
    failed: 4,
    resetByApplication: 2,
    tooLarge: 2,
  });
  t.is(server.status().unrouted.started, 0);
});

test('requests that no route matches are counted by themselves', async (t) => {
  const running = await start(t, {}, { routes: [{ path: '/app', pool: 'app' }] });
  t.is(await send(running.origin, '/nowhere'), 404);
  const session = await connectHttp2(t, running.origin);
  t.is((await request(session, { ':path': '/nowhere' })).status, 404);
  session.close();
  t.deepEqual(counted(running.server.status().unrouted), { started: 2, refused: 2 });
  t.deepEqual(counted(poolOf(running).exchanges), {});
});

wholeOnly('peers that reset, and peers that leave, are counted separately', async (t) => {
  const running = await start(t);
  const { signals, origin, port } = running;
  const session = await connectHttp2(t, origin);
  const stream = session.request({ ':path': '/waits', [SIGNALS_FIELD]: signals.name });
  stream.on('error', () => undefined);
  await signals.until('begun');
  t.like(threadOf(running), { running: 1, waiting: 0 });
  stream.close(8);
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET /waits HTTP/1.1\r\nhost: x\r\n${SIGNALS_FIELD}: ${signals.name}\r\n\r\n`);
  await signals.until('begun', 2);
  socket.destroy();
  t.deepEqual(counted(await settled(running)), { started: 2, resetByPeer: 2 });
});

wholeOnly(
  'the exchanges of a thread that dies count as lost, and its counts stay when another thread takes its place',
  async (t) => {
    const running = await start(t);
    const { signals, origin } = running;
    const session = await connectHttp2(t, origin);
    t.is((await request(session, { ':path': '/whole' })).status, 200);
    const before = threadOf(running);
    const dying = request(session, { ':path': '/dies', [SIGNALS_FIELD]: signals.name });
    await signals.until('begun');
    signals.tell('die');
    t.is((await dying).status, 502);
    t.is((await request(session, { ':path': '/whole' })).status, 200);
    t.deepEqual(counted(await settled(running)), { started: 3, complete: 2, lost: 1 });
    t.like(poolOf(running), { total: { ended: 3, lost: 1 }, startedThreads: 2, diedThreads: 1 });
    const after = threadOf(running);
    t.is(after.total.ended, 1);
    t.not(after.name, before.name);
    t.not(after.threadId, before.threadId);
  },
);

wholeOnly('exchanges that are refused, or wait too long, are counted by reason', async (t) => {
  const running = await start(t, {
    exchangesPerThread: 1,
    queue: { maxExchanges: 1, maxWaitMs: 3_000 },
  });
  const { signals, origin } = running;
  const session = await connectHttp2(t, origin);
  const holding = request(session, { ':path': '/holds', [SIGNALS_FIELD]: signals.name });
  await signals.until('begun');
  const waiting = request(session, { ':path': '/whole' });
  const refused = await request(session, { ':path': '/whole' });
  t.is(refused.status, 503);
  t.is((await waiting).status, 503);
  signals.tell('release');
  t.is((await holding).status, 200);
  t.deepEqual(counted(await settled(running)), { started: 3, complete: 1, queueFull: 1, waitedTooLong: 1 });
});

wholeOnly(
  'the status of a computing thread shows what it runs, for how long, and what waits behind it',
  async (t) => {
    const running = await start(t);
    const { signals, origin } = running;
    const session = await connectHttp2(t, origin);
    t.is((await request(session, { ':path': '/whole' })).status, 200);
    const holding = request(session, { ':path': '/holds', [SIGNALS_FIELD]: signals.name });
    await signals.until('begun');
    const behind = request(session, { ':path': '/whole' });
    while (poolOf(running).queued + threadOf(running).waiting === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const first = threadOf(running);
    t.like(first, { running: 1, isAsleep: false, state: 'ready', total: { ended: 1 } });
    // It goes on to be read, and what is told of it grows, while it says nothing.
    let later = threadOf(running);
    const grows = (one: ThreadStatus, other: ThreadStatus) =>
      (other.longestRunningMs ?? 0) > (one.longestRunningMs ?? 0) + 20 &&
      other.turnAgeMs > one.turnAgeMs + 20 &&
      other.loop.activeMs > one.loop.activeMs + 20;
    while (!grows(first, later)) {
      await new Promise((resolve) => setImmediate(resolve));
      later = threadOf(running);
    }
    t.like(later, { running: 1, isAsleep: false, total: { ended: 1 } });
    signals.tell('release');
    t.is((await holding).status, 200);
    t.is((await behind).status, 200);
    await settled(running);
    const { claimWait, queueWait, service } = poolOf(running).total;
    t.true(service.maxMs >= 20, 'the exchange that held the thread');
    t.true(claimWait.maxMs + queueWait.maxMs >= 20, 'the one behind it');
    t.is(threadOf(running).longestRunningMs, null);
  },
);

wholeOnly(
  'an exchange that waits for its peer to read is a credit stall, while it waits and afterwards',
  async (t) => {
    const running = await start(t, { responseWindowBytes: 65_536, maxResponseWindowBytes: 65_536 });
    const session = await connectHttp2(t, running.origin, { settings: { initialWindowSize: 1_000 } });
    const stream = session.request({ ':path': '/streams' });
    await once(stream, 'response');
    while (threadOf(running).creditStalled === 0) await new Promise((resolve) => setImmediate(resolve));
    const during = threadOf(running);
    t.true(during.total.creditStalls >= 1);
    while (threadOf(running).total.creditStalledMs <= during.total.creditStalledMs + 5) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    let bytes = 0;
    stream.on('data', (piece: Buffer) => {
      bytes += piece.length;
    });
    await once(stream, 'end');
    t.is(bytes, 64 * 65_536);
    await settled(running);
    const after = poolOf(running);
    t.is(threadOf(running).creditStalled, 0);
    t.is(after.total.responseBytes, bytes);
    t.true(after.total.creditStalledMs > during.total.creditStalledMs);
    t.deepEqual(counted(after.exchanges), { started: 1, complete: 1 });
  },
);

wholeOnly('a peer that leaves a stalled exchange ends its stall', async (t) => {
  const running = await start(t, { responseWindowBytes: 65_536, maxResponseWindowBytes: 65_536 });
  const session = await connectHttp2(t, running.origin, { settings: { initialWindowSize: 0 } });
  const stream = session.request({ ':path': '/streams' });
  stream.on('error', () => undefined);
  while (threadOf(running).creditStalled === 0) await new Promise((resolve) => setImmediate(resolve));
  stream.close(8);
  t.deepEqual(counted(await settled(running)), { started: 1, resetByPeer: 1 });
  t.like(poolOf(running), { total: { creditStalls: 1 } });
  t.is(threadOf(running).creditStalled, 0);
});

wholeOnly('a recorder of exchanges gets each one with its times in order', async (t) => {
  const running = await start(t, { responseWindowBytes: 65_536, maxResponseWindowBytes: 65_536 });
  const { reactor } = running.server.parts;
  const records: JobRecord[] = [];
  reactor.onJobEnded = (record) => records.push(record);
  const since = performance.now();
  const session = await connectHttp2(t, running.origin, { settings: { initialWindowSize: 1_000 } });
  t.is((await request(session, { ':path': '/whole' })).status, 200);
  const stream = session.request({ ':path': '/streams' });
  await once(stream, 'response');
  while (threadOf(running).creditStalled === 0) await new Promise((resolve) => setImmediate(resolve));
  stream.resume();
  await once(stream, 'end');
  await settled(running);
  reactor.onJobEnded = null;
  t.is((await request(session, { ':path': '/whole' })).status, 200);
  t.is(records.length, 2);
  for (const { thread, admittedMs, assignedMs, begunMs, endedMs } of records) {
    t.is(thread, 'app-1');
    const times = [since, admittedMs, assignedMs, begunMs, endedMs, performance.now()];
    t.deepEqual(
      times,
      times.toSorted((one, other) => one - other),
    );
  }
  t.is(records[0]?.creditStalledMs, 0);
  t.true((records[1]?.creditStalledMs ?? 0) > 0);
});

test('a status says who the server is, where it listens and what is connected', async (t) => {
  const running = await start(t);
  const session = await connectHttp2(t, running.origin);
  t.is((await request(session, { ':path': '/whole' })).status, 200);
  const socket = connect(running.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write('GET /whole HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(socket, 'data');
  const status = running.server.status();
  t.like(status, {
    pid: process.pid,
    state: 'running',
    listeners: [{ address: `127.0.0.1:${running.port}`, tls: false }],
    connections: { open: 2, max: 20_000, http1: 1, http2: 1 },
  });
  t.is(typeof threadOf(running).threadId, 'number');
  t.true(status.reactor.activeMs > 0);
  t.deepEqual(JSON.parse(JSON.stringify(status)).pools[0].name, 'app');
  await running.server.drain();
  t.is(running.server.status().state, 'ended');
});

wholeOnly('a thread that starts later uses the same clock', async (t) => {
  const source = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(new URL('../../wire/clock.ts', import.meta.url).href)}).then(({ clockMicroseconds }) => {
      parentPort.postMessage(clockMicroseconds());
    });`;
  const { clockMicroseconds } = await import('../../wire/clock.ts');
  const before = clockMicroseconds();
  const worker = new Worker(source, { eval: true });
  const [there] = (await once(worker, 'message')) as [number];
  const after = clockMicroseconds();
  t.true((there - before) >>> 0 <= (after - before) >>> 0, `${before} ${there} ${after}`);
  // The monotonic clock, which no step of the system's time moves.
  const monotonic = Number((process.hrtime.bigint() / 1000n) % 2n ** 32n);
  t.true(Math.abs((clockMicroseconds() - monotonic) | 0) < 1_000_000);
  await worker.terminate();
});
