/** Native middleware that responds instead of an application: the debug page, retry, and the body limit. */
import { type ClientHttp2Session, constants, type OutgoingHttpHeaders } from 'node:http2';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { answer, connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { http1, RefusedError } from '../websocket/byte-streams.ts';

const LIMIT_BYTES = 1000;
const scope = new FileScope();
let server: TestServer;
let session: ClientHttp2Session;
test.before(async () => {
  const application = fileURLToPath(new URL('./applications/failing.ts', import.meta.url));
  server = await startServer(scope, {
    pools: { failing: { application, threads: { min: 1, max: 1 } } },
    routes: [{ path: '/*', pool: 'failing', websocket: true }],
  });
  session = await connectHttp2(scope, server.origin);
});
test.after.always(() => scope.end());

function ask(path: string, body?: string, headers: OutgoingHttpHeaders = {}) {
  const method = body === undefined ? 'GET' : 'POST';
  const sent = { ':method': method, ':path': path, [SIGNALS_FIELD]: server.signals.name, ...headers };
  return request(session, sent, body);
}

test('debug page: a failure is an uncacheable page with the error, its stack and the line that threw', async (t) => {
  const { status, headers, body } = await ask('/debug/early');
  t.is(status, 500);
  t.is(headers['content-type'], 'text/html; charset=utf-8');
  t.is(headers['cache-control'], 'no-store');
  t.regex(body.toString(), /<mark>.*throw new Error\('a &#60;b&#62;bold/);
  t.regex(body.toString(), /failing\.ts:\d+/);
  t.notRegex(body.toString(), /<b>/);
});

test('debug page: any thrown value can be shown', async (t) => {
  const { status, body } = await ask('/debug/thrown-text');
  t.is(status, 500);
  t.regex(body.toString(), /thrown: just &#34;words&#34;/);
});

test('debug page: a response that has begun breaks off', async (t) => {
  const { status, body, how, resetCode } = await ask('/debug/late');
  t.is(status, 200);
  t.is(body.toString(), 'begun');
  t.is(how, 'cut');
  t.is(resetCode, constants.NGHTTP2_INTERNAL_ERROR);
});

test('debug page: a WebSocket is refused with it', async (t) => {
  const opening = http1.webSocket(t, { ...server, scope }, '/debug/tunnel');
  const refused = (await t.throwsAsync(opening, { instanceOf: RefusedError })) as RefusedError;
  t.is(refused.status, 500);
  t.regex(refused.body, /no tunnel here/);
});

test('debug page: an application interrupted by its peer gets its own error back', async (t) => {
  const begun = server.signals.until('begun');
  const thrown = server.signals.until('thrown SLUICE_EXCHANGE_CLOSED');
  const stream = session.request(
    { ':method': 'POST', ':path': '/debug/cut', [SIGNALS_FIELD]: server.signals.name },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  await begun;
  stream.close(constants.NGHTTP2_CANCEL);
  await thrown;
  t.pass();
});

test('retry: an application that failed before any effect runs again, three times in all', async (t) => {
  for (const failures of [0, 1, 2]) {
    const { status, body } = await ask(`/retry/plain?failures=${failures}`);
    t.is(status, 200);
    t.is(body.toString(), `run ${failures + 1}`);
  }
  t.is((await ask('/retry/plain?failures=3')).status, 500);
});

test('retry: a request that is not idempotent runs once', async (t) => {
  t.is((await ask('/retry/plain?failures=1', '')).status, 500);
  const put = await ask('/retry/plain?failures=1', '', { ':method': 'PUT' });
  t.is(put.body.toString(), 'run 2');
});

test('retry: nothing is repeated after the peer has seen part of it', async (t) => {
  const { how, body } = await ask('/retry/head-gone');
  t.is(how, 'cut');
  t.is(body.toString(), 'run 1');
  t.is((await ask('/retry/pushed?failures=1')).status, 500);
});

test('retry: nothing is repeated after it has read from the body; checking whether there is one is not reading', async (t) => {
  const put = { ':method': 'PUT' };
  t.is((await ask('/retry/body-read?failures=1', 'x', put)).status, 500);
  t.is((await ask('/retry/body-glanced-at?failures=1', 'x', put)).body.toString(), 'run 2');
});

test('retry: an internal location is requested instead, with the unread body', async (t) => {
  const moved = await ask('/retry/moved', 'sent', { ':method': 'PUT' });
  t.is(moved.status, 200);
  t.is(moved.body.toString(), '/retry/there?from=moved sent');
  t.is(moved.headers['x-internal-location'], undefined);
  const streaming = await ask('/retry/moved-streaming');
  t.is(streaming.body.toString(), '/retry/there ');
  t.is(streaming.trailers['x-neither'], undefined);
});

test('retry: a circle of locations, an external one, and one after reading the body fail', async (t) => {
  for (const path of ['/retry/circle', '/retry/outside', '/retry/after-reading']) {
    t.is((await ask(path, 'x', { ':method': 'PUT' })).status, 500, path);
  }
});

test('body limit: a body that announces too much is answered at once, and the application is not called', async (t) => {
  const stream = session.request(
    {
      ':method': 'POST',
      ':path': '/limit/read?id=announced',
      'content-length': LIMIT_BYTES + 1,
      [SIGNALS_FIELD]: server.signals.name,
    },
    { endStream: false },
  );
  const { status, body } = await answer(stream);
  t.is(status, 413);
  t.is(body.toString(), 'at most 1000 bytes\n');
  // Signals of one thread arrive in order: after this one, no earlier signal is still on its way.
  const called = server.signals.until('called next');
  await ask('/limit/read?id=next', 'x');
  await called;
  t.is(server.signals.heard('called announced'), 0);
});

test('body limit: a body of exactly the limit arrives complete, with its trailers', async (t) => {
  const whole = await requestHttp1(`${server.origin}/limit/read`, {
    method: 'POST',
    headers: { [SIGNALS_FIELD]: server.signals.name, 'transfer-encoding': 'chunked', trailer: 'x-sum' },
    body: 'x'.repeat(LIMIT_BYTES),
    trailers: { 'x-sum': 'abc' },
  });
  t.is(whole.body.toString(), '1000 abc');
});

test('body limit: the byte beyond it is answered by the layer while the application reads', async (t) => {
  const stream = session.request(
    { ':method': 'POST', ':path': '/limit/read', [SIGNALS_FIELD]: server.signals.name },
    { endStream: false },
  );
  const answered = answer(stream);
  stream.write('x'.repeat(LIMIT_BYTES));
  stream.write('y');
  const { status } = await answered;
  t.is(status, 413);
});

test('body limit: after the head the response breaks off', async (t) => {
  const { status, how } = await ask('/limit/echo', 'x'.repeat(LIMIT_BYTES + 1));
  t.is(status, 200);
  t.is(how, 'cut');
  t.is((await ask('/limit/echo', 'x'.repeat(LIMIT_BYTES))).how, 'whole');
});

test("body limit: an application's own smaller limit is answered 413 as well", async (t) => {
  t.is((await ask('/limit/own', 'x'.repeat(11))).status, 413);
});

test('body limit: below a debug page it still answers 413', async (t) => {
  const stream = session.request({ ':method': 'POST', ':path': '/limit/under-page' }, { endStream: false });
  stream.end('x'.repeat(LIMIT_BYTES + 1));
  t.is((await answer(stream)).status, 413);
});
