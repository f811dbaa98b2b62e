/** What a client is given of a response, over both protocol versions. */
import test from 'ava';
import { application, FileScope, startServer, type TestServer } from './harness.ts';
import { requestHttp1 } from './http1-client.ts';
import { connectHttp2, request } from './http2-client.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: {
      messages: { application: application('server', 'messages'), threads: { max: 1 } },
      // It breaks rules, to see what the server says.
      failing: { application: application('server', 'failing'), threads: { max: 1 }, validate: false },
    },
  });
});
test.after.always(() => scope.end());

test('repeated fields of a response stay apart and in order', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const { headers } = await request(session, { ':path': '/repeated' });
  t.deepEqual(headers['set-cookie'], ['a=1', 'b=2', 'c=3']);
  t.is(headers['x-one'], 'one');
  const { headers: http1 } = await requestHttp1(`${server.origin}/repeated`);
  t.deepEqual(http1['set-cookie'], ['a=1', 'b=2', 'c=3']);
});

test('a response carries the Date field (RFC 9110 section 6.6.1) and the length of its body', async (t) => {
  const session = await connectHttp2(t, server.origin);
  for (const { headers } of [
    await request(session, { ':path': '/hello' }),
    await requestHttp1(`${server.origin}/hello`),
  ]) {
    t.is(headers['content-length'], '6');
    t.false(Number.isNaN(Date.parse(headers.date ?? '')));
  }
});

for (const code of [200, 201, 404, 418, 500, 599]) {
  test(`status ${code} reaches the client`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const path = `/status?code=${code}&body=text`;
    const http2 = await request(session, { ':path': path });
    const http1 = await requestHttp1(server.origin + path);
    for (const { status, body } of [http2, http1]) t.deepEqual([status, body.toString()], [code, 'text']);
  });
}

for (const code of [204, 304]) {
  test(`a ${code} has no content and no length, whatever the application gives (RFC 9110 section 6.4.1)`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const path = `/status?code=${code}&body=text`;
    const http2 = await request(session, { ':path': path });
    const http1 = await requestHttp1(server.origin + path);
    for (const { status, body, headers } of [http2, http1]) {
      t.deepEqual([status, body.length, headers['content-length']], [code, 0, undefined]);
    }
    t.is(http2.resetCode, 0);
  });
}

test('HEAD is answered with the head of GET and no content (RFC 9110 section 9.3.2)', async (t) => {
  const session = await connectHttp2(t, server.origin);
  for (const path of ['/hello', '/bytes?count=100000&announced']) {
    const http2 = await request(session, { ':method': 'HEAD', ':path': path });
    const http1 = await requestHttp1(server.origin + path, { method: 'HEAD' });
    const length = path === '/hello' ? '6' : '100000';
    for (const { status, body, headers } of [http2, http1]) {
      t.deepEqual([status, body.length, headers['content-length']], [200, 0, length], path);
    }
    t.is(http2.resetCode, 0);
  }
});

test('HEAD for which no route leads to a pool is answered 404 without content', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const { status, body, resetCode } = await request(session, { ':method': 'HEAD', ':path': '/none' });
  t.deepEqual([status, body.length, resetCode], [404, 0, 0]);
});

test('interim responses come before the final one (RFC 9110 section 15.2)', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const http2 = await request(session, { ':path': '/interim' });
  t.deepEqual(
    http2.interim.map((fields) => [fields[':status'], fields.link]),
    [
      [103, '</style.css>; rel=preload'],
      [102, undefined],
    ],
  );
  t.is(http2.body.toString(), 'after the interim responses');
  const http1 = await requestHttp1(`${server.origin}/interim`);
  t.deepEqual(http1.interim, [103, 102]);
  t.is(http1.body.toString(), 'after the interim responses');
});

test('trailers follow the content', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const http2 = await request(session, { ':path': '/trailers' });
  const http1 = await requestHttp1(`${server.origin}/trailers`);
  for (const { body, trailers } of [http2, http1]) {
    t.is(body.toString(), 'content');
    t.like(trailers, { 'x-checksum': 'abc', 'x-many': '1, 2' });
  }
});

test('a response without content is whole', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const http2 = await request(session, { ':path': '/empty' });
  const http1 = await requestHttp1(`${server.origin}/empty`);
  for (const { status, body } of [http2, http1]) t.deepEqual([status, body.length], [200, 0]);
  t.is(http2.resetCode, 0);
  t.is(http1.how, 'whole');
});

const INTERNAL_ERROR = 0x2;

for (const path of ['/failing/too-much', '/failing/too-little']) {
  test(`an application whose body does not match its content-length gets an error, and the client no other body: ${path}`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const { status, resetCode } = await request(session, { ':path': path });
    t.deepEqual([status, resetCode], [200, INTERNAL_ERROR]);
    const { how } = await requestHttp1(server.origin + path);
    // Over HTTP/1.1 a message is whole when its length is reached: nothing can be said behind it.
    t.is(how, path.endsWith('too-much') ? 'whole' : 'cut');
    await server.log.until('application failed', (line) => {
      const { code } = line.err as { code?: string };
      return line.path === path && code === 'SLUICE_FIELD_INVALID';
    });
  });
}

test('a content-length that contradicts a whole body is refused before anything is sent', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const { status } = await request(session, { ':path': '/failing/contradiction' });
  t.is(status, 500);
});

test('fields that would belong to the connection are refused to an application', async (t) => {
  const session = await connectHttp2(t, server.origin);
  for (const name of ['connection', 'transfer-encoding', 'keep-alive', 'upgrade']) {
    const { status } = await request(session, { ':path': `/failing/field?name=${name}` });
    t.is(status, 500, name);
  }
});
