/** Native middleware for content: compression, entity tags, work in another thread. */
import { type ClientHttp2Session, constants, type OutgoingHttpHeaders } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { createGunzip, gunzipSync } from 'node:zlib';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { answer, connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { http2 } from '../websocket/byte-streams.ts';
import { openPeer } from '../websocket/peer.ts';

const LONG = 'again and again '.repeat(500);
const GZIP = { 'accept-encoding': 'gzip' };
const scope = new FileScope();
let server: TestServer;
let session: ClientHttp2Session;
test.before(async () => {
  const application = fileURLToPath(new URL('./applications/bodies.ts', import.meta.url));
  server = await startServer(scope, {
    pools: { bodies: { application, threads: { min: 1, max: 1 } } },
    routes: [{ path: '/*', pool: 'bodies', websocket: true }],
  });
  session = await connectHttp2(scope, server.origin);
});
test.after.always(() => scope.end());

const headersOf = (path: string, headers: OutgoingHttpHeaders) => ({
  ':path': path,
  [SIGNALS_FIELD]: server.signals.name,
  ...headers,
});
const ask = (path: string, headers: OutgoingHttpHeaders = {}) => request(session, headersOf(path, headers));

test('compression: each piece can be read once it has been written, and trailers follow the last', async (t) => {
  const stream = session.request(headersOf('/compressed/streaming', GZIP));
  const gunzip = stream.pipe(createGunzip());
  const answered = answer(stream);
  const first = await new Promise((resolve) => gunzip.once('data', resolve));
  t.is(String(first), 'first');
  server.signals.tell('release streaming');
  const { headers, trailers, body } = await answered;
  t.is(gunzipSync(body).toString(), 'first last');
  t.is(trailers['x-sum'], '1');
  t.is(headers['content-encoding'], 'gzip');
  t.is(headers['content-length'], undefined);
  t.is(headers.etag, 'W/"strong"');
  t.is(headers.vary, 'accept-encoding');
});

test('compression: a body sent whole is compressed whole, with its own length', async (t) => {
  const { headers, body } = await ask('/compressed/whole', GZIP);
  t.is(Number(headers['content-length']), body.length);
  t.true(body.length < LONG.length / 10);
  t.is(gunzipSync(body).toString(), LONG);
  t.is(headers.vary, 'cookie, accept-encoding');
});

test('compression: only for clients that accept gzip', async (t) => {
  for (const coding of ['', 'br', 'gzip;q=0', 'gzip;q=0.000', 'x-gzipped']) {
    const { headers, body } = await ask('/compressed/whole', { 'accept-encoding': coding });
    t.is(headers['content-encoding'], undefined, coding);
    t.is(body.toString(), LONG);
  }
  for (const coding of ['br, gzip', 'GZIP', 'gzip;q=0.5', 'x-gzip', 'gzip ; q=1.0']) {
    t.is(
      (await ask('/compressed/whole', { 'accept-encoding': coding })).headers['content-encoding'],
      'gzip',
      coding,
    );
  }
});

test('compression: only content that is worth it and may be transformed', async (t) => {
  t.is((await ask('/compressed/small', GZIP)).body.toString(), 'small');
  for (const query of [
    'content-type=image/png',
    'cache-control=public, no-transform',
    'content-encoding=br',
    ':status=206&content-range=bytes 0-7999/9000',
  ]) {
    const { headers, body } = await ask(`/compressed/whole?${encodeURI(query)}`, GZIP);
    t.not(headers['content-encoding'], 'gzip', query);
    t.is(body.toString(), LONG, query);
  }
  const head = await ask('/compressed/whole', { ...GZIP, ':method': 'HEAD' });
  t.is(head.headers['content-encoding'], undefined);
});

test('compression: pieces of an application that does not wait are sent in order', async (t) => {
  const { body, how } = await ask('/compressed/crumbs', GZIP);
  t.is(how, 'whole');
  t.is(gunzipSync(body).toString(), Array.from({ length: 100 }, (_, i) => `${i},`).join(''));
});

test('compression: an application that floods is cut off instead of losing a piece', async (t) => {
  const { how, resetCode } = await ask('/compressed/flood', GZIP);
  t.is(how, 'cut');
  t.is(resetCode, constants.NGHTTP2_INTERNAL_ERROR);
});

test('compression: a failure in the middle is visible as one', async (t) => {
  t.is((await ask('/compressed/failing', GZIP)).how, 'cut');
});

test('entity tags: a client that has the page gets 304 without it', async (t) => {
  const first = await ask('/tagged/page');
  const tag = String(first.headers.etag);
  t.regex(tag, /^"[\w-]{27}"$/);
  t.is((await ask('/tagged/page')).headers.etag, tag);
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
    const { status, headers, body } = await ask('/tagged/page', { 'if-none-match': known });
    t.is(status, 304, known);
    t.is(body.length, 0);
    t.is(headers.etag, tag);
    t.is(headers['cache-control'], 'no-cache');
    t.is(headers['content-type'], undefined);
    t.is(headers['content-length'], undefined);
  }
  const changed = await ask('/tagged/page', { 'if-none-match': '"other"' });
  t.is(changed.status, 200);
  t.is(changed.body.toString(), LONG);
});

test('entity tags: HEAD has the same tag as GET, and POST, errors and streams have none', async (t) => {
  const { headers } = await ask('/tagged/page');
  t.is((await ask('/tagged/page', { ':method': 'HEAD' })).headers.etag, headers.etag);
  t.is((await ask('/tagged/page', { ':method': 'POST', 'if-none-match': '*' })).status, 200);
  t.is((await ask('/tagged/missing', { 'if-none-match': '*' })).status, 404);
  const streamed = await ask('/tagged/streaming', { 'if-none-match': '*' });
  t.is(streamed.body.toString(), 'streamed');
  t.is(streamed.headers.etag, undefined);
});

test("entity tags: an application's own tag counts", async (t) => {
  t.is((await ask('/tagged/own', { 'if-none-match': 'W/"own"' })).status, 304);
  t.is((await ask('/tagged/own')).headers.etag, 'W/"own"');
});

test('offload: a response is sent as the other thread left it, whole or in pieces', async (t) => {
  const whole = await ask('/loud/whole');
  t.is(whole.status, 201);
  t.is(whole.body.toString(), 'QUIET');
  t.is((await ask('/loud/streaming')).body.toString(), 'QUIET');
});

test('offload: encoded content is left unchanged', async (t) => {
  t.is((await ask('/loud/encoded')).body.toString(), 'quiet');
});

test('offload: too large a body, failed work and a missing response fail the exchange before its head', async (t) => {
  for (const path of ['/loud/large', '/loud/failing', '/loud/unanswered'])
    t.is((await ask(path)).status, 500, path);
});

test('offload: no thread works for a client that has left', async (t) => {
  const begun = server.signals.until('work begun');
  const aborted = server.signals.until('work aborted');
  const stream = session.request(headersOf('/loud/whole?stalls', {}));
  stream.on('error', () => undefined);
  await begun;
  stream.close(constants.NGHTTP2_CANCEL);
  await aborted;
  t.pass();
});

test('offload: a WebSocket has no body to work on and passes through', async (t) => {
  const peer = await openPeer(http2, t, { ...server, scope }, '/loud/socket');
  t.is(await peer.next(), 'quiet');
  peer.close(1000);
  t.is((await peer.closed).code, 1000);
});
