/** The picture of an exchange that stands still names whom it waits for: one of each kind is stuck, and looked at. */
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { ExchangeView } from '../../runtime/admin/exchange-types.ts';
import type { PoolInput } from '../server/harness.ts';
import { connectHttp2 } from '../server/http2-client.ts';
import { headers, RawHttp2, requestHead } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { type AdminTestServer, startAdministered, stuckApplication } from './admin-server.ts';

type Rest = Omit<Parameters<typeof startAdministered>[1], 'pools'>;

function start(
  t: ExecutionContext,
  pool: Partial<PoolInput> = {},
  rest: Rest = {},
): Promise<AdminTestServer> {
  const app = { application: stuckApplication('stuck'), threads: { min: 1, max: 1 }, ...pool };
  return startAdministered(t, { pools: { app }, ...rest });
}

function ask(
  { signals }: AdminTestServer,
  session: ClientHttp2Session,
  path: string,
  method = 'GET',
): ClientHttp2Stream {
  const stream = session.request(
    { ':path': path, ':method': method, [SIGNALS_FIELD]: signals.name },
    { endStream: method === 'GET' },
  );
  stream.on('error', () => undefined);
  return stream;
}

function raw(t: ExecutionContext, { port, signals }: AdminTestServer, ...paths: string[]): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  for (const path of paths)
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n${SIGNALS_FIELD}: ${signals.name}\r\n\r\n`);
  return socket;
}

const waitsForPeer = ({ waitsFor }: ExchangeView) => waitsFor.who === 'peer';

test('an application that awaits something of its own', async (t) => {
  const running = await start(t);
  const session = await connectHttp2(t, running.origin);
  ask(running, session, '/await?secret=1');
  await running.signals.until('awaits');
  const seen = await running.untilSeen('/await', ({ waitsFor }) => waitsFor.who === 'application');
  t.like(seen, {
    pool: 'app',
    route: '/*',
    method: 'GET',
    path: '/await',
    protocol: 'HTTP/2',
    peer: `127.0.0.1 ${session.socket.localPort}`,
    state: 'running',
    thread: 'app-1',
    status: null,
    waitsFor: { who: 'application', name: 'app' },
  });
  t.regex(seen.waitsFor.why, /^it has not answered, and computes nothing: it awaits something of its own$/);
  const again = await running.exchanges();
  t.is(again.exchanges[0]?.id, seen.id, 'it keeps its number');
  t.true((again.exchanges[0]?.ageMs ?? 0) >= seen.ageMs);
});

test('a thread that computes, and what it has not begun for that', async (t) => {
  const running = await start(t, { exchangesPerThread: 2 });
  const session = await connectHttp2(t, running.origin);
  ask(running, session, '/compute');
  await running.signals.until('computes');
  ask(running, session, '/answer');
  const computing = await running.untilSeen('/compute', () => true);
  t.like(computing, { state: 'running', waitsFor: { who: 'thread', name: 'app-1' } });
  t.regex(computing.waitsFor.why, /it computes, or waits within a call, for \d+ ms$/);
  const given = await running.untilSeen('/answer', () => true);
  if (given.state === 'given') {
    t.like(given, { thread: 'app-1', waitsFor: { who: 'thread', name: 'app-1' } });
    t.regex(given.waitsFor.why, /^it has not begun this exchange: .* for \d+ ms for GET \/compute$/);
  } else t.like(given, { state: 'queued', thread: null, waitsFor: { who: 'pool', name: 'app' } });
});

test('the queue of a pool whose threads have as much as they may', async (t) => {
  const running = await start(t, { exchangesPerThread: 1 });
  const session = await connectHttp2(t, running.origin);
  ask(running, session, '/await');
  await running.signals.until('awaits');
  ask(running, session, '/answer');
  const seen = await running.untilSeen('/answer', () => true);
  t.like(seen, { state: 'queued', thread: null, waitsFor: { who: 'pool', name: 'app' } });
  // A thread that has just gone to sleep may not have said so.
  t.regex(seen.waitsFor.why, /^no thread has room: app-1 runs 1(?:, and computes for \d+ ms)?$/);
  t.like(await running.exchanges('?pool=app'), { total: 2 });
  t.like(await running.exchanges('?thread=app-1'), { total: 1, exchanges: [{ path: '/await' }] });
  t.like(await running.exchanges('?limit=1'), { total: 2, exchanges: [{ path: '/await' }] });
  t.like(await running.exchanges('?olderThanMs=3600000'), { total: 0 });
});

test('a route that may have no more with its pool', async (t) => {
  const routes = [{ path: '/*', pool: 'app', maxConcurrent: 1 }];
  const running = await start(t, {}, { routes });
  const session = await connectHttp2(t, running.origin);
  ask(running, session, '/await');
  await running.signals.until('awaits');
  ask(running, session, '/answer');
  const seen = await running.untilSeen('/answer', () => true);
  t.like(seen, { state: 'held', thread: null, waitsFor: { who: 'route', name: '/*' } });
});

test('a client that does not send its request', async (t) => {
  const running = await start(t);
  const session = await connectHttp2(t, running.origin);
  ask(running, session, '/read', 'POST').write('part');
  await running.signals.until('reads');
  const seen = await running.untilSeen(
    '/read',
    ({ waitsFor, request }) => waitsFor.who === 'peer' && request.receivedBytes === 4,
  );
  t.like(seen, {
    request: { whole: false, waitingBytes: 0 },
    waitsFor: {
      name: `127.0.0.1:${session.socket.localPort}`,
      why: 'the application reads, and the client sends no more of its request',
    },
  });
  t.true(seen.request.creditBytes > 0);
});

test('a client that does not send, whatever else keeps its thread busy', async (t) => {
  const running = await start(t);
  const session = await connectHttp2(t, running.origin);
  ask(running, session, '/ask-and-compute', 'POST');
  await running.signals.until('asked');
  const seen = await running.untilSeen('/ask-and-compute', ({ waitsFor }) => waitsFor.who === 'peer');
  t.is(seen.waitsFor.why, 'the application reads, and the client sends no more of its request');
});

test('an application that does not read its request', async (t) => {
  const running = await start(t, { requestWindowBytes: 16_384 });
  const session = await connectHttp2(t, running.origin);
  ask(running, session, '/unread', 'POST').write(Buffer.alloc(60_000));
  await running.signals.until('reads no more');
  const seen = await running.untilSeen(
    '/unread',
    ({ waitsFor, request }) => waitsFor.who === 'application' && request.receivedBytes === 60_000,
  );
  t.true(seen.request.waitingBytes > 0);
  t.is(seen.waitsFor.why, `it has not read ${seen.request.waitingBytes} bytes of the request`);
});

test('a client that does not read, by the window of its stream', async (t) => {
  const running = await start(t);
  const session = await connectHttp2(t, running.origin, { settings: { initialWindowSize: 1_000 } });
  ask(running, session, '/flood').pause();
  await running.signals.until('floods');
  const seen = await running.untilSeen('/flood', waitsForPeer);
  t.like(seen, { status: 200, response: { peerWindowBytes: 0, sentBytes: 1_000 } });
  t.regex(seen.waitsFor.why, /^\d+ bytes wait: it has used up the stream's window$/);
  const stalled = await running.untilSeen('/flood', ({ response }) => response.stalledMs > 0);
  t.true(stalled.response.waitingBytes > 0);
});

test('a client that does not read, by the window of its connection', async (t) => {
  const running = await start(t);
  // Raw, because node:http2 opens the connection's window again, of which 65,535 bytes are all that there is here.
  const client = await RawHttp2.connect(t, running.port, { settings: { 4: 1_048_576 }, keep: false });
  client.send(headers(1, requestHead('GET', '/flood', { [SIGNALS_FIELD]: running.signals.name }), true));
  await running.signals.until('floods');
  const seen = await running.untilSeen(
    '/flood',
    ({ waitsFor }) => waitsFor.who === 'peer' && /connection's window/.test(waitsFor.why),
  );
  t.is(seen.response.peerConnectionWindowBytes, 0);
  t.is(seen.response.sentBytes, 65_535);
});

test('a client that does not read, by its socket', async (t) => {
  const running = await start(t);
  const socket = raw(t, running, '/flood');
  socket.pause();
  await running.signals.until('floods');
  const seen = await running.untilSeen(
    '/flood',
    ({ waitsFor }) => waitsFor.who === 'peer' && /its socket accepts no more/.test(waitsFor.why),
  );
  t.like(seen, { protocol: 'HTTP/1.1', response: { peerWindowBytes: null } });
  t.is(seen.waitsFor.name, `127.0.0.1:${socket.localPort}`);
});

test('an earlier response on the connection', async (t) => {
  const running = await start(t);
  raw(t, running, '/await', '/answer');
  await running.signals.until('awaits');
  const seen = await running.untilSeen('/answer', ({ waitsFor }) => waitsFor.who === 'connection');
  t.regex(seen.waitsFor.why, /1 earlier response/);
});

test('others that have used up the window of the connection', async (t) => {
  const bytes = 65_536;
  const http2 = { connectionWindowBytes: bytes, streamWindowBytes: bytes, maxStreamWindowBytes: bytes };
  const running = await start(t, {}, { http2 });
  const session = await connectHttp2(t, running.origin);
  ask(running, session, '/unread', 'POST').write(Buffer.alloc(bytes));
  await running.signals.until('reads no more');
  await running.untilSeen('/unread', ({ request }) => request.receivedBytes === bytes);
  ask(running, session, '/read', 'POST').write('part');
  await running.signals.until('reads');
  const seen = await running.untilSeen('/read', ({ waitsFor }) => waitsFor.who === 'connection');
  t.like(seen, {
    request: { receivedBytes: 0 },
    waitsFor: { name: `127.0.0.1:${session.socket.localPort}` },
  });
  t.regex(seen.waitsFor.why, /^other exchanges, which do not read, have used up the connection's window$/);
});

test('an actor that does not answer', async (t) => {
  const running = await startAdministered(t, {
    pools: {
      app: { application: stuckApplication('stuck'), threads: { min: 1, max: 1 } },
      desk: { module: stuckApplication('clerk'), threads: { min: 1, max: 1 } },
    },
    actors: { clerk: { pool: 'desk', export: 'Clerk', kind: 'single' } },
    routes: [{ path: '/*', pool: 'app' }],
  });
  const session = await connectHttp2(t, running.origin);
  ask(running, session, '/ask');
  await running.signals.until('clerk asked');
  const seen = await running.untilSeen('/ask', ({ waitsFor }) => waitsFor.who === 'actor');
  t.like(seen, { waitsFor: { name: 'clerk', why: 'thread app-1 has asked it and has no answer' } });
  t.like(await running.client.ask('GET', '/actors'), {
    actors: [{ name: 'clerk', pool: 'desk', messages: 1, threads: [{ thread: 'desk-1', given: 1 }] }],
  });
});

test('a thread that does not read what it has asked for', async (t) => {
  const windowBytes = 1_048_576;
  const running = await start(
    t,
    { requestWindowBytes: windowBytes, ringBytes: 262_144 },
    { http2: { connectionWindowBytes: 2 * windowBytes, streamWindowBytes: windowBytes } },
  );
  const session = await connectHttp2(t, running.origin);
  const upload = ask(running, session, '/ask-and-compute', 'POST');
  await running.signals.until('asked');
  upload.write(Buffer.alloc(windowBytes - 1));
  const seen = await running.untilSeen('/ask-and-compute', ({ waitsFor }) => /ring/.test(waitsFor.why));
  t.like(seen, { state: 'running', waitsFor: { who: 'thread', name: 'app-1' } });
  const [thread] = running.server.status().pools[0]?.threads ?? [];
  t.true((thread?.requestRing.usedBytes ?? 0) > 100_000, 'its ring is full');
});

test('an application that goes on for a client that has left', async (t) => {
  const running = await start(t);
  const session = await connectHttp2(t, running.origin);
  const stream = ask(running, session, '/await');
  await running.signals.until('awaits');
  stream.close(8);
  const seen = await running.untilSeen('/await', ({ state }) => state === 'left');
  t.like(seen, { thread: 'app-1', waitsFor: { who: 'application', name: 'app' } });
});

test('a response that is whole, and a client that does not take it', async (t) => {
  const running = await start(t);
  const session = await connectHttp2(t, running.origin, { settings: { initialWindowSize: 0 } });
  ask(running, session, '/answer').pause();
  const seen = await running.untilSeen('/answer', ({ state }) => state === 'answering');
  t.like(seen, { status: 200, response: { bytes: 8, waitingBytes: 8 }, waitsFor: { who: 'peer' } });
});
