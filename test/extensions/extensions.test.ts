/** Registered extensions, marks, padding and late pushes, through the whole server. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { wholeOnly } from '../runner/whole-only.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { headers, RawHttp2, requestHead } from '../server/raw-http2.ts';

const scope = new FileScope();
let server: TestServer;
test.before(async () => {
  const application = fileURLToPath(new URL('./applications/offers.ts', import.meta.url));
  server = await startServer(scope, { pools: { offers: { application, threads: { max: 1 } } } });
});
test.after.always(() => scope.end());

const get = async (path: string, headers = {}) =>
  request(await connectHttp2(scope, server.origin), { ':path': path, ...headers });

test('a request that does not ask for a tunnel is offered everything but the tunnel', async (t) => {
  t.is((await get('/')).body.toString(), 'timing,tlsFacts,fileSending');
});

test('a layer hides the extensions that would bypass it, and no others', async (t) => {
  t.is((await get('/below-head')).body.toString(), 'timing,tlsFacts');
  t.is((await get('/below-request')).body.toString(), 'timing,fileSending');
});

test('timing has when the request arrived and how long it was queued', async (t) => {
  const before = Date.now();
  const timing = JSON.parse((await get('/timing')).body.toString());
  const after = Date.now();
  t.true(timing.receivedAtMs >= before - 5 && timing.startedAtMs <= after + 5);
  t.true(timing.queuedMs >= 0 && timing.queuedMs <= after - before + 5);
  t.true(Math.abs(timing.startedAtMs - timing.receivedAtMs - timing.queuedMs) < 0.01);
});

test('a file is sent with its type, validators, ranges and conditions, and with fields of the application', async (t) => {
  const path = fileURLToPath(new URL('../../README.md', import.meta.url));
  const whole = await get(`/file?path=${encodeURIComponent(path)}`);
  t.deepEqual(whole.body, readFileSync(path));
  t.is(whole.headers['content-type'], 'text/markdown; charset=utf-8');
  t.is(whole.headers['x-own'], 'yes');
  const part = await get(`/file?path=${encodeURIComponent(path)}`, { range: 'bytes=2-7' });
  t.is(part.status, 206);
  t.deepEqual(part.body, readFileSync(path).subarray(2, 8));
  const since = { 'if-none-match': String(whole.headers.etag) };
  t.is((await get(`/file?path=${encodeURIComponent(path)}`, since)).status, 304);
});

test('a missing file is an error with a code, before anything is sent', async (t) => {
  const { status, body } = await get('/missing');
  t.deepEqual([status, body.toString()], [404, 'SLUICE_FILE_NOT_FOUND']);
});

test('over HTTP/2 frames are padded and a marked field is a never-indexed literal', async (t) => {
  const connection = await RawHttp2.connect(t, server.port);
  connection.send(headers(1, requestHead('GET', '/padded'), true));
  const done = ({ flags, streamId }: { flags: number; streamId: number }) =>
    streamId === 1 && (flags & Flag.EndStream) !== 0;
  await connection.until(done);
  const frames = connection.frames.filter(({ streamId }) => streamId === 1);
  t.deepEqual(
    frames.map(({ type, payload }) => [type, payload.length % 64]),
    [
      [FrameType.Headers, 0],
      [FrameType.Data, 0],
      [FrameType.Headers, 0],
    ],
  );
  // The pad length, `:status 200` from the static table, then the literal: 0001 and a new name.
  const [head] = frames;
  t.is(head.payload[1], 0x88);
  t.is(head.payload[2], 0x10);
});

test('over HTTP/1.1 the same response has plain fields and trailers', async (t) => {
  const answer = await requestHttp1(`${server.origin}/padded`);
  t.is(answer.headers['x-token'], 'secret');
  t.is(answer.body.toString(), '0123456789');
  t.is(answer.trailers['x-sum'], 'abc');
});

wholeOnly('an exchange that stays open pushes a thousand responses, one after the other', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const got = new Set<string>();
  session.on('stream', (stream) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    stream.on('end', () => got.add(text));
  });
  const { body } = await request(session, { ':path': '/pushes' });
  t.is(body.toString(), '1000');
  t.is(got.size, 1000);
});
