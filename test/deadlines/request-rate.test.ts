/**
 * Request bodies that arrive too slowly, over both protocols, and those that only seem to. Nothing here
 * measures time. To show that something has not happened, the test lets another exchange with the same
 * deadline run into it meanwhile.
 */
import test from 'ava';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { RawClient } from '../http1/raw.ts';
import { FileScope, type TestServer } from '../server/harness.ts';
import { data, errorCode, fieldBlock, headers, RawHttp2 } from '../server/raw-http2.ts';
import { head, head1, PATIENT_RATE, RATE, startPaced } from './server.ts';

const CANCEL = 8;
const WINDOW = 32_768;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startPaced(
    scope,
    { requestRate: RATE },
    { http2: { streamWindowBytes: WINDOW, maxStreamWindowBytes: WINDOW } },
  );
});
test.after.always(() => scope.end());

/** Lets enough time pass: a slow upload on a connection of its own has been cut off. */
async function aSlowOneIsCut(times: number, by = server): Promise<void> {
  for (let n = 0; n < times; n++) {
    const client = await RawHttp2.connect(scope, by.port);
    client.send(headers(1, head(by, 'POST', '/read'), false));
    await client.untilFrame(FrameType.RstStream, 1);
    client.socket.destroy();
  }
}

test('HTTP/2: a body that stops is answered 408, the stream ends, and the connection continues', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  const cut = server.signals.until('/read?told reset by server code 8');
  client.send(headers(1, head(server, 'POST', '/read?told'), false), data(1, 'x'));
  const answer = await client.untilFrame(FrameType.Headers, 1);
  t.is(client.decode(answer).get(':status'), '408');
  // RFC 9113 section 8.1: the response is complete, and the rest of the request is not needed.
  t.is(errorCode(await client.untilFrame(FrameType.RstStream, 1)), 0);
  await cut;
  client.send(headers(3, head(server, 'GET', '/hello'), true));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 3)).get(':status'), '200');
  t.true(server.server.deadlineCounters.requestRate > 0);
});

test('HTTP/1.1: a body that stops is answered 408 and the connection closes (RFC 9110 section 15.5.9)', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(`${head1(server, 'POST', '/read', 'content-length: 100')}x`);
  const { status, fields } = await client.response();
  t.deepEqual([status, fields.connection], [408, 'close']);
  client.end();
  await client.untilClosed();
});

test('HTTP/1.1: the same for a chunked body that trickles', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(head1(server, 'POST', '/read', 'transfer-encoding: chunked'));
  const drip = setInterval(() => client.send('1\r\nx\r\n'), 20);
  t.teardown(() => clearInterval(drip));
  const { status, fields } = await client.response();
  t.deepEqual([status, fields.connection], [408, 'close']);
});

test('HTTP/2: one byte in every frame is as slow as none', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  client.send(headers(1, head(server, 'POST', '/read'), false));
  const drip = setInterval(() => client.send(data(1, 'x')), 20);
  t.teardown(() => clearInterval(drip));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '408');
});

test('HTTP/2: an upload that the application does not read is not slow, however long it is held', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  const held = server.signals.until('held two');
  client.send(
    headers(1, head(server, 'POST', '/hold?two'), false),
    data(1, Buffer.alloc(WINDOW / 2)),
    data(1, Buffer.alloc(WINDOW / 2)),
  );
  await held;
  await aSlowOneIsCut(2);
  t.is(client.frames.filter(({ streamId }) => streamId === 1).length, 0);
  server.signals.tell('go two');
  await client.untilFrame(FrameType.WindowUpdate, 1);
  client.send(data(1, 'last', true));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '200');
});

test('HTTP/1.1: an upload that is paused because the application does not read is not slow', async (t) => {
  const held = server.signals.until('held one');
  const client = await RawClient.connect(t, server.port);
  client.send(`${head1(server, 'POST', '/hold?one', 'content-length: 10')}12345`);
  await held;
  await aSlowOneIsCut(2);
  t.is(client.text, '');
});

test('a peer that has been sent part of the response may be silent: it is a conversation', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  client.send(headers(1, head(server, 'POST', '/converse'), false));
  await client.untilFrame(FrameType.Data, 1);
  await aSlowOneIsCut(2);
  client.send(data(1, 'at last', true));
  const trailers = await client.until(
    ({ type, streamId, flags }) =>
      type === FrameType.Headers && streamId === 1 && (flags & Flag.EndStream) !== 0,
  );
  t.true(trailers.payload.length > 0);
  t.is(client.frames.filter(({ type }) => type === FrameType.RstStream).length, 0);
});

test('a route may have its own minimum rate: with 0 a client may be silent', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  const patient = fieldBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':authority', 'patient.invalid'],
    [':path', '/read'],
  ]);
  client.send(headers(1, patient, false));
  await aSlowOneIsCut(2);
  client.send(data(1, 'at last', true));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '200');
});

test('an upload at the minimum rate or above is read to its end', async (t) => {
  const patient = await startPaced(t, { requestRate: PATIENT_RATE });
  const client = await RawHttp2.connect(t, patient.port);
  client.send(headers(1, head(patient, 'POST', '/read'), false));
  let sent = 0;
  let window = 16_384;
  client.onFrame = ({ type, streamId, payload }) => {
    if (type === FrameType.WindowUpdate && streamId === 1) window += payload.readUInt32BE(0);
  };
  // Much at a time: on a busy machine, two of the server's ticks may follow one of these.
  const send = setInterval(() => {
    const length = Math.min(window, 8_192);
    client.send(data(1, Buffer.alloc(length)));
    window -= length;
    sent += length;
  }, 50);
  t.teardown(() => clearInterval(send));
  await aSlowOneIsCut(1, patient);
  clearInterval(send);
  client.send(data(1, '', true));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '200');
  const body = await client.untilFrame(FrameType.Data, 1);
  t.is(body.payload.toString(), String(sent));
});

test('after the response has ended, a request that is still read has a minimum rate again: CANCEL', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  client.send(headers(1, head(server, 'POST', '/answer-first'), false));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '200');
  t.is(errorCode(await client.untilFrame(FrameType.RstStream, 1)), CANCEL);
});
