/**
 * Attackers of the engine alone that meet its default budgets or its limits, and the honest peers that behave
 * similarly.
 */
import test from 'ava';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import { FrameType } from '../../runtime/http2/frames.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import {
  continuation,
  data,
  frameHead,
  get,
  getFields,
  headers,
  ping,
  post,
  rstStream,
  windowUpdate,
} from '../http2/frames.ts';
import { Peer } from '../http2/peer.ts';

const three = { burst: 3, perSecond: 1 };

test('rapid reset at the default budget ends within 600 streams sent at once', (t) => {
  const peer = Peer.open();
  let id = 1;
  for (; peer.engine.failure === null && id < 4000; id += 2) peer.send(get(id), rstStream(id, 8));
  t.is(peer.engine.counters.abuse, 'peerResets');
  t.true(id < 1200);
});

test('a browser that cancels a page of 100 images, ten times within ten seconds, is not an attacker', (t) => {
  const peer = Peer.open();
  let id = 1;
  for (let page = 0; page < 10; page++) {
    const first = id;
    for (let n = 0; n < 100; n++, id += 2) peer.send(get(id));
    for (let n = 0; n < 100; n++) peer.send(rstStream(first + 2 * n, 8));
    peer.take();
    peer.nowMs += 1000;
  }
  t.is(peer.engine.failure, null);
  t.is(peer.engine.counters.resetsByPeer, 1000);
});

test('tinyWindowUpdateBytes: updates of at least that size are not counted', (t) => {
  const peer = Peer.open({ tinyWindowUpdateBytes: 20, budgets: { tinyWindowUpdates: three } });
  for (let n = 0; n < 100; n++) peer.send(windowUpdate(0, 20));
  t.is(peer.engine.failure, null);
  for (let n = 0; n < 4; n++) peer.send(windowUpdate(0, 19));
  t.is(peer.engine.counters.abuse, 'tinyWindowUpdates');
});

test('a client that acknowledges every small message with a small update is not an attacker', (t) => {
  const peer = Peer.open();
  peer.send(get(1));
  peer.engine.respond(peer.stream(1), 200, [], false);
  for (let n = 0; n < 5000; n++) {
    peer.engine.write(peer.stream(1), Buffer.alloc(13), 0, 13, false);
    peer.take();
    peer.send(windowUpdate(1, 13), windowUpdate(0, 13));
  }
  t.is(peer.engine.failure, null);
});

test('small responses cut into crumbs, one request after another: the credit earned by a request does not pay for them', (t) => {
  const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 0);
  let id = 1;
  for (; peer.engine.failure === null && id < 4_000; id += 2) {
    peer.send(get(id));
    peer.engine.respond(peer.stream(id), 200, [], false);
    peer.engine.write(peer.stream(id), Buffer.alloc(13), 0, 13, true);
    for (let n = 0; n < 13; n++) {
      peer.send(windowUpdate(id, 1));
      peer.take();
    }
  }
  t.is(peer.engine.counters.abuse, 'tinyWindowUpdates');
  t.true(id < 400, `${id}`);
});

test('a KiB at a time with twenty crumbs: the credit earned by a frame does not pay for them', (t) => {
  const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 0);
  peer.send(get(1), windowUpdate(0, 1 << 30));
  peer.engine.respond(peer.stream(1), 200, [], false);
  peer.engine.write(peer.stream(1), Buffer.alloc(10_000_000), 0, 10_000_000, true);
  let rounds = 0;
  for (; peer.engine.failure === null && rounds < 5_000; rounds++) {
    peer.send(windowUpdate(1, 1_024));
    peer.take();
    for (let n = 0; n < 20; n++) {
      peer.send(windowUpdate(1, 1));
      peer.take();
    }
  }
  t.is(peer.engine.counters.abuse, 'tinyWindowUpdates');
  t.true(rounds < 150, `${rounds}`);
});

test('rapid reset after honest requests: they earn one reset in eight, and at most a burst', (t) => {
  const peer = Peer.open();
  let id = 1;
  for (let n = 0; n < 20_000; n++, id += 2) {
    peer.send(get(id));
    peer.engine.respond(peer.stream(id), 204, [], true);
    peer.take();
  }
  const first = id;
  for (; peer.engine.failure === null && id < first + 10_000; id += 2) peer.send(get(id), rstStream(id, 8));
  t.is(peer.engine.counters.abuse, 'peerResets');
  t.is(peer.engine.counters.resetsByPeer, 1_013);
});

test('a gRPC client that sends a PING for every message it receives is not an attacker', (t) => {
  const peer = Peer.open();
  peer.send(get(1), windowUpdate(0, 1 << 30), windowUpdate(1, 1 << 30));
  peer.engine.respond(peer.stream(1), 200, [], false);
  for (let n = 0; n < 5000; n++) {
    peer.engine.write(peer.stream(1), Buffer.alloc(1000), 0, 1000, false);
    peer.take();
    peer.send(ping());
  }
  t.is(peer.engine.failure, null);
});

test('PINGs with canceled requests: one for each, plus what is left of the burst, and no more', (t) => {
  for (const each of [2, 10]) {
    const peer = Peer.open();
    let pings = 0;
    for (let id = 1; peer.engine.failure === null; id += 2) {
      peer.send(get(id), rstStream(id, 8));
      for (let n = 0; n < each && peer.engine.failure === null; n++, pings++) peer.send(ping());
    }
    t.is(peer.engine.counters.abuse, 'pings');
    const { requests } = peer.engine.counters;
    t.is(pings, requests + 128 + 1);
  }
});

test('maxContinuationFrames: a field block in endless CONTINUATIONs is cut off', (t) => {
  const peer = Peer.open({ maxContinuationFrames: 3 });
  peer.send(headers(1, getFields, { endHeaders: false }));
  for (let n = 0; n < 3; n++) peer.send(continuation(1, Buffer.alloc(0), false));
  t.is(peer.engine.failure, null);
  peer.send(continuation(1, Buffer.alloc(0), false));
  t.is(peer.engine.failure?.code, ErrorCode.EnhanceYourCalm);
  t.is(peer.engine.counters.abuse, 'continuation');
});

test('maxFieldBlockBytes: a field block that grows too large is refused at a frame’s header', (t) => {
  const peer = Peer.open({ maxFieldBlockBytes: 20_000 });
  peer.send(headers(1, ['a', 'b'.repeat(10_000)], { endHeaders: false }));
  peer.send(frameHead(FrameType.Continuation, 0, 1, 9000));
  t.is(peer.engine.failure, null);
  const second = Peer.open({ maxFieldBlockBytes: 20_000 });
  second.send(headers(1, ['a', 'b'.repeat(10_000)], { endHeaders: false }));
  second.send(frameHead(FrameType.Continuation, 0, 1, 11_000));
  t.is(second.engine.failure?.code, ErrorCode.EnhanceYourCalm);
  t.is(second.engine.counters.abuse, 'fieldBlock');
  const single = Peer.open({ maxFieldBlockBytes: 1000 });
  single.send(frameHead(FrameType.Headers, 4, 1, 1001));
  t.is(single.engine.counters.abuse, 'fieldBlock');
});

test('100,000 uploads reset half-way leak no stream, no buffer and no byte of the connection window', (t) => {
  const plenty = { burst: 1e9, perSecond: 0 };
  const peer = Peer.open({
    connectionWindowBytes: 65_535,
    budgets: { peerResets: plenty, provokedResets: plenty },
  });
  let sent = 0;
  let given = 0;
  const upload = data(1, Buffer.alloc(1000), false, 10);
  for (let id = 1; id < 200_000; id += 2) {
    upload.writeUInt32BE(id, 5);
    peer.send(post(id), upload);
    sent += upload.length - 9;
    // Streams end by the peer's reset, by the owner's, or by a violation of the peer; some content is
    // consumed.
    if (id % 3 === 0) peer.engine.consume(peer.stream(id), 500, peer.nowMs);
    if (id % 5 === 0) peer.engine.reset(peer.stream(id), 8);
    else if (id % 7 === 0) peer.send(windowUpdate(id, 0));
    else peer.send(rstStream(id, 8));
    for (const frame of peer.take()) {
      if (frame.type === FrameType.WindowUpdate && frame.id === 0) given += frame.payload.readUInt32BE(0);
    }
    peer.streams.clear();
    peer.content.clear();
    peer.lines.length = 0;
  }
  t.is(peer.engine.failure, null);
  t.is(peer.engine.streamCount, 0);
  t.is(peer.buffers.heldCount, 0);
  t.true(sent - given >= 0 && (sent - given) * 2 < 65_535);
});

test('an attack on one connection ends only that one', (t) => {
  const attacker = Peer.open({ budgets: { pings: three } });
  const other = Peer.open({ budgets: { pings: three } });
  for (let n = 0; n < 10; n++) attacker.send(ping());
  t.is(attacker.engine.state, 'closing');
  t.deepEqual(other.exchange(ping()), ['PING ack 12345678']);
});
