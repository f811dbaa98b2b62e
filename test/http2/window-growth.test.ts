import test from 'ava';
import fc from 'fast-check';
import type { Http2Overrides } from '../../runtime/http2/options.ts';
import { data, ping, post, preface, settings, settingsAck } from './frames.ts';
import { Peer } from './peer.ts';

/** At most two streams, so 80,000 bytes of the connection's window can be lent. */
const options: Http2Overrides = {
  maxConcurrentStreams: 2,
  streamWindowBytes: 10_000,
  maxStreamWindowBytes: 80_000,
  connectionWindowBytes: 100_000,
};
const zeros = Buffer.alloc(16_384);
const measuring = 'sluice\0\x01';

/** A peer whose acknowledgement of SETTINGS took this long. */
function openPeer(roundTripMs: number, overrides: Http2Overrides = {}): Peer {
  const peer = new Peer({ ...options, ...overrides });
  peer.send(preface, settings());
  peer.nowMs += roundTripMs;
  peer.send(settingsAck);
  peer.take();
  return peer;
}

/** Content of this size arrives and is consumed after this time. @returns the stream's WINDOW_UPDATEs. */
function upload(peer: Peer, id: number, bytes: number, afterMs: number): number[] {
  for (let at = 0; at < bytes; at += 16_384) {
    peer.send(data(id, zeros.subarray(0, Math.min(16_384, bytes - at))));
  }
  peer.nowMs += afterMs;
  peer.engine.consume(peer.stream(id), bytes, peer.nowMs);
  const prefix = `WINDOW_UPDATE ${id} `;
  return peer
    .output()
    .filter((line) => line.startsWith(prefix))
    .map((line) => Number(line.slice(prefix.length)));
}

const sizeOf = (peer: Peer, id: number): number => peer.stream(id).receiveWindow?.sizeBytes ?? 0;

test('maxStreamWindowBytes: a window doubles with every half that is consumed within two round trips, up to its limit', (t) => {
  const peer = openPeer(100);
  peer.send(post(1));
  t.deepEqual(upload(peer, 1, 5_000, 100), [5_000], 'the first half shows no pace');
  t.deepEqual(upload(peer, 1, 5_000, 100), [15_000]);
  t.deepEqual(upload(peer, 1, 10_000, 200), [30_000]);
  t.deepEqual(upload(peer, 1, 20_000, 200), [60_000]);
  t.is(sizeOf(peer, 1), 80_000);
  t.deepEqual(upload(peer, 1, 40_000, 1), [40_000], 'the limit');
  t.is(peer.stream(1).receiveWindow?.available, 80_000);
  // All of it may be used at once.
  for (let i = 0; i < 8; i++) peer.send(data(1, zeros.subarray(0, 10_000)));
  t.is(peer.engine.failure, null);
  t.deepEqual(peer.exchange(data(1, 'x'))[0], 'RST_STREAM 1 3');
});

test('the window of an application that is slower than the network does not grow', (t) => {
  const peer = openPeer(100);
  peer.send(post(1));
  for (let i = 0; i < 10; i++) t.deepEqual(upload(peer, 1, 5_000, 205), [5_000]);
  t.is(sizeOf(peer, 1), 10_000);
});

test('over a short way the window allows for the time that a thread takes, and no more', (t) => {
  const quick = openPeer(0);
  quick.send(post(1));
  for (let i = 0; i < 2; i++) upload(quick, 1, 5_000, 4);
  t.is(sizeOf(quick, 1), 20_000);
  const slow = openPeer(0);
  slow.send(post(1));
  for (let i = 0; i < 10; i++) upload(slow, 1, 5_000, 5);
  t.is(sizeOf(slow, 1), 10_000);
});

test('a window does not grow while nothing is consumed, however long its peer waits', (t) => {
  const peer = openPeer(100);
  peer.send(post(1), data(1, zeros.subarray(0, 10_000)));
  for (let i = 0; i < 100; i++) {
    peer.nowMs += 1000;
    peer.engine.tick(peer.nowMs);
  }
  t.deepEqual(peer.output(), []);
  t.is(sizeOf(peer, 1), 10_000);
});

test('a grown window stops growing once its application is slow', (t) => {
  const peer = openPeer(100);
  peer.send(post(1));
  for (let i = 0; i < 2; i++) upload(peer, 1, 5_000, 100);
  t.is(sizeOf(peer, 1), 20_000);
  for (let i = 0; i < 5; i++) upload(peer, 1, 10_000, 1000);
  t.is(sizeOf(peer, 1), 20_000);
});

test('before the round trip is known nothing grows', (t) => {
  const peer = new Peer(options);
  peer.send(preface, settings(), post(1));
  peer.take();
  for (let i = 0; i < 4; i++) upload(peer, 1, 40_000, 1);
  t.is(peer.stream(1).receiveWindow?.sizeBytes, 65_535);
});

test('one PING improves the estimate of the round trip, and its answer counts for no other PING', (t) => {
  // The peer was slow to acknowledge SETTINGS, which alone would make a slow application look fast.
  const peer = openPeer(5000);
  peer.send(post(1));
  peer.engine.ping();
  upload(peer, 1, 5_000, 1);
  peer.take();
  peer.send(data(1, zeros.subarray(0, 5_000)));
  peer.engine.consume(peer.stream(1), 5_000, peer.nowMs);
  t.deepEqual(peer.output(), ['PING sluice\0\x01', 'WINDOW_UPDATE 1 15000']);
  t.is(peer.engine.unansweredPings, 1, 'the owner’s');
  peer.nowMs += 10;
  peer.send(ping(measuring, true));
  t.is(peer.engine.unansweredPings, 1);
  for (let i = 0; i < 5; i++) upload(peer, 1, 10_000, 25);
  t.is(sizeOf(peer, 1), 20_000);
  upload(peer, 1, 10_000, 24);
  t.is(sizeOf(peer, 1), 40_000);
  t.false(peer.output().includes('PING sluice\0\x01'), 'once a connection');
});

test('windows grow by what the connection’s window leaves beside every stream’s initial one, which comes back when a stream closes', (t) => {
  const peer = openPeer(100);
  peer.send(post(1));
  for (let i = 0; i < 8; i++) upload(peer, 1, sizeOf(peer, 1) / 2 || 5_000, 1);
  t.is(sizeOf(peer, 1), 80_000);
  peer.send(post(3));
  for (let i = 0; i < 8; i++) upload(peer, 3, sizeOf(peer, 3) / 2 || 5_000, 1);
  t.is(sizeOf(peer, 3), 20_000, '100,000 less 80,000');
  peer.engine.reset(peer.stream(1), 8);
  for (let i = 0; i < 8; i++) upload(peer, 3, sizeOf(peer, 3) / 2, 1);
  t.is(sizeOf(peer, 3), 80_000);
});

test('connectionWindowBytes: if the streams’ initial windows take all of it, none grows', (t) => {
  const peer = openPeer(100, { maxConcurrentStreams: 10 });
  peer.send(post(1));
  for (let i = 0; i < 8; i++) upload(peer, 1, 5_000, 1);
  t.is(sizeOf(peer, 1), 10_000);
});

test('however windows grow and streams come and go, all of them together fit into the connection’s window', (t) => {
  const step = fc.record({
    slot: fc.integer({ min: 0, max: 1 }),
    act: fc.constantFrom('upload', 'upload', 'upload', 'close'),
    afterMs: fc.integer({ min: 0, max: 400 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const peer = openPeer(100);
      const ids = [1, 3];
      let next = 5;
      peer.send(post(1), post(3));
      for (const { slot, act, afterMs } of steps) {
        const id = ids[slot];
        if (act === 'upload') {
          upload(peer, id, (sizeOf(peer, id) || 10_000) / 2, afterMs);
        } else {
          peer.engine.reset(peer.stream(id), 8);
          ids[slot] = next;
          peer.send(post(next));
          next += 2;
        }
        const sizes = ids.map((open) => Math.max(10_000, sizeOf(peer, open)));
        t.true(sizes[0] + sizes[1] <= 100_000);
      }
      t.is(peer.engine.failure, null);
    }),
    { numRuns: 200 },
  );
});

test('unread content of other streams does not delay updates of the connection’s window', (t) => {
  const peer = Peer.open({
    maxConcurrentStreams: 10,
    streamWindowBytes: 10_000,
    connectionWindowBytes: 100_000,
  });
  for (let id = 1; id <= 13; id += 2) peer.send(post(id), data(id, zeros.subarray(0, 10_000)));
  peer.send(post(15));
  // 70,000 bytes are unread: the remaining 30,000 serve the eighth stream indefinitely.
  for (let i = 0; i < 20; i++) {
    peer.send(data(15, zeros.subarray(0, 5_000)));
    t.is(peer.engine.failure, null);
    peer.engine.consume(peer.stream(15), 5_000, peer.nowMs);
  }
});
