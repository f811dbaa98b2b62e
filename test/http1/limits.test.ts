/** Every limit of a request, at its edge and beyond it. `limit-edges.test.ts` has those of the engine alone. */
import test, { type ExecutionContext } from 'ava';
import { FileScope, type TestServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { message, RawClient } from './raw.ts';
import { startHttp1Server } from './server.ts';

const http1 = { maxHeaderBytes: 1_024, maxFieldLines: 10 };

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startHttp1Server(
    scope,
    {
      limits: { maxTargetBytes: 100 },
      http1,
      routes: [
        { path: '/*', pool: 'steps' },
        { path: '/echo', pool: 'steps', maxBodyBytes: 20 },
      ],
    },
    { maxBodyBytes: 10 },
  );
});
test.after.always(() => scope.end());

type Context = ExecutionContext<unknown>;

async function statusOf(t: Context, lines: readonly string[], body = ''): Promise<number> {
  const client = await RawClient.connect(t, server.port);
  client.send(message(lines, body));
  const { status, fields } = await client.response();
  if (status >= 400) {
    t.is(fields.connection, 'close');
    t.is(await client.untilClosed(), '');
  }
  return status;
}

const targetOf = (length: number) => `/hello?${'x'.repeat(length - 7)}`;

test('a target of maxTargetBytes is accepted, a longer one is answered 414 (RFC 9110 section 15.5.15)', async (t) => {
  t.is(await statusOf(t, [`GET ${targetOf(100)} HTTP/1.1`, 'Host: a']), 200);
  t.is(await statusOf(t, [`GET ${targetOf(101)} HTTP/1.1`, 'Host: a']), 414);
});

test('so is a target longer than the limit of a head, and it is not read to its end', async (t) => {
  t.is(await statusOf(t, [`GET ${targetOf(5_000)} HTTP/1.1`, 'Host: a']), 414);
});

test('a head of maxHeaderBytes is accepted, a larger one is answered 431 (RFC 6585 section 5)', async (t) => {
  // Counts the target, and for each line the name, colon, space, value and line end.
  const other = '/hello'.length + 'Host: a\r\n'.length + 'X: \r\n'.length;
  const line = (length: number) => `X: ${'x'.repeat(length)}`;
  t.is(await statusOf(t, ['GET /hello HTTP/1.1', 'Host: a', line(1_024 - other)]), 200);
  t.is(await statusOf(t, ['GET /hello HTTP/1.1', 'Host: a', line(1_025 - other)]), 431);
  t.is(await statusOf(t, ['GET /hello HTTP/1.1', 'Host: a', line(100_000)]), 431);
  t.is(await statusOf(t, ['GET /hello HTTP/1.1', 'Host: a', `${'x'.repeat(5_000)}: x`]), 431);
});

test('a head of maxFieldLines is accepted, one with more lines is answered 431 (RFC 6585 section 5)', async (t) => {
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: x`);
  t.is(await statusOf(t, ['GET /hello HTTP/1.1', 'Host: a', ...lines(9)]), 200);
  t.is(await statusOf(t, ['GET /hello HTTP/1.1', 'Host: a', ...lines(10)]), 431);
});

test('trailers have the same limits, and beyond them the request is answered 431 (RFC 6585 section 5)', async (t) => {
  const lines = (count: number) => 'x:x\r\n'.repeat(count);
  const head = ['POST /describe HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked'];
  t.is(await statusOf(t, head, `0\r\n${lines(10)}\r\n`), 200);
  t.is(await statusOf(t, head, `0\r\n${lines(11)}\r\n`), 431);
  const trailer = (length: number) => `0\r\nx: ${'x'.repeat(length - 'x: \r\n'.length)}\r\n\r\n`;
  t.is(await statusOf(t, head, trailer(1_024)), 200);
  t.is(await statusOf(t, head, trailer(1_025)), 431);
});

for (const [count, behind] of [
  [1, ['GET /hello HTTP/1.1', 'Host: a']],
  [3, ['GET /hello HTTP/1.1', 'Host: a']],
  [2, ['POST /describe HTTP/1.1', 'Host: a', 'Content-Length: 0']],
] as const) {
  test(`too many trailers are answered 431 with ${count} of ${behind[0]} after them, none of which is accepted`, async (t) => {
    const head = ['POST /describe HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked'];
    const client = await RawClient.connect(t, server.port);
    // In one write, so that the parser has read all of it before the application's side learns of the
    // trailers.
    client.send(message(head, `1\r\na\r\n0\r\n${'x:x\r\n'.repeat(11)}\r\n`) + message(behind).repeat(count));
    t.is((await client.response()).status, 431);
    t.is(await client.untilClosed(), '');
    t.is(await statusOf(t, ['GET /hello HTTP/1.1', 'Host: a']), 200);
  });
}

for (const [what, behind] of [
  ['nothing', ''],
  ['a request', 'GET /hello HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a request that is refused', 'GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['what no parser can read', '\0\0\0\0'],
  ['a request and what no parser can read', 'GET /hello HTTP/1.1\r\nHost: a\r\n\r\n\0\0\0\0'],
] as const) {
  test(`too many trailers are answered 431 after earlier responses, also with ${what} after them`, async (t) => {
    const get = message(['GET /hello HTTP/1.1', 'Host: a']);
    const head = ['OPTIONS /describe HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked'];
    const client = await RawClient.connect(t, server.port);
    client.send(get + get + message(head, `0\r\n${'x:x\r\n'.repeat(11)}\r\n`) + behind);
    t.is((await client.response()).status, 200);
    t.is((await client.response()).status, 200);
    t.is((await client.response()).status, 431);
    t.is(await client.untilClosed(), '');
  });
}

test('content of maxBodyBytes is accepted; an announced longer one is answered 413 before any of it is read (RFC 9110 section 15.5.14)', async (t) => {
  const head = (length: number, path = '/describe') => [
    `POST ${path} HTTP/1.1`,
    'Host: a',
    `Content-Length: ${length}`,
  ];
  t.is(await statusOf(t, head(10), '0123456789'), 200);
  const client = await RawClient.connect(t, server.port);
  client.send(message(head(11)));
  t.is((await client.response()).status, 413);
  t.is(
    await statusOf(t, head(20, '/echo'), '0'.repeat(20)),
    200,
    "a route's own limit comes before its pool's",
  );
});

test('a client that waits for 100 is spared the upload', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(message(['POST /describe HTTP/1.1', 'Host: a', 'Content-Length: 11', 'Expect: 100-continue']));
  t.is((await client.response()).status, 413);
  t.is(await client.untilClosed(), '');
});

test('content without a length is accepted up to maxBodyBytes, and the first byte beyond it is answered 413', async (t) => {
  const { signals } = server;
  const head = [
    'POST /read HTTP/1.1',
    'Host: a',
    'Transfer-Encoding: chunked',
    `${SIGNALS_FIELD}: ${signals.name}`,
  ];
  const client = await RawClient.connect(t, server.port);
  const read = signals.until('read 10');
  const closed = signals.until('closed reset by server code 8');
  client.send(message(head, 'a\r\n0123456789\r\n'));
  await read;
  client.send('1\r\nx\r\n');
  const { status, fields } = await client.response();
  t.is(status, 413);
  await closed;
  // The remaining length is unknown, so the client is told to send no further request on this connection.
  t.is(fields.connection, 'close');
  t.is(await client.untilClosed(), '');
  t.false(client.wasReset);
});

test('after the head of a response there is no 413: the response is broken off', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(message(['POST /echo HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked'], '2\r\nab\r\n'));
  await client.until('ab');
  client.send(`14\r\n${'x'.repeat(20)}\r\n0\r\n\r\n`);
  const text = await client.untilClosed();
  t.false(text.endsWith('0\r\n\r\n'));
});

test('the same limit holds over HTTP/2', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const head = { ':method': 'POST', ':path': '/describe' };
  t.is((await request(session, head, '0123456789')).status, 200);
  t.is((await request(session, { ...head, 'content-length': '11' }, '0123456789x')).status, 413);
  t.is((await request(session, head, '0123456789x')).status, 413);
  t.is((await request(session, { ':path': '/hello' })).status, 200, 'the connection is none the worse');
});
