/** What an application is told of a request, over both protocol versions. */

import test from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { fieldBlock } from '../http2/frames.ts';
import { application, FileScope, startServer, type TestServer } from './harness.ts';
import { requestHttp1 } from './http1-client.ts';
import { connectHttp2, request } from './http2-client.ts';
import { data, headers, RawHttp2, requestHead } from './raw-http2.ts';

const paths = ['/describe', '/echo', '/hello'];

interface Described {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly version: string;
  readonly remote: { readonly address: string; readonly port: number };
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
}

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const pool = { application: application('server', 'messages'), threads: { max: 1 } };
  server = await startServer(scope, {
    pools: { messages: pool, other: { ...pool, application: application('server', 'pool-name') } },
    routes: [
      ...paths.map((path) => ({ path, pool: 'messages' })),
      { host: 'other.example', path: '/*', pool: 'other' },
    ],
  });
});
test.after.always(() => scope.end());

function described(body: Buffer): Described {
  return JSON.parse(body.toString());
}

test('an HTTP/2 request arrives with its method, path, query, authority, scheme, version and peer', async (t) => {
  const { origin, port } = server;
  const session = await connectHttp2(t, origin);
  const { status, body } = await request(
    session,
    { ':method': 'PATCH', ':path': '/describe?a=1&b=%20x', ':authority': 'example.org:81' },
    'content',
  );
  t.is(status, 200);
  const { method, scheme, authority, path, version, remote, ...rest } = described(body);
  t.like(
    { method, scheme, authority, path, version, ...rest },
    {
      method: 'PATCH',
      scheme: 'http',
      authority: 'example.org:81',
      path: '/describe?a=1&b=%20x',
      version: '2',
      body: 'content',
      trailers: [],
    },
  );
  t.is(remote.address, '127.0.0.1');
  t.is(remote.port, session.socket?.localPort ?? 0);
  t.not(remote.port, port);
});

test('an HTTP/1.1 request arrives with the same facts', async (t) => {
  const { origin } = server;
  const { status, body } = await requestHttp1(`${origin}/describe?a=1&b=%20x`, {
    method: 'PATCH',
    headers: { host: 'example.org:81' },
    body: 'content',
  });
  t.is(status, 200);
  t.like(described(body), {
    method: 'PATCH',
    scheme: 'http',
    authority: 'example.org:81',
    path: '/describe?a=1&b=%20x',
    version: '1.1',
    body: 'content',
    trailers: [],
    remote: { address: '127.0.0.1' },
  });
});

test('repeated fields of an HTTP/2 request keep their order, and cookie crumbs are joined (RFC 9113 section 8.2.3)', async (t) => {
  const { origin } = server;
  const session = await connectHttp2(t, origin);
  const headers = { ':path': '/describe', 'x-list': ['one', 'two', 'one'], cookie: ['a=1', 'b=2'] };
  const { fields } = described((await request(session, headers)).body);
  t.deepEqual(
    fields.filter(([name]) => name === 'x-list').map(([, value]) => value),
    ['one', 'two', 'one'],
  );
  t.deepEqual(
    fields.filter(([name]) => name === 'cookie').map(([, value]) => value),
    ['a=1; b=2'],
  );
});

test('repeated fields of an HTTP/1.1 request keep their order, without what belongs to the connection', async (t) => {
  const { origin } = server;
  const headers = { 'x-list': ['one', 'two', 'one'], connection: 'x-private, close', 'x-private': 'yes' };
  const { fields } = described((await requestHttp1(`${origin}/describe`, { headers })).body);
  t.deepEqual(
    fields.filter(([name]) => name === 'x-list').map(([, value]) => value),
    ['one', 'two', 'one'],
  );
  const names = fields.map(([name]) => name);
  for (const name of ['connection', 'x-private', 'host', 'transfer-encoding'])
    t.false(names.includes(name), name);
});

test('trailers of an HTTP/2 request reach the application, and its trailers the client', async (t) => {
  const { origin } = server;
  const session = await connectHttp2(t, origin);
  const stream = session.request({ ':method': 'POST', ':path': '/echo' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': 'abc', 'x-many': ['1', '2'] }));
  const { promise, resolve } = Promise.withResolvers<unknown>();
  stream.on('trailers', resolve);
  stream.resume();
  stream.end('content');
  t.like(await promise, { 'x-checksum': 'abc', 'x-many': '1, 2' });
});

test('trailers of an HTTP/2 request come without those that must not be there (RFC 9110 section 6.5.1)', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  client.send(headers(1, requestHead('POST', '/describe'), false), data(1, Buffer.from('a')));
  const names = ['host', 'authorization', 'cookie', 'content-length', 'content-type', 'expect', 'trailer'];
  const forged = [...names, 'forwarded', 'x-forwarded-for'].flatMap((name) => [name, '1']);
  client.send(headers(1, fieldBlock([...forged, 'x-sum', '1', 'set-cookie', 'kept']), true));
  const body = await client.untilFrame(FrameType.Data, 1);
  t.deepEqual(described(body.payload).trailers, [
    ['x-sum', '1'],
    ['set-cookie', 'kept'],
  ]);
});

test('trailers of a chunked HTTP/1.1 request reach the application, and its trailers the client', async (t) => {
  const { origin } = server;
  const { body, trailers } = await requestHttp1(`${origin}/echo`, {
    method: 'POST',
    headers: { trailer: 'x-checksum', te: 'trailers' },
    body: 'content',
    trailers: { 'x-checksum': 'abc' },
  });
  t.is(body.toString(), 'content');
  t.like(trailers, { 'x-checksum': 'abc' });
});

test('a path that no route matches is answered 404 over both versions', async (t) => {
  const { origin } = server;
  const session = await connectHttp2(t, origin);
  const answers = await Promise.all([
    request(session, { ':path': '/other' }),
    request(session, { ':path': '/hello' }),
    requestHttp1(`${origin}/other`),
    requestHttp1(`${origin}/hello`),
  ]);
  t.deepEqual(
    answers.map(({ status }) => status),
    [404, 200, 404, 200],
  );
  t.is(answers[0].body.toString(), '404 Not Found\n');
});

test('routes by host lead to different pools', async (t) => {
  const { origin } = server;
  const session = await connectHttp2(t, origin);
  const one = await request(session, { ':path': '/hello', ':authority': 'one.example' });
  const other = await request(session, { ':path': '/hello', ':authority': 'Other.Example:80' });
  t.is(one.body.toString(), 'hello\n');
  t.is(other.body.toString(), 'another application');
});
