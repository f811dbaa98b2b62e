/** Heads that never arrive, and idle connections. HTTP/1.1 heads: test/http1/deadlines.test.ts. */
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { RawClient } from '../http1/raw.ts';
import { frameHead } from '../http2/frames.ts';
import { FileScope, type TestServer } from '../server/harness.ts';
import { data, errorCode, frame, headers, RawHttp2 } from '../server/raw-http2.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import { head, head1, startPaced } from './server.ts';

const NO_ERROR = 0;
const ENHANCE_YOUR_CALM = 11;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startPaced(
    scope,
    { headerTimeoutMs: 1_000, idleTimeoutMs: 1_000 },
    { http1: { keepAliveTimeoutMs: 100 } },
  );
});
test.after.always(() => scope.end());

test('a connection that sends nothing, or stops within its preface, is closed', async (t) => {
  const before = server.server.deadlineCounters.header;
  const sockets = ['', 'PRI * HTTP/2.0\r\n'].map((text) => {
    const socket = connect(server.port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.resume();
    socket.write(text);
    return once(socket, 'close');
  });
  await Promise.all(sockets);
  t.true(server.server.deadlineCounters.header >= before + 2);
});

test('HTTP/2: a connection that never sends a request gets GOAWAY without an error', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  t.is(errorCode(await client.untilFrame(FrameType.Goaway, 0)), NO_ERROR);
  await client.closed;
});

for (const [id, title, begin] of [
  [
    'block',
    'a field block whose CONTINUATION does not come',
    (block: Buffer) => frame(FrameType.Headers, 1, 3, block),
  ],
  [
    'frame',
    'a HEADERS frame whose payload does not come',
    (block: Buffer) => frameHead(FrameType.Headers, 5, 3, block.length),
  ],
] as const) {
  test(`HTTP/2: ${title} ends the connection when its open streams have ended`, async (t) => {
    const client = await RawHttp2.connect(t, server.port);
    client.send(headers(1, head(server, 'GET', `/quiet?${id}`), true));
    await client.untilFrame(FrameType.Data, 1);
    const before = server.server.deadlineCounters.header;
    client.send(begin(head(server, 'GET', '/hello')));
    t.is(errorCode(await client.untilFrame(FrameType.Goaway, 0)), ENHANCE_YOUR_CALM);
    t.true(server.server.deadlineCounters.header > before);
    server.signals.tell(`go ${id}`);
    await client.until(
      ({ type, streamId, flags }) => type === FrameType.Data && streamId === 1 && flags === 1,
    );
    await client.closed;
  });
}

test('HTTP/2: a field block that trickles is not saved by the bytes that arrive', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  client.send(headers(1, head(server, 'GET', '/quiet'), true));
  await client.untilFrame(FrameType.Data, 1);
  const block = head(server, 'GET', '/hello');
  client.send(frame(FrameType.Headers, 1, 3, block), frameHead(FrameType.Continuation, 0, 3, 10_000));
  const drip = setInterval(() => client.send(Buffer.from([0])), 20);
  t.teardown(() => clearInterval(drip));
  t.is(errorCode(await client.untilFrame(FrameType.Goaway, 0)), ENHANCE_YOUR_CALM);
});

test('HTTP/2: content within a DATA frame is not an unfinished head, and a connection with an upload is not idle', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  client.send(headers(1, head(server, 'POST', '/converse'), false));
  await client.untilFrame(FrameType.Data, 1);
  client.send(frameHead(FrameType.Data, 1, 1, 4), Buffer.from('ab'));
  // Meanwhile another connection is found idle, twice.
  for (let n = 0; n < 2; n++) {
    const other = await RawHttp2.connect(t, server.port);
    await other.closed;
  }
  client.send(Buffer.from('cd'));
  await client.until(
    ({ type, streamId, flags }) => type === FrameType.Headers && streamId === 1 && (flags & 1) !== 0,
  );
  t.pass();
});

test('HTTP/2: a connection without an open request is closed after idleTimeoutMs', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  const before = server.server.deadlineCounters.idle;
  client.send(headers(1, head(server, 'GET', '/hello'), true));
  await client.untilFrame(FrameType.Headers, 1);
  t.is(errorCode(await client.untilFrame(FrameType.Goaway, 0)), NO_ERROR);
  await client.closed;
  t.true(server.server.deadlineCounters.idle > before);
});

test('HTTP/1.1: a kept connection without a request is closed after keepAliveTimeoutMs, and counted', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(head1(server, 'GET', '/hello'));
  t.is((await client.response()).status, 200);
  const before = server.server.deadlineCounters.idle;
  await client.untilClosed();
  t.true(server.server.deadlineCounters.idle > before);
});

test('HTTP/1.1: empty lines begin no request and do not prolong a kept connection', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(head1(server, 'GET', '/hello'));
  t.is((await client.response()).status, 200);
  const drip = setInterval(() => client.send('\r\n'), 20);
  t.teardown(() => clearInterval(drip));
  await client.untilClosed();
  t.pass();
});

test('idleTimeoutMs: 0 lets a connection stay idle forever', async (t) => {
  const restful = await startPaced(t, { headerTimeoutMs: 1_000, idleTimeoutMs: 0 });
  const client = await RawHttp2.connect(t, restful.port);
  client.send(headers(1, head(restful, 'GET', '/hello'), true));
  await client.untilFrame(FrameType.Headers, 1);
  for (let n = 0; n < 2; n++) {
    const other = await RawHttp2.connect(t, restful.port);
    await other.closed;
  }
  client.send(headers(3, head(restful, 'POST', '/read'), false), data(3, 'x', true));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '200');
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 3)).get(':status'), '200');
});

test('a TLS handshake that never comes is given up and counted', async (t) => {
  const authority = await TestAuthority.create();
  const certificate = new TestFiles(t).certificate('server', await authority.issue({ names: ['localhost'] }));
  const secure = await startPaced(
    t,
    {},
    {
      listeners: [{ address: '127.0.0.1:0', tls: { certificates: [certificate], handshakeTimeoutMs: 100 } }],
    },
  );
  const socket = connect(secure.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.resume();
  await once(socket, 'close');
  t.is(secure.server.deadlineCounters.tlsHandshake, 1);
});
