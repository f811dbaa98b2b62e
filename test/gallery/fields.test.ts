/**
 * Native middleware for heads: sessions, authentication, CORS, response fields, timing, mounting, methods.
 */
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
} from 'node:http2';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { mount } from '../../apps/middleware/native/mounting.ts';
import { sessions } from '../../apps/middleware/native/sessions.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { answer, connectHttp2, request } from '../server/http2-client.ts';
import { RefusedError, ways } from '../websocket/byte-streams.ts';
import { openPeer } from '../websocket/peer.ts';

const scope = new FileScope();
let server: TestServer;
let session: ClientHttp2Session;
test.before(async () => {
  const application = fileURLToPath(new URL('./applications/fields.ts', import.meta.url));
  server = await startServer(scope, {
    pools: { fields: { application, threads: { min: 1, max: 1 } } },
    routes: [{ path: '/*', pool: 'fields', websocket: true }],
  });
  session = await connectHttp2(scope, server.origin);
});
test.after.always(() => scope.end());

async function ask(path: string, headers: OutgoingHttpHeaders = {}, body?: string) {
  const got = await request(session, { ':path': path, ...headers }, body);
  return { ...got, text: got.body.toString() };
}

/** Includes the pushes that were promised meanwhile, by path. */
async function askForPushes(path: string) {
  const own = await connectHttp2(scope, server.origin);
  const pushed = new Map<string, Promise<IncomingHttpHeaders>>();
  own.on('stream', (stream: ClientHttp2Stream, asked: IncomingHttpHeaders) => {
    pushed.set(String(asked[':path']), new Promise((resolve) => stream.once('push', resolve)));
    stream.resume();
  });
  const got = await answer(own.request({ ':path': path }));
  return { ...got, pushed };
}

const cookieOf = (headers: IncomingHttpHeaders) => String(headers['set-cookie']?.[0]).split(';')[0] as string;

test('sessions: a value set with one request is there at the next', async (t) => {
  const first = await ask('/session/count');
  t.is(first.text, '1');
  t.regex(String(first.headers['set-cookie']), /^kept=.+; Path=\/; HttpOnly; SameSite=Lax$/);
  const second = await ask('/session/count', { cookie: `other=1; ${cookieOf(first.headers)}` });
  t.is(second.text, '2');
  t.not(cookieOf(second.headers), cookieOf(first.headers));
});

test('sessions: a cookie is set when something has changed, and only then', async (t) => {
  t.is((await ask('/session/unused')).headers['set-cookie'], undefined);
  t.is((await ask('/session/look')).headers['set-cookie'], undefined);
  const cookie = cookieOf((await ask('/session/count')).headers);
  const looked = await ask('/session/look', { cookie });
  t.is(looked.text, '1');
  t.is(looked.headers['set-cookie'], undefined);
});

test('sessions: a cookie with a foreign signature starts a new session', async (t) => {
  const cookie = cookieOf((await ask('/session/count')).headers);
  const [text = '', signature = ''] = cookie.slice('kept='.length).split('.');
  const forged = Buffer.from('{"visits":"99"}').toString('base64url');
  for (const value of [
    `${forged}.${signature}`,
    `${text}.`,
    text,
    `${text}.${signature}AA`,
    '',
    '.',
    'x.y.z',
  ]) {
    t.is((await ask('/session/count', { cookie: `kept=${value}` })).text, '1', value);
  }
});

test('sessions: more than fits a cookie fails the exchange, and a short key fails the start', async (t) => {
  t.is((await ask('/session/large')).status, 500);
  t.throws(() => sessions({ key: new Uint8Array(31) }), { instanceOf: TypeError });
});

test('authentication: an unknown client is challenged, whatever it sent', async (t) => {
  const basic = (text: string) => `Basic ${btoa(text)}`;
  const wrong = [
    '',
    'Basic',
    'Basic !!',
    'Bearer x',
    basic('ada'),
    basic('ada:wrong'),
    basic(':'),
    basic('eve:love:lace'),
  ];
  for (const authorization of wrong) {
    const { status, headers } = await ask('/known/greet', { authorization });
    t.is(status, 401, authorization);
    t.is(headers['www-authenticate'], 'Basic realm="the \\"inner\\" circle", charset="UTF-8"');
  }
  const { status, text } = await ask('/known/greet', { authorization: basic('ada:love:lace') });
  t.is(status, 200);
  t.is(text, 'hello, ada');
});

test('authentication: an upload is refused before it has arrived', async (t) => {
  const stream = session.request({ ':path': '/known/greet', ':method': 'POST' }, { endStream: false });
  stream.write('x'.repeat(1000));
  t.is((await answer(stream)).status, 401);
});

for (const way of ways) {
  test(`authentication: it applies to WebSockets over HTTP/${way.version}`, async (t) => {
    const where = { ...server, scope };
    const refused = await t.throwsAsync(openPeer(way, t, where, '/known/greet'), {
      instanceOf: RefusedError,
    });
    t.is((refused as RefusedError).status, 401);
    const fields = { authorization: `Basic ${btoa('ada:love:lace')}` };
    const peer = await openPeer(way, t, where, '/known/greet', { fields });
    t.is(await peer.next(), 'hello, ada');
    peer.close(1000);
    await peer.closed;
  });

  test(`the response that accepts a WebSocket over HTTP/${way.version} carries sessions and fields too`, async (t) => {
    const where = { ...server, scope };
    const sanitised = await openPeer(way, t, where, '/sanitised/socket');
    t.is(sanitised.accepted.fields['x-content-type-options'], 'nosniff');
    t.is(sanitised.accepted.fields['x-powered-by'], undefined);
    const kept = await openPeer(way, t, where, '/session/socket');
    const cookie = String(kept.accepted.fields['set-cookie']).split(';')[0] as string;
    t.is((await ask('/session/look', { cookie })).text, 'by socket');
  });
}

test('CORS: a preflight is answered for allowed origins', async (t) => {
  const asked = {
    ':method': 'OPTIONS',
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'x-one, x-two',
  };
  const { status, headers } = await ask('/shared/page', { ...asked, origin: 'https://app.example' });
  t.is(status, 204);
  t.is(headers['access-control-allow-origin'], 'https://app.example');
  t.is(headers['access-control-allow-credentials'], 'true');
  t.regex(String(headers['access-control-allow-methods']), /\bPUT\b/);
  t.is(headers['access-control-allow-headers'], 'x-one, x-two');
  t.is(headers['access-control-max-age'], '60');
  const stranger = await ask('/shared/page', { ...asked, origin: 'https://other.example' });
  t.is(stranger.status, 204);
  t.deepEqual(
    Object.keys(stranger.headers).filter((name) => name.startsWith('access-control')),
    [],
  );
});

test('CORS: pages and errors alike say who may read them, and that this depends on the origin', async (t) => {
  for (const [path, status] of [
    ['/shared/page', 200],
    ['/shared/error', 404],
  ] as const) {
    const allowed = await ask(path, { origin: 'https://app.example' });
    t.is(allowed.status, status);
    t.is(allowed.headers['access-control-allow-origin'], 'https://app.example');
    const stranger = await ask(path, { origin: 'https://app.example.other.example' });
    t.is(stranger.headers['access-control-allow-origin'], undefined);
    t.regex(String(stranger.headers.vary), /\borigin$/);
  }
  t.is((await ask('/shared/page')).headers.vary, 'accept, origin');
});

test('CORS: OPTIONS that is not a preflight reaches the application', async (t) => {
  t.is(
    (await ask('/shared/options', { ':method': 'OPTIONS', origin: 'https://app.example' })).text,
    'OPTIONS',
  );
});

test('response fields: revealing fields are removed and protective ones added, also on pushed responses', async (t) => {
  const { headers, pushed } = await askForPushes('/sanitised/page');
  const style = (await pushed.get('/style.css')) as IncomingHttpHeaders;
  for (const each of [headers, style]) {
    t.is(each.server, undefined);
    t.is(each['x-powered-by'], undefined);
    t.is(each['x-content-type-options'], 'nosniff');
    t.is(each['referrer-policy'], 'no-referrer');
  }
  t.is(headers['x-frame-options'], 'DENY');
  t.is(style['x-frame-options'], 'SAMEORIGIN');
});

test('timing: the head has the time up to it, and a trailer the total, for clients that accept trailers', async (t) => {
  const told = await ask('/timed/page', { te: 'trailers' });
  t.is(told.headers['server-timing'], 'own;dur=1, head;dur=10.0');
  t.is(told.trailers['x-own'], 'yes');
  t.is(told.trailers['server-timing'], 'total;dur=20.0');
  const untold = await ask('/timed/page');
  t.is(untold.trailers['x-own'], 'yes');
  t.is(untold.trailers['server-timing'], undefined);
});

test('mounting: the application sees its own paths, and pushes promise the mounted ones', async (t) => {
  const seen = {
    '/mounted/blog': '/',
    '/mounted/blog/': '/',
    '/mounted/blog/one': '/one',
    '/mounted/blog?a=/': '/?a=/',
  };
  for (const [path, own] of Object.entries(seen)) t.is((await ask(path)).text, own);
  t.is((await ask('/mounted/blogger')).text, 'outside');
  const { pushed } = await askForPushes('/mounted/blog/one');
  t.deepEqual([...pushed.keys()], ['/mounted/blog/style.css']);
});

test('mounting: a prefix that is not a path, or ends with a slash, is refused', (t) => {
  for (const prefix of ['', 'blog', '/', '/blog/']) {
    t.throws(() => mount(prefix, () => undefined), { instanceOf: TypeError }, prefix);
  }
});

test('rewriting: a rewritten path is requested under its new name', async (t) => {
  t.is((await ask('/rewritten/old?x')).text, '/rewritten/new?x');
  t.is((await ask('/rewritten/other')).text, '/rewritten/other');
});

test('method override: a POST with its body may become a PUT, PATCH or DELETE, and nothing else changes', async (t) => {
  const override = (method: string, wanted: string) =>
    ask(
      '/method?q=1',
      { ':method': method, 'x-http-method-override': wanted },
      method === 'GET' ? undefined : 'sent',
    );
  t.is((await override('POST', 'PUT')).text, 'PUT 1 sent');
  t.is((await override('POST', 'delete')).text, 'DELETE 1 sent');
  t.is((await override('POST', 'GET')).text, 'POST 1 sent');
  t.is((await override('POST', 'CONNECT')).text, 'POST 1 sent');
  t.is((await override('PUT', 'DELETE')).text, 'PUT 1 sent');
  t.is((await override('GET', 'DELETE')).text, 'GET 1 ');
});
