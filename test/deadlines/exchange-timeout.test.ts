/** Exchanges whose total time is too long. */
import test from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { RawClient } from '../http1/raw.ts';
import { FileScope, type TestServer } from '../server/harness.ts';
import { data, errorCode, fieldBlock, headers, RawHttp2 } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { head, head1, startPaced } from './server.ts';

const CANCEL = 8;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startPaced(scope, { exchangeTimeoutMs: 3_000 });
});
test.after.always(() => scope.end());

test('HTTP/2: a complete request that the application does not answer in time gets 504, and the application is told', async (t) => {
  const cut = server.signals.until('/silent reset by server code 8');
  const client = await RawHttp2.connect(t, server.port);
  client.send(headers(1, head(server, 'GET', '/silent'), true));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '504');
  await cut;
  client.send(headers(3, head(server, 'GET', '/hello'), true));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 3)).get(':status'), '200');
  t.true(server.server.deadlineCounters.exchange > 0);
});

test('HTTP/1.1: the same, and the connection continues', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(head1(server, 'GET', '/silent'));
  t.is((await client.response()).status, 504);
  client.send(head1(server, 'GET', '/hello'));
  t.is((await client.response()).status, 200);
});

test('a request that is incomplete by then is answered 408, over both protocols', async (t) => {
  const second = await RawHttp2.connect(t, server.port);
  second.send(headers(1, head(server, 'POST', '/silent'), false), data(1, 'some'));
  const first = await RawClient.connect(t, server.port);
  first.send(`${head1(server, 'POST', '/silent', 'content-length: 10')}some`);
  t.is(second.decode(await second.untilFrame(FrameType.Headers, 1)).get(':status'), '408');
  const { status, fields } = await first.response();
  t.deepEqual([status, fields.connection], [408, 'close']);
});

test('a response that has begun is cut off: CANCEL over HTTP/2, over HTTP/1.1 the connection', async (t) => {
  const second = await RawHttp2.connect(t, server.port);
  second.send(headers(1, head(server, 'GET', '/unending'), true));
  const first = await RawClient.connect(t, server.port);
  first.send(head1(server, 'GET', '/unending'));
  t.is(errorCode(await second.untilFrame(FrameType.RstStream, 1)), CANCEL);
  const text = await first.untilClosed();
  t.true(text.includes('begun'));
  t.false(text.endsWith('0\r\n\r\n'));
});

test('a tunnel has no exchange timeout and is left alone', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  const connect = fieldBlock([
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    [':scheme', 'http'],
    [':authority', 'test.invalid'],
    [':path', '/tunnel'],
    [SIGNALS_FIELD, server.signals.name],
  ]);
  client.send(headers(1, connect, false));
  await client.untilFrame(FrameType.Headers, 1);
  for (const id of [3, 5]) {
    client.send(headers(id, head(server, 'GET', '/silent'), true));
    t.is(client.decode(await client.untilFrame(FrameType.Headers, id)).get(':status'), '504');
  }
  client.send(data(1, 'still here'));
  t.is((await client.untilFrame(FrameType.Data, 1)).payload.toString(), 'still here');
});
