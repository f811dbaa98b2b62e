/** Bodies of every size, both ways, whole and streaming, over both protocol versions. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as sendHttp1 } from 'node:http';
import test from 'ava';
import { application, FileScope, startServer, type TestServer } from './harness.ts';
import { requestHttp1 } from './http1-client.ts';
import { connectHttp2, request } from './http2-client.ts';

const MEBIBYTE = 1_048_576;
const sizes = [0, 1, 65_536, 10 * MEBIBYTE];

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: {
      messages: { application: application('server', 'messages'), threads: { max: 1 } },
      staged: { application: application('server', 'staged'), threads: { max: 1 } },
    },
  });
});
test.after.always(() => scope.end());

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes that do not repeat with any frame's or ring's size. */
function content(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8) * 7) % 251;
  return bytes;
}

for (const size of sizes) {
  test(`a response of ${size} bytes arrives unchanged over HTTP/2`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const { body, trailers, resetCode } = await request(session, { ':path': `/bytes?count=${size}` });
    t.is(resetCode, 0);
    t.is(body.length, size);
    t.is(sha256(body), String(trailers['x-digest']));
  });

  test(`a response of ${size} bytes arrives unchanged over HTTP/1.1`, async (t) => {
    const { body, trailers, how } = await requestHttp1(`${server.origin}/bytes?count=${size}`);
    t.is(how, 'whole');
    t.is(body.length, size);
    t.is(sha256(body), String(trailers['x-digest']));
  });

  test(`a request of ${size} bytes arrives unchanged over HTTP/2`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const bytes = content(size);
    const { body, headers } = await request(session, { ':method': 'POST', ':path': '/digest' }, bytes);
    t.deepEqual([headers['x-length'], body.toString()], [String(size), sha256(bytes)]);
  });

  test(`a request of ${size} bytes arrives unchanged over HTTP/1.1`, async (t) => {
    const bytes = content(size);
    const { body, headers } = await requestHttp1(`${server.origin}/digest`, { method: 'POST', body: bytes });
    t.deepEqual([headers['x-length'], body.toString()], [String(size), sha256(bytes)]);
  });

  test(`${size} bytes come back from an echo that streams`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const bytes = content(size);
    const { body, resetCode } = await request(session, { ':method': 'POST', ':path': '/echo' }, bytes);
    t.is(resetCode, 0);
    t.is(sha256(body), sha256(bytes));
  });
}

test('the first bytes of an HTTP/2 echo come back before the upload ends', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const stream = session.request({ ':method': 'POST', ':path': '/echo' });
  for (const piece of ['one', 'two', 'three']) {
    stream.write(piece);
    const [returned] = await once(stream, 'data');
    t.is(String(returned), piece);
  }
  stream.end();
  stream.resume();
  await once(stream, 'close');
  t.is(stream.rstCode, 0);
});

test('the first bytes of an HTTP/1.1 echo come back before the upload ends', async (t) => {
  const outgoing = sendHttp1(`${server.origin}/echo`, { method: 'POST', agent: false });
  outgoing.write('one');
  const [response] = await once(outgoing, 'response');
  t.is(String((await once(response, 'data'))[0]), 'one');
  outgoing.write('two');
  t.is(String((await once(response, 'data'))[0]), 'two');
  outgoing.end();
  response.resume();
  await once(response, 'close');
  t.true(response.complete);
});

test('an upload may still be on its way when its whole response has come', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const stream = session.request({ ':method': 'POST', ':path': '/hello' });
  stream.on('error', () => undefined);
  stream.write(content(1000));
  const [headers] = await once(stream, 'response');
  t.is(headers[':status'], 200);
  t.is(String((await once(stream, 'data'))[0]), 'hello\n');
  stream.resume();
  // RFC 9113 section 8.1: the rest of the request is not wanted, which is no error.
  await once(stream, 'close');
  t.is(stream.rstCode, 0);
  t.is((await request(session, { ':path': '/hello' })).status, 200);
});

test('many bodies share one connection without mixing', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const bodies = Array.from({ length: 40 }, (_, index) => content(20_000 + index * 997).fill(index, 0, 100));
  const answers = await Promise.all(
    bodies.map((bytes) => request(session, { ':method': 'POST', ':path': '/echo' }, bytes)),
  );
  for (const [index, { body }] of answers.entries()) t.is(sha256(body), sha256(bodies[index]));
});

test('a body over the limit that the application gives is answered 413, and is no failure of the application', async (t) => {
  const before = server.log.count('application failed');
  const session = await connectHttp2(t, server.origin);
  const send = (path: string, length: number) =>
    request(session, { ':method': 'POST', ':path': path }, content(length));
  const answers = [
    await send('/limited', 11),
    await requestHttp1(`${server.origin}/limited`, { method: 'POST', body: content(11) }),
  ];
  for (const { status, body } of answers)
    t.deepEqual([status, body.toString()], [413, '413 Content Too Large\n']);
  t.is((await send('/limited', 10)).status, 200);
  t.is(server.log.count('application failed'), before);
  // Behind a head there is nothing left to say it with.
  t.is((await send('/limited?late', 11)).resetCode, 2);
  // The log comes another way than the reset.
  await server.log.until('application failed', (line) => String(line.path).startsWith('/limited'));
  t.is(server.log.count('application failed'), before + 1);
});
