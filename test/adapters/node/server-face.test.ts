/** A server of node:http as others see it: its events, its classes, its timeouts, and what is over when an exchange is. */
import { once } from 'node:events';
import { request as sendHttp1 } from 'node:http';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FrameType } from '../../../runtime/http2/frames.ts';
import { message, RawClient } from '../../http1/raw.ts';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { connectHttp2, request } from '../../server/http2-client.ts';
import { data, fieldBlock, headers, RawHttp2 } from '../../server/raw-http2.ts';
import { http1, http2, RefusedError, type Way } from '../../websocket/byte-streams.ts';
import type { SocketServer } from '../../websocket/server.ts';
import { ignoring } from './applications/ignored-upgrade.ts';
import { withOptions } from './applications/own-classes.ts';
import { type Address, listen } from './reference.ts';

const scope = new FileScope();
let server: TestServer;
const file = (name: string) => fileURLToPath(new URL(`applications/${name}`, import.meta.url));

test.before(async () => {
  const threads = { min: 1, max: 1 };
  server = await startServer(scope, {
    pools: {
      server: { application: file('traced-server.ts'), kind: 'server', threads },
      handler: { application: file('traced-server.ts'), export: 'handler', threads },
      classes: { application: file('own-classes.ts'), threads },
      closing: { application: file('own-classes.ts'), threads },
      proxy: { application: file('connect-proxy.ts'), threads },
      expecting: { application: file('check-continue.ts'), threads },
      ignoring: { application: file('ignored-upgrade.ts'), threads },
    },
    routes: [
      ...['server', 'handler', 'classes', 'closing', 'expecting'].map((pool) => ({
        host: `${pool}.test`,
        path: '/*',
        pool,
      })),
      { host: 'origin.test', path: '/*', pool: 'proxy', connect: true },
      { path: '/options', pool: 'classes', websocket: true },
      { path: '/*', pool: 'ignoring', websocket: true },
    ],
  });
});
test.after.always(() => scope.end());

const get = async (host: string, path: string, headers: Record<string, string> = {}) => {
  const { status, body } = await requestHttp1(`${server.origin}${path}`, { headers: { host, ...headers } });
  return { status, text: body.toString() };
};

for (const [pool, times] of [
  ['server', 1],
  ['handler', 0],
] as const) {
  test(`tracers see each request of a ${pool}, a rejected promise ends one exchange, and once is once`, async (t) => {
    const host = `${pool}.test`;
    t.is((await get(host, '/reject')).status, 500);
    await get(host, '/');
    const { text } = await get(host, '/');
    // The response that says it is the one whose finish is still to come; that of the rejected one never did.
    t.deepEqual(JSON.parse(text), { emit: 3, start: 3, finish: 1, once: times, server: true });
  });
}

test('requests and responses are of the classes that the server was made with, and of its settings', async (t) => {
  const { text } = await get('classes.test', '/?q=1', { age: '1' });
  t.like(JSON.parse(text), { query: '1', age: '1' });
  const headers = { host: 'classes.test', age: ['1', '2'] as unknown as string };
  const twice = await requestHttp1(`${server.origin}/?q=2`, { headers });
  t.like(JSON.parse(twice.body.toString()), { query: '2', age: '1, 2' });
});

test('options of a server are those of its responses', async (t) => {
  const reference = await listen(t, withOptions());
  const seen = async ({ origin }: Address) => {
    const lines = await requestHttp1(`${origin}/options?lines`);
    await requestHttp1(`${origin}/options`, { method: 'HEAD' });
    const { written } = JSON.parse((await requestHttp1(`${origin}/options`)).body.toString());
    return {
      fields: [lines.headers['x-u'], lines.headers['x-v']],
      trailers: [lines.trailers['x-u'], lines.trailers['x-v']],
      written,
    };
  };
  const expected = {
    // The client joins by a comma what comes in two lines.
    fields: ['a; b', 'a, b'],
    trailers: ['c; d', 'c, d'],
    written: 'ERR_HTTP_BODY_NOT_ALLOWED',
  };
  t.deepEqual(await seen(reference), expected);
  t.deepEqual(await seen(server), expected);
});

test('options of a server are those of its upgrades', async (t) => {
  const reference = await listen(t, withOptions());
  const ask = async (way: Way, address: Address, query: string) => {
    const at = { ...server, ...address, scope } as SocketServer;
    // Node's client of HTTP/2 sends none twice.
    const fields = way.version === '2' ? { age: '1, 2' } : { age: ['1', '2'] };
    const asked = way.webSocket(t, at, `/options?q=${query}`, fields);
    const { status, body } = await t.throwsAsync(asked, { instanceOf: RefusedError });
    return { status, body: status < 500 ? JSON.parse(body) : body };
  };
  const taken = { status: 426, body: { query: '1', age: '1, 2' } };
  t.deepEqual(await ask(http1, reference, '1'), taken);
  t.deepEqual(await ask(http1, server, '1'), taken);
  t.deepEqual(await ask(http2, server, '1'), taken);
  // Node 22 asks for listeners alone.
  const callbackIsAsked = 'shouldUpgradeCallback' in withOptions();
  const status = callbackIsAsked ? 200 : 426;
  t.is((await ask(http1, reference, 'refused')).status, status);
  t.is((await ask(http1, server, 'refused')).status, status);
  t.is((await ask(http2, server, 'refused')).status, callbackIsAsked ? 501 : 426);
});

test('a request that nobody reads, and the socket of its exchange, are closed when the response has ended', async (t) => {
  await get('closing.test', '/');
  const { text } = await get('closing.test', '/');
  const { open, sockets } = JSON.parse(text);
  t.true(open === 1 && sockets === 1, text);
  const session = await connectHttp2(t, server.origin);
  for (let n = 0; n < 5; n++) {
    await request(session, { ':method': 'POST', ':path': '/', ':authority': 'closing.test' }, 'a body');
  }
  // The rest of a request is read away behind its response, so a client can be ahead of that.
  for (let left = Infinity; left > 1; ) {
    const after = JSON.parse((await get('closing.test', '/')).text);
    left = Math.max(after.open, after.sockets);
  }
});

test('a timeout that nobody hears takes the connection away', async (t) => {
  await t.throwsAsync(get('classes.test', '/silent'));
});

test('an Upgrade that nobody listens to is a request like any other, as on node:http', async (t) => {
  const reference = await listen(t, ignoring());
  const ask = async (way: Way, address: Address) => {
    const asked = way.webSocket(t, { ...server, ...address, scope } as SocketServer, '/?a=1');
    const { status, body, fields } = await t.throwsAsync(asked, { instanceOf: RefusedError });
    return { status, body: body && status === 200 ? JSON.parse(body) : '', length: fields['content-length'] };
  };
  t.deepEqual(await ask(http1, server), await ask(http1, reference));
  // Over HTTP/2 a 200 would accept it, and node:http2 offers none.
  t.is((await ask(http2, server)).status, 501);
});

for (const [what, version, event, ...expects] of [
  ['one', '1.1', 'checkContinue', '100-continue'],
  ['one in other letters', '1.1', 'checkContinue', '100-Continue'],
  ['one, and an empty field', '1.1', 'checkContinue', '100-continue', ''],
  ['empty fields', '1.1', 'request', '', ','],
  ['none', '1.1', 'request'],
  ['one, which HTTP/1.0 does not have,', '1.0', 'request', '100-continue'],
  ['two equal ones', '2', 'checkContinue', '100-continue', '100-continue'],
  ['another besides', '2', 'request', '100-continue', 'x'],
] as const) {
  test(`an expectation over HTTP/${version}: ${what} makes it an event ${event}`, async (t) => {
    const authority = 'expecting.test';
    if (version === '2') {
      const client = await RawHttp2.connect(t, server.port);
      const head = Object.entries({
        ':method': 'POST',
        ':scheme': 'http',
        ':path': '/',
        ':authority': authority,
      });
      const fields = expects.map((value) => ['expect', value] as const);
      client.send(headers(1, fieldBlock([...head, ...fields]), false), data(1, 'content', true));
      t.is((await client.untilFrame(FrameType.Data, 1)).payload.toString(), event);
      return;
    }
    const client = await RawClient.connect(t, server.port);
    const fields = expects.map((value) => `Expect: ${value}`);
    client.send(
      message([`POST / HTTP/${version}`, `Host: ${authority}`, 'Content-Length: 4', ...fields], 'body'),
    );
    let response = await client.response();
    if (response.status === 100) response = await client.response();
    t.is(response.body, event);
  });
}

test('CONNECT has its authority for a URL', async (t) => {
  const asked = sendHttp1(server.origin, { method: 'CONNECT', path: 'origin.test:443' });
  asked.end();
  const [response, socket] = await once(asked, 'connect');
  t.teardown(() => socket.destroy());
  t.deepEqual([response.statusCode, response.headers['x-url']], [200, 'origin.test:443']);
});
