/**
 * Messages that are too large for the ring between reactor and thread, in either direction: each is refused at its call, or answered,
 * and what just fits arrives. Nothing hangs, and the thread goes on.
 */
import { once } from 'node:events';
import test from 'ava';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { answer, connectHttp2, request } from '../server/http2-client.ts';

/** The smallest ring that the limits of heads below allow. */
const RING_BYTES = 65_536;
const MAX_FIELD_LIST_BYTES = 5_000;
const MAX_HEADER_BYTES = 5_000;
/** Characters that one value can have in a message of half a ring. */
const LEAST_LARGEST = 10_000;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: {
      large: {
        application: application('faults', 'too-large'),
        threads: { min: 1, max: 1 },
        ringBytes: RING_BYTES,
        // The server is to refuse it, not the validator.
        validate: false,
      },
    },
    routes: [{ path: '/*', pool: 'large', connect: true }],
    http1: { maxHeaderBytes: MAX_HEADER_BYTES },
    http2: { maxFieldListBytes: MAX_FIELD_LIST_BYTES },
  });
});
test.after.always(() => scope.end());

for (const path of ['/inform', '/respond', '/respond-whole', '/end']) {
  test.serial(
    `fields that no message can carry are refused at the call, and the largest that one can arrive: ${path}`,
    async (t) => {
      const session = await connectHttp2(t, server.origin);
      const http2 = await request(session, { ':path': path });
      t.deepEqual([http2.status, http2.body.toString(), http2.how], [200, 'SLUICE_FIELD_INVALID', 'whole']);
      const { headers, trailers, interim } = http2;
      const large = path === '/inform' ? interim[0] : path === '/end' ? trailers : headers;
      t.true(String(large?.['x-large']).length > LEAST_LARGEST);
      const http1 = await requestHttp1(server.origin + path);
      t.deepEqual([http1.status, http1.body.toString(), http1.how], [200, 'SLUICE_FIELD_INVALID', 'whole']);
    },
  );
}

test.serial(
  'fields of an accepted tunnel that no message can carry are refused, and the tunnel can still be accepted',
  async (t) => {
    const session = await connectHttp2(t, server.origin);
    const stream = session.request(
      { ':method': 'CONNECT', ':authority': 'large.invalid:1' },
      { endStream: false },
    );
    const whole = answer(stream);
    const [fields] = await once(stream, 'response');
    t.true(fields['x-large'].length > LEAST_LARGEST);
    stream.end();
    t.is((await whole).body.toString(), 'SLUICE_FIELD_INVALID');
  },
);

for (const path of ['/push-path', '/push-fields']) {
  test.serial(
    `a promised request that no message can carry is refused, and one that fits is promised: ${path}`,
    async (t) => {
      const session = await connectHttp2(t, server.origin);
      const pushed = once(session, 'stream');
      const page = await request(session, { ':path': path });
      t.deepEqual([page.status, page.body.toString(), page.how], [200, 'SLUICE_PUSH_INVALID', 'whole']);
      const [stream, promised] = await pushed;
      if (path === '/push-path') t.true(promised[':path'].length > LEAST_LARGEST);
      t.is((await answer(stream)).body.toString(), 'pushed');
      const without = await connectHttp2(t, server.origin, { settings: { enablePush: false } });
      t.is((await request(without, { ':path': path })).body.toString(), 'SLUICE_PUSH_INVALID');
      t.is((await requestHttp1(server.origin + path)).body.toString(), 'SLUICE_PUSH_INVALID');
    },
  );
}

test.serial(
  'the largest trailers that the limits of a request allow cross the smallest ring that they allow',
  async (t) => {
    const session = await connectHttp2(t, server.origin);
    const stream = session.request({ ':method': 'POST', ':path': '/trailers' }, { waitForTrailers: true });
    // RFC 9113 section 6.5.2 counts 32 for each line.
    const value = 'x'.repeat(MAX_FIELD_LIST_BYTES - 'x-sum'.length - 32);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': value }));
    stream.end();
    t.is((await answer(stream)).body.toString(), '1');
    const http1 = await requestHttp1(`${server.origin}/trailers`, {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
      trailers: { 'x-sum': 'x'.repeat(MAX_HEADER_BYTES - 100) },
    });
    t.deepEqual([http1.status, http1.body.toString()], [200, '1']);
  },
);

test.serial('trailers beyond the limits are refused, and no exchange waits for them', async (t) => {
  const session = await connectHttp2(t, server.origin, { maxSendHeaderBlockLength: 100_000 });
  const stream = session.request({ ':method': 'POST', ':path': '/trailers' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': 'x'.repeat(MAX_FIELD_LIST_BYTES) }));
  stream.end();
  t.not((await answer(stream)).body.toString(), '1');
  const http1 = await requestHttp1(`${server.origin}/trailers`, {
    method: 'POST',
    headers: { 'transfer-encoding': 'chunked' },
    trailers: { 'x-sum': 'x'.repeat(MAX_HEADER_BYTES) },
  });
  t.is(http1.status, 431);
});

test.serial('after all these refusals the same thread still runs', async (t) => {
  const session = await connectHttp2(t, server.origin);
  t.is((await request(session, { ':path': '/' })).body.toString(), 'hello');
  t.is(server.log.count('thread started'), 1);
  t.is(server.log.count('thread died'), 0);
});
