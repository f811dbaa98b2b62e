/** What an application does wrong on an exchange, and what its client and the log see of it. */
import type { Socket } from 'node:net';
import test from 'ava';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { data, headers, RawHttp2, requestHead, rstStream } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const INTERNAL_ERROR = 0x2;
const CANCEL = 0x8;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: {
      // It fails on purpose, and the host is asked what it says of that.
      failing: { application: application('server', 'failing'), validate: false, threads: { max: 1 } },
      staged: { application: application('server', 'staged'), threads: { max: 1 } },
    },
  });
});
test.after.always(() => scope.end());

for (const path of ['/throws', '/rejects', '/throws-nothing', '/returns']) {
  test(`an application that fails before the head is answered 500 without details: ${path}`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const http2 = await request(session, { ':path': path });
    const http1 = await requestHttp1(server.origin + path);
    for (const { status, body } of [http2, http1]) {
      t.deepEqual([status, body.toString()], [500, '500 Internal Server Error\n']);
    }
    t.is(http2.resetCode, 0);
    t.is(http1.how, 'whole');
  });
}

for (const path of ['/throws-later', '/returns-later']) {
  test(`an application that fails after the head ends its stream with INTERNAL_ERROR: ${path}`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const { status, resetCode } = await request(session, { ':path': path });
    t.deepEqual([status, resetCode], [200, INTERNAL_ERROR]);
    t.is((await request(session, { ':path': '/resets?code=0' })).status, 0, 'the connection goes on');
  });

  test(`an application that fails after the head cuts its HTTP/1.1 connection: ${path}`, async (t) => {
    const { status, how } = await requestHttp1(server.origin + path);
    t.deepEqual([status, how], [200, 'cut']);
  });
}

test('the log has the details of a failure that the client was not told', async (t) => {
  const session = await connectHttp2(t, server.origin);
  await request(session, { ':method': 'PUT', ':path': '/rejects?logged' });
  const line = await server.log.until('application failed', ({ path }) => path === '/rejects?logged');
  t.like(line, { level: 'error', pool: 'failing', method: 'PUT' });
  const { message, stack } = line.err as { message: string; stack: string };
  t.is(message, 'a secret detail');
  t.regex(stack, /failing\.ts/);
});

test('the log says what was expected of an application that returned too early', async (t) => {
  const session = await connectHttp2(t, server.origin);
  await request(session, { ':path': '/returns?logged' });
  const line = await server.log.until('application failed', ({ path }) => path === '/returns?logged');
  t.regex(
    (line.err as { message: string }).message,
    /returned before its response was complete: expected respond/,
  );
});

test('an application that throws after a whole response has been answered, and is logged', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const { status, body, resetCode } = await request(session, { ':path': '/throws-at-end?logged' });
  t.deepEqual([status, body.toString(), resetCode], [200, 'whole', 0]);
  await server.log.until('application failed', ({ path }) => path === '/throws-at-end?logged');
});

for (const path of ['/resets', '/resets-later']) {
  test(`the code of an application's reset reaches the client: ${path}`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const { resetCode } = await request(session, { ':path': `${path}?code=11` });
    t.is(resetCode, 11);
  });
}

test('an application that never answers learns that its client reset the stream', async (t) => {
  const { signals, origin } = server;
  const session = await connectHttp2(t, origin);
  const stream = session.request({ ':path': '/staged/never?id=reset', [SIGNALS_FIELD]: signals.name });
  stream.on('error', () => undefined);
  await signals.until('begunreset');
  stream.close(CANCEL);
  await signals.until('abortedreset SLUICE_EXCHANGE_CLOSED by peer code 8');
  await signals.until('closedreset reset by peer code 8');
  t.is(signals.heard('closedreset reset by peer code 8'), 1);
});

for (const [how, leave] of [
  ['half', (socket: Socket) => socket.end()],
  ['cut', (socket: Socket) => socket.resetAndDestroy()],
] as const) {
  test(`an application that never answers learns that its HTTP/2 connection is gone: ${how}`, async (t) => {
    const { signals, port } = server;
    const client = await RawHttp2.connect(t, port);
    const path = `/staged/never?id=${how}`;
    client.send(headers(1, requestHead('GET', path, { [SIGNALS_FIELD]: signals.name }), true));
    await signals.until(`begun${how}`);
    leave(client.socket);
    await signals.until(`aborted${how} SLUICE_EXCHANGE_CLOSED by peer code 8`);
    await signals.until(`closed${how} reset by peer code 8`);
    t.pass();
  });
}

test('an application that never answers learns that its HTTP/1.1 connection is gone', async (t) => {
  const { signals, origin } = server;
  const url = `${origin}/staged/never?id=gone1`;
  const controller = new AbortController();
  const fetching = fetch(url, { headers: { [SIGNALS_FIELD]: signals.name }, signal: controller.signal });
  await signals.until('begungone1');
  controller.abort();
  await t.throwsAsync(fetching);
  await signals.until('abortedgone1 SLUICE_EXCHANGE_CLOSED by peer code 8');
  await signals.until('closedgone1 reset by peer code 8');
});

test('a client that resets mid-upload aborts the application with its code, and the body it reads', async (t) => {
  const { signals, port } = server;
  const client = await RawHttp2.connect(t, port);
  const head = requestHead('POST', '/staged/upload?id=mid', { [SIGNALS_FIELD]: signals.name });
  client.send(headers(1, head, false), data(1, 'some'));
  await signals.until('readmid 4');
  client.send(rstStream(1, INTERNAL_ERROR));
  await signals.until('bodymid SLUICE_EXCHANGE_CLOSED');
  await signals.until('abortedmid SLUICE_EXCHANGE_CLOSED by peer code 2');
  await signals.until('closedmid reset by peer code 2');
  t.pass();
});

test('an exchange that completes is closed once, by its application', async (t) => {
  const { signals, origin } = server;
  const session = await connectHttp2(t, origin);
  await request(session, { ':path': '/staged/complete?id=whole', [SIGNALS_FIELD]: signals.name });
  await signals.until('closedwhole complete by application code 0');
  t.is(signals.heard('closedwhole complete by application code 0'), 1);
});
