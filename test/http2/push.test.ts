import test from 'ava';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import { FrameType } from '../../runtime/http2/frames.ts';
import type { Http2Overrides } from '../../runtime/http2/options.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import type { Http2Stream } from '../../runtime/http2/stream.ts';
import {
  data,
  frame,
  get,
  goaway,
  headers,
  post,
  priority,
  rstStream,
  settings,
  windowUpdate,
} from './frames.ts';
import { Peer } from './peer.ts';

const bytes = Buffer.alloc(100_000, 0x61);

function push(peer: Peer, parentId = 1, path = '/style.css'): Http2Stream | null {
  return peer.engine.push(peer.stream(parentId), 'GET', path, ['accept', 'text/css']);
}

/** A peer with an open request on stream 1 and, unless told otherwise, one promise: stream 2. */
function promising(
  overrides: Http2Overrides = {},
  ...entries: number[]
): { peer: Peer; pushed: Http2Stream | null } {
  const peer = Peer.open(overrides, {}, ...entries);
  peer.send(get(1));
  return { peer, pushed: push(peer) };
}

test('RFC 9113 section 8.4.1: a promise contains the complete request, on the stream that it belongs to', (t) => {
  const { peer, pushed } = promising();
  t.deepEqual(peer.output(), [
    'PUSH_PROMISE 1 2 :method GET :scheme http :authority example.test :path /style.css accept text/css',
  ]);
  t.deepEqual(
    [pushed?.id, pushed?.method, pushed?.authority, pushed?.path],
    [2, 'GET', 'example.test', '/style.css'],
  );
  t.is(peer.engine.streamCount, 2);
});

test('RFC 9113 section 8.4.2: a pushed response has its own stream, window and end, and may outlive its parent', (t) => {
  const { peer, pushed } = promising({}, SettingId.InitialWindowSize, 10);
  if (pushed === null) return t.fail();
  peer.engine.respond(peer.stream(1), 200, [], true);
  t.is(peer.lines.at(-1), 'close 1 complete 0');
  peer.engine.inform(pushed, 103, []);
  peer.engine.respond(pushed, 200, ['content-type', 'text/css'], false);
  peer.engine.write(pushed, bytes, 0, 30, false);
  t.deepEqual(peer.output().slice(1), [
    'HEADERS 1 end :status 200',
    'HEADERS 2 :status 103',
    'HEADERS 2 :status 200 content-type text/css',
    'DATA 2 10',
  ]);
  t.deepEqual(peer.exchange(windowUpdate(2, 20)), ['DATA 2 20']);
  peer.engine.trailers(pushed, ['a', 'b']);
  t.deepEqual(peer.output(), ['HEADERS 2 end a b']);
  t.is(peer.lines.at(-1), 'close 2 complete 0');
  t.is(peer.engine.streamCount, 0);
});

test('several promises are answered side by side, and each can be reset by itself', (t) => {
  const peer = Peer.open();
  peer.send(post(1));
  const [first, second, third] = ['/a', '/b', '/c'].map((path) => push(peer, 1, path) as Http2Stream);
  t.deepEqual([first.id, second.id, third.id], [2, 4, 6]);
  peer.take();
  for (const each of [third, second, first]) peer.engine.respond(each, 200, [], false);
  peer.engine.write(first, bytes, 0, 5, true);
  peer.engine.reset(second, ErrorCode.Cancel);
  peer.send(rstStream(6, ErrorCode.Cancel));
  t.deepEqual(peer.lines.slice(1), ['close 2 complete 0', 'close 4 owner 8', 'close 6 peer 8']);
  t.deepEqual(peer.output().slice(3), ['DATA 2 5 end', 'RST_STREAM 4 8']);
});

test('a promised response may consist of a head', (t) => {
  const { peer, pushed } = promising();
  peer.engine.respond(pushed as Http2Stream, 204, [], true);
  t.deepEqual(peer.output().slice(1), ['HEADERS 2 end :status 204']);
  t.is(peer.lines.at(-1), 'close 2 complete 0');
  const head = peer.engine.push(peer.stream(1), 'HEAD', '/x', []) as Http2Stream;
  peer.engine.respond(head, 200, ['content-length', '5'], false);
  peer.engine.write(head, bytes, 0, 5, true);
  t.deepEqual(peer.output().slice(-1), ['DATA 4 0 end'], 'no content for HEAD');
});

test('RFC 9113 section 6.6: a long promise goes out in CONTINUATIONs', (t) => {
  const peer = Peer.open();
  peer.send(get(1));
  const long = '\xfe'.repeat(20_000);
  peer.engine.push(peer.stream(1), 'GET', '/', ['a', long]);
  const [first, second] = peer.take();
  t.deepEqual([first.type, first.flags, first.payload.length], [FrameType.PushPromise, 0, 16_384]);
  t.deepEqual([second.type, second.flags, second.id], [FrameType.Continuation, 4, 1]);
  t.is(first.payload.readUInt32BE(0), 2);
  const fields = peer.fields(Buffer.concat([first.payload.subarray(4), second.payload]));
  t.deepEqual(fields.slice(-2), ['a', long]);
});

test('RFC 9113 section 6.5.2: nothing is promised to a peer that set SETTINGS_ENABLE_PUSH to 0, until it sets it to 1', (t) => {
  const { peer, pushed } = promising({}, SettingId.EnablePush, 0);
  t.is(pushed, null);
  t.false(peer.engine.canPush);
  t.deepEqual(peer.output(), []);
  peer.send(settings(SettingId.EnablePush, 1));
  t.true(peer.engine.canPush);
  t.is(push(peer)?.id, 2);
});

test('RFC 9113 section 5.1.2: no more is promised at once than SETTINGS_MAX_CONCURRENT_STREAMS of the peer', (t) => {
  const { peer, pushed } = promising({}, SettingId.MaxConcurrentStreams, 1);
  t.is(push(peer), null);
  peer.engine.respond(pushed as Http2Stream, 200, [], true);
  t.is(push(peer)?.id, 4);
  const none = promising({}, SettingId.MaxConcurrentStreams, 0);
  t.is(none.pushed, null);
  t.false(none.peer.engine.canPush);
});

test('maxConcurrentPushes: the server’s own limit applies if the peer has none', (t) => {
  const { peer } = promising({ maxConcurrentPushes: 2 });
  t.is(push(peer)?.id, 4);
  t.is(push(peer), null);
  t.is(promising({ maxConcurrentPushes: 0 }).pushed, null);
});

test('pushed streams do not count towards the limit of the peer’s own', (t) => {
  const peer = Peer.open({ maxConcurrentStreams: 1 });
  peer.send(get(1));
  push(peer);
  peer.engine.respond(peer.stream(1), 200, [], true);
  peer.send(get(3));
  t.is(peer.lines.at(-1), 'request 3 GET / end');
});

test('RFC 9113 section 8.4.1: a promise is made while the server’s side of a peer’s stream is open', (t) => {
  const peer = Peer.open({ enableConnectProtocol: true });
  peer.send(
    post(1),
    get(3),
    headers(5, [':method', 'CONNECT', ':authority', 'example.test']),
    headers(7, [':method', 'GET', ':scheme', 'http', ':path', '/'], { endStream: true }),
  );
  peer.engine.respond(peer.stream(1), 200, [], true);
  t.is(push(peer, 1), null, 'half-closed (local)');
  t.is(push(peer, 5), null, 'a tunnel');
  t.is(push(peer, 7), null, 'a request without an authority');
  const pushed = push(peer, 3);
  t.is(pushed?.id, 2);
  t.is(peer.engine.push(pushed as Http2Stream, 'GET', '/', []), null, 'a stream of ours');
  peer.engine.reset(peer.stream(3), 8);
  t.is(push(peer, 3), null, 'closed');
});

test('RFC 9113 section 8.4: only safe and cacheable methods are promised', (t) => {
  const { peer } = promising();
  const error = t.throws(() => peer.engine.push(peer.stream(1), 'POST', '/', []));
  t.is((error as { code?: string }).code, 'SLUICE_HTTP2_MISUSE');
});

test('RFC 9113 section 6.8: after GOAWAY of either side nothing is promised', (t) => {
  const ours = promising();
  ours.peer.engine.goaway(ErrorCode.NoError, true);
  t.is(push(ours.peer), null);
  t.is(ours.peer.engine.state, 'draining');
  // Promises that were sent are kept.
  ours.peer.engine.goaway(ErrorCode.NoError, false);
  ours.peer.engine.respond(ours.peer.stream(1), 200, [], true);
  t.is(ours.peer.engine.state, 'draining');
  ours.peer.engine.respond(ours.pushed as Http2Stream, 200, [], true);
  t.is(ours.peer.engine.state, 'closing');
});

test('RFC 9113 section 6.8: promises above the last stream id of the peer’s GOAWAY end, and the others continue', (t) => {
  const { peer } = promising();
  push(peer);
  peer.send(goaway(2, ErrorCode.NoError));
  t.deepEqual(peer.lines.slice(1), ['close 4 peer 7', 'goaway 2 0']);
  t.is(push(peer), null);
  t.is(peer.engine.streamCount, 2);
});

for (const [rule, code, ...sent] of [
  ['5.1: DATA on a reserved stream', ErrorCode.ProtocolError, data(2, 'x')],
  ['5.1: HEADERS on a reserved stream', ErrorCode.ProtocolError, headers(2, ['a', 'b'])],
  ['5.1: RST_STREAM on a stream that was not promised', ErrorCode.ProtocolError, rstStream(4, 8)],
  ['5.1: WINDOW_UPDATE on a stream that was not promised', ErrorCode.ProtocolError, windowUpdate(4, 8)],
  [
    '8.4: PUSH_PROMISE from a client on a stream of ours',
    ErrorCode.ProtocolError,
    frame(FrameType.PushPromise, 4, 2, Buffer.alloc(4)),
  ],
] as const) {
  test(`RFC 9113 section ${rule} is a connection error PROTOCOL_ERROR`, (t) => {
    const { peer } = promising();
    peer.send(...sent);
    t.is(peer.engine.failure?.code, code);
  });
}

test('RFC 9113 section 5.1: on a reserved stream WINDOW_UPDATE, PRIORITY and RST_STREAM are accepted', (t) => {
  const { peer, pushed } = promising({}, SettingId.InitialWindowSize, 0);
  peer.take();
  t.deepEqual(peer.exchange(windowUpdate(2, 7), priority(2, 0)), []);
  peer.engine.respond(pushed as Http2Stream, 200, [], false);
  peer.engine.write(pushed as Http2Stream, bytes, 0, 9, false);
  t.deepEqual(peer.output(), ['HEADERS 2 :status 200', 'DATA 2 7']);
  push(peer);
  peer.take();
  t.deepEqual(peer.exchange(rstStream(4, 8), rstStream(4, 8), windowUpdate(4, 1)), []);
  t.is(peer.lines.at(-1), 'close 4 peer 8');
});

test('RFC 9113 section 5.1: DATA on a pushed stream whose response has begun is a stream error STREAM_CLOSED', (t) => {
  const { peer, pushed } = promising();
  peer.engine.respond(pushed as Http2Stream, 200, [], false);
  peer.take();
  t.deepEqual(peer.exchange(data(2, 'x')), ['RST_STREAM 2 5']);
});

test('a peer that cancels a promise spends no budget for resets', (t) => {
  const peer = Peer.open({ budgets: { peerResets: { burst: 1, perSecond: 0 } } });
  peer.send(get(1));
  for (let id = 2; id <= 100; id += 2) {
    push(peer);
    peer.send(rstStream(id, 8));
  }
  t.is(peer.engine.failure, null);
});
