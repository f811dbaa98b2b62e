/**
 * Clients that cannot be had everywhere, replayed frame by frame against a live server: each does what the real one was
 * recorded to do, or what its sources say, and gets all that it asked for. docs/hardening.md says who does what.
 */
import test from 'ava';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { wholeOnly } from '../runner/whole-only.ts';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';
import {
  data,
  errorCode,
  type Frame,
  headers,
  ping,
  RawHttp2,
  requestHead,
  rstStream,
  windowUpdate,
} from '../server/raw-http2.ts';

const CALLS = 1_000;
const INITIAL_WINDOW_SIZE = 0x4;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const threads = { min: 1, max: 1 };
  server = await startServer(scope, {
    pools: {
      messages: { application: application('server', 'messages'), threads, exchangesPerThread: CALLS },
      failing: { application: application('server', 'failing'), threads, exchangesPerThread: CALLS },
    },
    http2: { maxConcurrentStreams: CALLS, streamWindowBytes: 65_535, connectionWindowBytes: 2 ** 27 },
  });
});
test.after.always(() => scope.end());

/** Tells of each frame that ends a stream; rejects when the connection ends first. */
function ends(client: RawHttp2, count: number, onEnd: (frame: Frame) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let left = count;
  client.onFrame = (frame) => {
    if (frame.type === FrameType.Goaway) {
      reject(new Error(`GOAWAY ${errorCode(frame)}: ${frame.payload.subarray(8)}`));
    }
    const isMessage = frame.type === FrameType.Data || frame.type === FrameType.Headers;
    const isEnd = isMessage && (frame.flags & Flag.EndStream) !== 0;
    if (!isEnd && frame.type !== FrameType.RstStream) return;
    onEnd(frame);
    if (--left === 0) resolve();
  };
  void client.closed.then(() => reject(new Error('the connection has ended')));
  return promise;
}

test('gRPC-core: 1,000 calls at once, an update of 5 bytes for each stream and the connection', async (t) => {
  const client = await RawHttp2.connect(t, server.port, { keep: false });
  const ids = Array.from({ length: CALLS }, (_, n) => 2 * n + 1);
  const answered = new Set<number>();
  const all = ends(client, CALLS, ({ type, streamId }) => {
    if (type !== FrameType.RstStream) answered.add(streamId);
  });
  client.send(...ids.map((id) => headers(id, requestHead('POST', '/echo', { te: 'trailers' }), false)));
  client.send(...ids.flatMap((id) => [windowUpdate(id, 5), windowUpdate(0, 5)]));
  client.send(...ids.map((id) => data(id, 'a message of a call', true)));
  await all;
  t.is(answered.size, CALLS);
});

wholeOnly(
  'Go: 3,000 responses of 100 kB, 100 at a time, each acknowledged in ten updates after its end',
  async (t) => {
    const client = await RawHttp2.connect(t, server.port, {
      keep: false,
      settings: { [INITIAL_WINDOW_SIZE]: 4_194_304 },
    });
    client.send(windowUpdate(0, 2 ** 30));
    let next = 1;
    const ask = (): void => {
      client.send(headers(next, requestHead('GET', '/bytes?count=100000'), true));
      next += 2;
    };
    let whole = 0;
    const all = ends(client, 3_000, ({ type, streamId }) => {
      if (type !== FrameType.RstStream) whole++;
      client.send(...Array.from({ length: 10 }, () => windowUpdate(streamId, 10_000)));
      if (next < 6_000) ask();
    });
    for (let n = 0; n < 100; n++) ask();
    await all;
    t.is(whole, 3_000);
    t.is(client.dataBytes, 300_000_000);
  },
);

test('600 uploads that an application resets, each with its content under way, cost the connection nothing', async (t) => {
  const client = await RawHttp2.connect(t, server.port, { keep: false });
  const ids = Array.from({ length: 600 }, (_, n) => 2 * n + 1);
  const all = ends(client, ids.length, ({ type, streamId }) => {
    t.is(type, FrameType.RstStream);
    // The client had sent it when the reset came.
    client.send(...Array.from({ length: 4 }, () => data(streamId, Buffer.alloc(16_000))));
  });
  client.send(...ids.map((id) => headers(id, requestHead('POST', '/failing/resets?code=8'), false)));
  await all;
  const last = ends(client, 1, () => undefined);
  client.send(headers(1_201, requestHead('GET', '/hello'), true));
  await t.notThrowsAsync(last);
});

test('400 requests that nobody has read yet, each canceled with a PING, cost the connection nothing', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  const ids = Array.from({ length: 400 }, (_, n) => 2 * n + 1);
  const cancel = (id: number): Buffer[] => [
    headers(id, requestHead('POST', '/echo'), false),
    rstStream(id, 8),
    ping(`cancel${String(id).padStart(2, '0').slice(-2)}`),
  ];
  client.send(...ids.flatMap(cancel));
  const last = ends(client, 1, () => undefined);
  client.send(headers(801, requestHead('GET', '/hello'), true));
  await t.notThrowsAsync(last);
  t.false(client.frames.some(({ type }) => type === FrameType.Goaway));
});
