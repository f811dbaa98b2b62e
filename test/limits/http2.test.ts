/** Every limit on an HTTP/2 request, at its edge and one beyond. HTTP/1.1: test/http1/limits.test.ts. */
import test, { type ExecutionContext } from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { fieldBlock } from '../http2/frames.ts';
import { FileScope, type TestServer } from '../server/harness.ts';
import { data, errorCode, headers, RawHttp2 } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { startLimited } from './server.ts';

const REFUSED_STREAM = 7;
const CANCEL = 8;
const ENHANCE_YOUR_CALM = 11;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startLimited(
    scope,
    { maxTargetBytes: 100 },
    { http2: { maxConcurrentStreams: 3, maxFieldListBytes: 1_024, maxFieldLines: 10 } },
    { maxBodyBytes: 10 },
  );
});
test.after.always(() => scope.end());

function block(method: string, path: string, ...fields: readonly string[]): Buffer {
  return fieldBlock([':method', method, ':scheme', 'http', ':authority', 'a', ':path', path, ...fields]);
}

/** The status that a request gets on a connection of its own, which must serve another request afterwards. */
async function statusOf(t: ExecutionContext, ...frames: readonly Buffer[]): Promise<string> {
  const client = await RawHttp2.connect(t, server.port);
  client.send(...frames);
  const status = client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status');
  client.send(headers(3, block('GET', '/hello'), true));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 3)).get(':status'), '200');
  return status ?? '';
}

const pathOf = (length: number): string => `/hello?${'x'.repeat(length - 7)}`;

test('a path of maxTargetBytes is accepted, a longer one answered 414 (RFC 9110 section 15.5.15)', async (t) => {
  t.is(await statusOf(t, headers(1, block('GET', pathOf(100)), true)), '200');
  t.is(await statusOf(t, headers(1, block('GET', pathOf(101)), true)), '414');
  t.is(await statusOf(t, headers(1, block('POST', pathOf(101)), false), data(1, 'content', true)), '414');
});

test('maxFieldLines lines, pseudo-fields included, are accepted; one more is answered 431 (RFC 6585 section 5)', async (t) => {
  const lines = (count: number) => Array.from({ length: count }, (_, n) => [`x-${n}`, 'y']).flat();
  t.is(await statusOf(t, headers(1, block('GET', '/hello', ...lines(6)), true)), '200');
  t.is(await statusOf(t, headers(1, block('GET', '/hello', ...lines(7)), true)), '431');
});

test('a list of maxFieldListBytes is accepted, one more byte is answered 431 (RFC 9113 section 6.5.2)', async (t) => {
  // Counts names, values, and 32 bytes for each line.
  const others = [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/hello', 'x'];
  const used = others.join('').length + 5 * 32;
  const withList = (bytes: number) => headers(1, block('GET', '/hello', 'x', 'y'.repeat(bytes - used)), true);
  t.is(await statusOf(t, withList(1_024)), '200');
  t.is(await statusOf(t, withList(1_025)), '431');
});

test('maxConcurrentStreams requests are open at once; one more is refused, and accepted when another has ended (RFC 9113 section 5.1.2)', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  const wait = block('GET', '/wait', SIGNALS_FIELD, server.signals.name);
  const all = server.signals.until('waiting', 3);
  for (const id of [1, 3, 5]) client.send(headers(id, wait, true));
  await all;
  client.send(headers(7, block('GET', '/hello'), true));
  t.is(errorCode(await client.untilFrame(FrameType.RstStream, 7)), REFUSED_STREAM);
  server.signals.tell('go');
  for (const id of [1, 3, 5])
    t.is(client.decode(await client.untilFrame(FrameType.Headers, id)).get(':status'), '200');
  client.send(headers(9, block('GET', '/hello'), true));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 9)).get(':status'), '200');
});

const post = (...fields: readonly string[]): Buffer =>
  headers(1, block('POST', '/length', SIGNALS_FIELD, server.signals.name, ...fields), false);

test('an announced body of maxBodyBytes is accepted; more is answered 413 before a byte of it has arrived (RFC 9110 section 15.5.14)', async (t) => {
  t.is(await statusOf(t, post('content-length', '10'), data(1, '0123456789', true)), '200');
  const client = await RawHttp2.connect(t, server.port);
  client.send(post('content-length', '11'));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '413');
  // RFC 9113 section 8.1: NO_ERROR, since the rest of the request is not needed.
  t.is(errorCode(await client.untilFrame(FrameType.RstStream, 1)), 0);
});

for (const [title, status, pieces] of [
  ['ends with the last byte allowed', '200', ['01234', '56789']],
  ['ends with an empty frame behind the last byte allowed', '200', ['0123456789', '']],
  ['is one byte too long in its only frame', '413', ['0123456789x']],
  ['is one byte too long in its last frame', '413', ['0123456789', 'x']],
  ['crosses the limit within its last frame', '413', ['01234', '56789x']],
] as const) {
  test(`a body without an announced length that ${title} is answered ${status}`, async (t) => {
    const frames = pieces.map((piece, n) => data(1, piece, n === pieces.length - 1));
    t.is(await statusOf(t, post(), ...frames), status);
  });
}

test('the application is told of a body that crosses the limit, and sees no byte beyond it', async (t) => {
  const { signals } = server;
  const client = await RawHttp2.connect(t, server.port);
  const [read, closed] = [signals.until('read 10'), signals.until('closed reset by server code 8')];
  client.send(
    headers(1, block('POST', '/pieces', SIGNALS_FIELD, signals.name), false),
    data(1, '0123456789'),
  );
  await read;
  client.send(data(1, 'x', true));
  t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '413');
  await closed;
  t.is(signals.heard('read 1'), 0);
});

test('after the response head there is no 413: the stream is reset with CANCEL', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  client.send(headers(1, block('POST', '/echo'), false), data(1, 'ab'));
  await client.untilFrame(FrameType.Data, 1);
  client.send(data(1, 'x'.repeat(9), true));
  t.is(errorCode(await client.untilFrame(FrameType.RstStream, 1)), CANCEL);
});

test('repeated bodies over maxBodyBytes are MadeYouReset: the connection ends (CVE-2025-8671)', async (t) => {
  const strict = await startLimited(
    t,
    {},
    { http2: { budgets: { provokedResets: { burst: 3, perSecond: 0 } } } },
    { maxBodyBytes: 10 },
  );
  const client = await RawHttp2.connect(t, strict.port);
  for (const id of [1, 3, 5, 7]) {
    client.send(headers(id, block('POST', '/hello'), false), data(id, '0123456789x', true));
    if (id < 7) t.is(client.decode(await client.untilFrame(FrameType.Headers, id)).get(':status'), '413');
  }
  const goaway = await client.untilFrame(FrameType.Goaway, 0);
  t.is(goaway.payload.readUInt32BE(4), ENHANCE_YOUR_CALM);
});
