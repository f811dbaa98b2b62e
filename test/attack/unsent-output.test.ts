/** Peers that do not read, against the engine alone: what waits, what is left out, and what ends the connection. */
import test from 'ava';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import { get, ping } from '../http2/frames.ts';
import { Peer } from '../http2/peer.ts';

test('maxUnsentBytes: a peer that sends requests and never reads is cut off for its unsent answers, and holds only full buffers', (t) => {
  const unlimited = { burst: 1e9, perSecond: 0 };
  const peer = Peer.open({
    maxUnsentBytes: 50_000,
    outputLimitBytes: 20_000,
    budgets: { pings: unlimited, refusedStreams: unlimited },
  });
  let id = 1;
  peer.engine.takeOutput();
  while (peer.engine.failure === null && id < 20_000) {
    peer.send(get(id), ping());
    if (peer.engine.failure !== null) break;
    // Its responses wait, and once they are as many as its allowed streams, its requests are refused.
    if (peer.streams.has(id)) peer.engine.respond(peer.stream(id), 200, ['x-answer', 'y'.repeat(50)], true);
    const chunk = peer.engine.takeOutput();
    if (chunk !== null && peer.engine.unsentBytes > 100) t.true(chunk.length < 200 || chunk.length > 65_000);
    id += 2;
  }
  t.is(peer.engine.counters.abuse, 'unsentOutput');
  t.is(peer.engine.failure?.code, ErrorCode.EnhanceYourCalm);
  t.true(peer.engine.unsentBytes < 51_000);
  t.true(peer.buffers.heldCount <= 2);
});

test('endless interim responses are left out for a peer that does not read, which gets the final response', (t) => {
  const peer = Peer.open({ maxUnsentBytes: 50_000, outputLimitBytes: 20_000 });
  peer.send(get(1));
  for (let informed = 0; informed < 10_000; informed++) {
    peer.engine.inform(peer.stream(1), 103, ['link', `${informed}${'y'.repeat(500)}`]);
    peer.engine.endTurn(peer.nowMs);
    if (peer.engine.unsentBytes > 50_000) throw new Error('the output overflows');
  }
  peer.engine.respond(peer.stream(1), 200, [], true);
  t.is(peer.output().at(-1), 'HEADERS 1 end :status 200');
  t.is(peer.engine.failure, null);
});

test('an endlessly repeated 100 is sent once to a peer that neither reads nor sends, which gets the final response', (t) => {
  const peer = Peer.open({ maxUnsentBytes: 50_000, outputLimitBytes: 20_000 });
  peer.send(get(1));
  for (let informed = 0; informed < 10_000; informed++) {
    peer.engine.inform(peer.stream(1), 100, []);
    peer.engine.endTurn(peer.nowMs);
  }
  peer.engine.respond(peer.stream(1), 200, [], true);
  t.deepEqual(peer.output().slice(-2), ['HEADERS 1 :status 100', 'HEADERS 1 end :status 200']);
  t.is(peer.engine.failure, null);
});

test('maxUnsentBytes: 100 on each stream of a peer that neither reads nor sends ends its connection', (t) => {
  const peer = Peer.open({ maxUnsentBytes: 50_000, outputLimitBytes: 20_000 });
  const ids = Array.from({ length: 128 }, (_, n) => 2 * n + 1);
  peer.send(...ids.map((id) => get(id)));
  for (const id of ids) {
    if (peer.engine.failure !== null) break;
    peer.engine.inform(peer.stream(id), 100, ['x', `${id}${'~'.repeat(500)}`]);
    peer.engine.endTurn(peer.nowMs);
    // The first part goes to a socket that takes nothing.
    peer.engine.takeOutput();
  }
  t.is(peer.engine.counters.abuse, 'unsentOutput');
  t.true(peer.engine.unsentBytes < 51_000);
  t.is(peer.lines.at(-1), 'close 255 engine 11');
});

test('maxUnsentBytes: a turn that produces more is not held against a peer that reads it', (t) => {
  const peer = Peer.open({ maxUnsentBytes: 50_000, outputLimitBytes: 20_000 });
  for (let id = 1; id < 200; id += 2) peer.send(get(id));
  for (let id = 1; id < 200; id += 2) {
    peer.engine.respond(peer.stream(id), 200, ['set-cookie', `${id}${'~'.repeat(1_000)}`], true);
  }
  t.true(peer.engine.streamCount > 50, 'what there is no room for waits');
  peer.engine.endTurn(peer.nowMs);
  t.is(peer.take().length, 100);
  t.is(peer.engine.streamCount, 0);
  t.is(peer.engine.failure, null);
});

test('maxUnsentBytes: PINGs of a peer that does not read count against it, however much output waits', (t) => {
  const peer = Peer.open({
    maxUnsentBytes: 50_000,
    outputLimitBytes: 20_000,
    budgets: { pings: { burst: 1e9, perSecond: 0 } },
  });
  for (let id = 1; id < 200; id += 2) peer.send(get(id));
  for (let id = 1; id < 200; id += 2) {
    peer.engine.respond(peer.stream(id), 200, ['set-cookie', `${id}${'~'.repeat(1_000)}`], true);
  }
  peer.engine.takeOutput();
  const before = peer.engine.unsentBytes;
  let pings = 0;
  for (; peer.engine.failure === null && pings < 10_000; pings++) peer.send(ping());
  t.is(peer.engine.counters.abuse, 'unsentOutput');
  t.true(before < 44_000 && pings > 300, `${before} bytes leave room for ${pings} answers`);
  t.true(peer.engine.unsentBytes < 51_000);
});
