/** Responses that are read too slowly, over both protocols and for each thing that can hold them up. */
import { once } from 'node:events';
import { connect } from 'node:tls';
import test from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import { RawClient } from '../http1/raw.ts';
import { FileScope, type TestServer } from '../server/harness.ts';
import { data, errorCode, fieldBlock, headers, RawHttp2, windowUpdate } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import { head, head1, PATIENT_RATE, RATE, startPaced } from './server.ts';

const CANCEL = 8;
const ENHANCE_YOUR_CALM = 11;
const LARGE = 0x7fff_0000;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startPaced(scope, { responseRate: RATE });
});
test.after.always(() => scope.end());

/** Lets enough time pass: a client that stopped reading, on a connection of its own, has been cut off. */
async function aStalledOneIsCut(times: number, by = server): Promise<void> {
  for (let n = 0; n < times; n++) {
    const client = await RawHttp2.connect(scope, by.port);
    client.send(headers(1, head(by, 'GET', '/endless'), true));
    await client.untilFrame(FrameType.RstStream, 1);
    client.socket.destroy();
  }
}

test('HTTP/2: a stream whose window stays closed is reset with CANCEL, and the connection continues', async (t) => {
  const cut = server.signals.until('/endless?stream reset by server code 8');
  const client = await RawHttp2.connect(t, server.port);
  client.send(headers(1, head(server, 'GET', '/endless?stream'), true));
  t.is(errorCode(await client.untilFrame(FrameType.RstStream, 1)), CANCEL);
  await cut;
  client.send(windowUpdate(0, 1_000), headers(3, head(server, 'GET', '/hello'), true));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '200');
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 3)).get(':status'), '200');
  t.true(server.server.deadlineCounters.responseRate > 0);
});

test('HTTP/2: a window that opens byte by byte counts as closed', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  client.send(windowUpdate(0, LARGE), headers(1, head(server, 'GET', '/endless'), true));
  const drip = setInterval(() => client.send(windowUpdate(1, 1)), 20);
  t.teardown(() => clearInterval(drip));
  t.is(errorCode(await client.untilFrame(FrameType.RstStream, 1)), CANCEL);
});

test('HTTP/2: a connection window that stays closed ends the connection with ENHANCE_YOUR_CALM', async (t) => {
  const client = await RawHttp2.connect(t, server.port, {
    settings: { [SettingId.InitialWindowSize]: LARGE },
  });
  for (const id of [1, 3]) client.send(headers(id, head(server, 'GET', '/endless'), true));
  t.is(errorCode(await client.untilFrame(FrameType.Goaway, 0)), ENHANCE_YOUR_CALM);
  await client.closed;
  t.is(client.dataBytes, 65_535);
});

test('HTTP/2: a socket that is not read is closed, and the application is told', async (t) => {
  const client = await RawHttp2.connect(t, server.port, {
    settings: { [SettingId.InitialWindowSize]: LARGE },
  });
  client.send(windowUpdate(0, LARGE), headers(1, head(server, 'GET', '/endless?socket2'), true));
  await client.untilFrame(FrameType.Headers, 1);
  const cut = server.signals.until('/endless?socket2 reset by server code 8');
  client.socket.pause();
  await cut;
  client.socket.resume();
  await client.closed;
  t.pass();
});

test('HTTP/1.1: a socket that is not read is closed, and the application is told', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(head1(server, 'GET', '/endless?socket1'));
  await client.until('HTTP/1.1 200');
  const cut = server.signals.until('/endless?socket1 reset by server code 8');
  client.pause();
  await cut;
  client.resume();
  const text = await client.untilClosed();
  // The last chunk is missing, so no client takes the response for complete (RFC 9112 section 7.1).
  t.false(text.endsWith('0\r\n\r\n'));
});

test('the same over TLS, whose records hide how much the socket has taken', async (t) => {
  const authority = await TestAuthority.create();
  const certificate = new TestFiles(t).certificate('server', await authority.issue({ names: ['localhost'] }));
  const secure = await startPaced(
    t,
    { responseRate: RATE },
    { listeners: [{ address: '127.0.0.1:0', tls: { certificates: [certificate] } }] },
  );
  const socket = connect({
    port: secure.port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: authority.cert,
  });
  t.teardown(() => socket.destroy());
  const cut = secure.signals.until('/endless reset by server code 8');
  socket.write(head1(secure, 'GET', '/endless'));
  await once(socket, 'data');
  socket.pause();
  await cut;
  t.is(secure.server.deadlineCounters.responseRate, 1);
});

test('a tunnel that is not read is reset like a response', async (t) => {
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
  for (let n = 0; n < 6; n++) client.send(data(1, Buffer.alloc(16_384)));
  t.is(errorCode(await client.untilFrame(FrameType.RstStream, 1)), CANCEL);
});

test('a response that has nothing to send is not slow, over both protocols', async (t) => {
  const second = await RawHttp2.connect(t, server.port);
  second.send(headers(1, head(server, 'GET', '/quiet?both'), true));
  await second.untilFrame(FrameType.Data, 1);
  const first = await RawClient.connect(t, server.port);
  first.send(head1(server, 'GET', '/quiet?both'));
  await first.until('begun');
  await aStalledOneIsCut(2);
  server.signals.tell('go both');
  await second.until(
    ({ type, streamId, flags }) => type === FrameType.Data && streamId === 1 && (flags & 1) !== 0,
  );
  await first.until('0\r\n\r\n');
  t.pass();
});

test('a stream that is read continues beside one that is not, on the same connection', async (t) => {
  const patient = await startPaced(t, { responseRate: PATIENT_RATE });
  const client = await RawHttp2.connect(t, patient.port);
  client.send(windowUpdate(0, LARGE));
  client.onFrame = ({ type, streamId, payload }) => {
    // The client returns credit for what it has read after a delay, and much at a time.
    if (type === FrameType.Data && streamId === 1)
      setTimeout(() => client.send(windowUpdate(1, payload.length)), 50);
  };
  client.send(
    headers(1, head(patient, 'GET', '/endless'), true),
    headers(3, head(patient, 'GET', '/endless'), true),
  );
  t.is(errorCode(await client.untilFrame(FrameType.RstStream, 3)), CANCEL);
  await aStalledOneIsCut(1, patient);
  const before = client.dataBytes;
  await client.until(() => client.dataBytes > before + 65_536);
  t.is(
    client.frames.filter(({ type, streamId }) => type === FrameType.RstStream && streamId === 1).length,
    0,
  );
});
