/**
 * The worst traffic of real clients and proxies, replayed against the engine with its default budgets: none
 * of it is abuse. The patterns are from traces and sources; docs/hardening.md names them. Attackers of the
 * same budgets are in test/attack/engine.test.ts.
 */
import test, { type ExecutionContext } from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import type { Http2Overrides } from '../../runtime/http2/options.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import { data, frame, get, ping, post, rstStream, uint32, windowUpdate } from './frames.ts';
import { Peer } from './peer.ts';

/** Opens the connection's window by as much as Go's client does. */
const CONNECTION_WINDOW = 2 ** 30;

/** A peer whose connection window is never the limit. */
function openPeer(overrides: Http2Overrides = {}, streamWindowBytes = 4_194_304): Peer {
  const peer = Peer.open(overrides, {}, SettingId.InitialWindowSize, streamWindowBytes);
  peer.send(windowUpdate(0, CONNECTION_WINDOW));
  return peer;
}

/** Answers with this many bytes, all of which leave at once. */
function answer(peer: Peer, id: number, bytes: number): void {
  peer.engine.respond(peer.stream(id), 200, [], bytes === 0);
  if (bytes > 0) peer.engine.write(peer.stream(id), Buffer.alloc(bytes), 0, bytes, true);
  while (peer.take().length > 0);
}

function isServed(t: ExecutionContext, peer: Peer): void {
  t.is(peer.engine.failure, null, `${peer.engine.counters.abuse}`);
}

for (const [downloads, bytes] of [
  [1, 20_000_000],
  [100, 1_000_000],
] as const) {
  test(`HAProxy: ${downloads} × ${bytes} bytes, every frame acknowledged in two pieces on stream and connection`, (t) => {
    const peer = openPeer({}, 65_535);
    const unacknowledged: { readonly id: number; readonly bytes: number }[] = [];
    // As recorded: the position of the frame in HAProxy's buffer decides where it is split.
    const cuts = [16_320, 57, 16_328, 63];
    // Each update comes alone, so a crumb may follow a frame, and is acknowledged as well.
    const read = (): void => {
      for (const { id, type, payload } of peer.take()) {
        if (type !== FrameType.Data) continue;
        const cut = payload.length > 16_330 ? (cuts[unacknowledged.length % 4] as number) : payload.length;
        for (const piece of [cut, payload.length - cut]) {
          if (piece > 0) unacknowledged.push({ id, bytes: piece });
        }
      }
    };
    for (let n = 0; n < downloads; n++) {
      peer.send(get(2 * n + 1));
      peer.engine.respond(peer.stream(2 * n + 1), 200, [], false);
      peer.engine.write(peer.stream(2 * n + 1), Buffer.alloc(bytes), 0, bytes, true);
    }
    read();
    for (let piece = unacknowledged.shift(); piece !== undefined; piece = unacknowledged.shift()) {
      peer.send(windowUpdate(piece.id, piece.bytes), windowUpdate(0, piece.bytes));
      read();
    }
    isServed(t, peer);
    t.is(peer.engine.streamCount, 0);
  });
}

test('Go: 3,000 responses of 100 kB, each acknowledged by ten updates after its end', (t) => {
  const peer = openPeer();
  let id = 1;
  for (let round = 0; round < 30; round++) {
    const first = id;
    for (let n = 0; n < 100; n++, id += 2) {
      peer.send(get(id));
      answer(peer, id, 100_000);
    }
    for (let late = first; late < id; late += 2) {
      for (let n = 0; n < 10; n++) peer.send(windowUpdate(late, 10_000));
    }
  }
  isServed(t, peer);
});

test('gRPC-core: 1,000 calls opened at once, then an update of 5 bytes for each and for the connection', (t) => {
  const peer = openPeer({ maxConcurrentStreams: 1_000 });
  for (let round = 0; round < 5; round++) {
    const first = 2_000 * round + 1;
    for (let n = 0; n < 1_000; n++) peer.send(post(first + 2 * n));
    for (let n = 0; n < 1_000; n++) peer.send(windowUpdate(first + 2 * n, 5), windowUpdate(0, 5));
    for (let n = 0; n < 1_000; n++) {
      peer.send(data(first + 2 * n, 'call', true));
      answer(peer, first + 2 * n, 18);
    }
  }
  isServed(t, peer);
});

test('Go: a PING with every second request, which it cancels, while the others are answered without content', (t) => {
  const peer = openPeer();
  for (let id = 1; id < 4_000; id += 4) {
    peer.send(get(id), rstStream(id, 8), ping());
    peer.send(get(id + 2));
    answer(peer, id + 2, 0);
    // 50 a second.
    peer.nowMs += 20;
  }
  isServed(t, peer);
});

test('an older Go: a PING with each request that it cancels, of which none is answered', (t) => {
  // A page of 400 at once, then as many as may be canceled in the long run.
  const peer = openPeer();
  let id = 1;
  for (let n = 0; n < 400; n++, id += 2) peer.send(get(id), rstStream(id, 8), ping());
  for (let n = 0; n < 20_000; n++, id += 2) {
    peer.nowMs += 10;
    peer.send(get(id), rstStream(id, 8), ping());
  }
  isServed(t, peer);
  t.is(peer.engine.counters.resetsByPeer, 20_400);
});

test('a client that sends a PING with each request to ask whether the server is there, while none is answered', (t) => {
  const peer = openPeer({ maxConcurrentStreams: 1_000 });
  for (let id = 1; id < 2_000; id += 2) peer.send(get(id), ping());
  isServed(t, peer);
});

test('a proxy whose clients give up one request in nine, 2,000 a second', (t) => {
  const peer = openPeer();
  for (let n = 0; n < 20_000; n++) {
    const id = 2 * n + 1;
    peer.send(get(id));
    if (n % 9 === 0) peer.send(rstStream(id, 8));
    else answer(peer, id, 13);
    if (n % 2 === 0) peer.nowMs += 1;
  }
  isServed(t, peer);
  t.true(peer.engine.counters.resetsByPeer > 2_000);
});

test('Chromium: a frame of an unknown type and a PRIORITY_UPDATE with each request', (t) => {
  const peer = openPeer();
  for (let id = 1; id < 10_000; id += 2) {
    const update = frame(0x10, 0, 0, Buffer.concat([uint32(id), Buffer.from('u=1')]));
    peer.send(get(id), frame(0xfa, 0, id), update);
    answer(peer, id, 13);
  }
  isServed(t, peer);
});

test('an upload in which every other DATA frame is empty', (t) => {
  const peer = openPeer();
  peer.send(post(1));
  for (let n = 0; n < 2_000; n++) {
    peer.send(data(1, 'x'), data(1, ''));
    peer.engine.consume(peer.stream(1), 1, peer.nowMs);
  }
  isServed(t, peer);
});

test('600 uploads that the server resets at once, with a whole window of content in flight on each', (t) => {
  const peer = openPeer({ maxConcurrentStreams: 600 });
  for (let n = 0; n < 600; n++) peer.send(post(2 * n + 1));
  for (let n = 0; n < 600; n++) peer.engine.reset(peer.stream(2 * n + 1), 8);
  peer.take();
  for (let n = 0; n < 600; n++) {
    for (let sent = 0; sent < 131_072; sent += 16_384) peer.send(data(2 * n + 1, Buffer.alloc(16_384)));
    peer.send(data(2 * n + 1, '', true));
    peer.take();
  }
  isServed(t, peer);
});

test('1,000 uploads sent before the client has seen how many are allowed at once', (t) => {
  const peer = openPeer({ maxConcurrentStreams: 100, closedStreamMemory: 1 });
  for (let n = 0; n < 1_000; n++) peer.send(post(2 * n + 1));
  for (let n = 0; n < 1_000; n++) {
    for (let sent = 0; sent < 65_536; sent += 16_384) {
      const bytes = Math.min(16_384, 65_535 - sent);
      peer.send(data(2 * n + 1, Buffer.alloc(bytes)));
      if (n < 100) peer.engine.consume(peer.stream(2 * n + 1), bytes, peer.nowMs);
    }
    peer.take();
  }
  isServed(t, peer);
  t.is(peer.engine.counters.refused, 900);
});

test('a proxy with 100 slow clients, each of which takes 16 kB every ten seconds', (t) => {
  const peer = openPeer({}, 65_535);
  for (let n = 0; n < 100; n++) {
    peer.send(get(2 * n + 1));
    peer.engine.respond(peer.stream(2 * n + 1), 200, [], false);
    peer.engine.write(peer.stream(2 * n + 1), Buffer.alloc(10_000_000), 0, 10_000_000, true);
  }
  while (peer.take().length > 0);
  for (let second = 0; second < 3_600; second++) {
    peer.nowMs += 1000;
    for (let n = second % 10; n < 100; n += 10) peer.send(windowUpdate(2 * n + 1, 16_384));
    while (peer.take().length > 0);
    peer.engine.tick(peer.nowMs);
  }
  isServed(t, peer);
});
