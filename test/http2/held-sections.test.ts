/**
 * Heads, trailers, interim responses and promises for a peer that does not read: which of them wait, which
 * are left out, and what they cost the peer.
 */
import test from 'ava';
import { SettingId } from '../../runtime/http2/settings.ts';
import { get, goaway, headers, rstStream, settings, windowUpdate } from './frames.ts';
import { type Handlers, Peer } from './peer.ts';

/** Sections wait from 400,000 bytes on. */
const LIMITS = { outputLimitBytes: 200_000, maxUnsentBytes: 600_000 };
/** HPACK does not shorten it, since its Huffman code needs 13 bits for each character. */
const LONG = '~'.repeat(12_000);
const BYTES = Buffer.alloc(100_000, 0x61);

/** Its windows are never the limit, and its socket takes nothing more. */
function deaf(handlers: Handlers = {}, ...entries: number[]): Peer {
  const peer = Peer.open(LIMITS, handlers, SettingId.InitialWindowSize, 0x7fff_ffff, ...entries);
  peer.send(windowUpdate(0, 0x7fff_ffff - 65_535));
  return peer;
}

/** Sends heads on other streams until the next one would wait. @returns the next stream's id */
function fill(peer: Peer, from = 101): number {
  let id = from;
  for (; peer.engine.unsentBytes < 400_000; id += 2) {
    peer.send(get(id));
    peer.engine.respond(peer.stream(id), 200, ['x', `${id}${LONG}`], true);
  }
  return id;
}

/** Long fields are left out. */
function short(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/ x \d*~+/, ''));
}

const of = (lines: readonly string[], id: number): string[] =>
  lines.filter((line) => line.split(' ')[1] === `${id}`);

test('beyond the limit heads wait, cost the peer nothing, and leave in order when it reads', (t) => {
  const peer = deaf();
  for (let id = 1; id < 256; id += 2) {
    peer.send(get(id));
    peer.engine.respond(peer.stream(id), 200, ['x', `${id}${LONG}`], true);
    peer.engine.endTurn(peer.nowMs);
  }
  t.is(peer.engine.failure, null);
  t.true(
    peer.engine.unsentBytes >= 400_000 && peer.engine.unsentBytes < 420_000,
    `${peer.engine.unsentBytes}`,
  );
  t.true(peer.engine.hasOutput);
  const lines = short(peer.output());
  t.deepEqual(
    lines,
    Array.from({ length: 128 }, (_, n) => `HEADERS ${2 * n + 1} end :status 200`),
  );
  t.is(peer.engine.streamCount, 0);
  t.is(peer.engine.unsentBytes, 0);
  t.is(peer.buffers.heldCount, 0);
});

test('fields that are added to a head leave with it, whether it waits or not', (t) => {
  const peer = deaf();
  peer.send(get(1), get(3));
  const { engine } = peer;
  const fields = Object.freeze(['a', 'b']);
  engine.respond(peer.stream(1), 200, fields, true, ['x-request-id', 'one']);
  fill(peer);
  engine.respond(peer.stream(3), 200, fields, true, ['x-request-id', 'three']);
  const lines = peer.output();
  t.deepEqual(of(lines, 1), ['HEADERS 1 end :status 200 a b x-request-id one']);
  t.deepEqual(of(lines, 3), ['HEADERS 3 end :status 200 a b x-request-id three']);
});

test('content given after a waiting head leaves after it', (t) => {
  const peer = deaf();
  peer.send(
    ...[1, 3, 5, 7, 9, 11].map((id) => get(id)),
    headers(13, [':method', 'HEAD', ':path', '/', ':scheme', 'http', ':authority', 'a'], { endStream: true }),
  );
  fill(peer);
  const { engine } = peer;
  for (const id of [1, 3, 5, 7, 9, 11, 13]) engine.respond(peer.stream(id), 200, [], false);
  engine.write(peer.stream(1), BYTES, 0, 10, true);
  engine.write(peer.stream(3), BYTES, 0, 10, false);
  engine.trailers(peer.stream(3), ['a', 'b']);
  engine.trailers(peer.stream(5), ['a', 'b']);
  engine.trailers(peer.stream(7), []);
  engine.write(peer.stream(9), BYTES, 0, 0, true);
  engine.write(peer.stream(11), BYTES, 0, 10, false);
  engine.write(peer.stream(13), BYTES, 0, 10, false);
  engine.write(peer.stream(13), BYTES, 0, 10, true);
  t.is(peer.sentBytes.get(1), undefined);
  t.is(peer.sentBytes.get(13), 20, 'what would not leave anyway waits for nothing');
  // Both windows are open, and still no content leaves before the head.
  peer.send(windowUpdate(1, 0), settings(SettingId.InitialWindowSize, 1_000_000));
  t.is(
    peer.lines.filter((line) => /^close (1|3|5|7|9|11|13) /.test(line)).join(),
    'close 1 engine 1',
    'an increment of 0',
  );
  const lines = short(peer.output());
  t.deepEqual(of(lines, 1), ['RST_STREAM 1 1']);
  t.deepEqual(of(lines, 3), ['HEADERS 3 :status 200', 'DATA 3 10', 'HEADERS 3 end a b']);
  t.deepEqual(of(lines, 5), ['HEADERS 5 :status 200', 'HEADERS 5 end a b']);
  t.deepEqual(of(lines, 7), ['HEADERS 7 :status 200', 'DATA 7 0 end']);
  t.deepEqual(of(lines, 9), ['HEADERS 9 end :status 200']);
  t.deepEqual(of(lines, 11), ['HEADERS 11 :status 200', 'DATA 11 10']);
  t.deepEqual(of(lines, 13), ['HEADERS 13 end :status 200']);
  engine.write(peer.stream(11), BYTES, 0, 10, true);
  t.deepEqual(peer.output(), ['DATA 11 10 end']);
  t.is(engine.streamCount, 0);
});

test('trailers wait like heads', (t) => {
  const peer = deaf();
  peer.send(get(1), get(3));
  for (const id of [1, 3]) peer.engine.respond(peer.stream(id), 200, [], false);
  peer.engine.write(peer.stream(3), BYTES, 0, 10, false);
  peer.take();
  fill(peer);
  peer.engine.trailers(peer.stream(1), ['a', LONG]);
  peer.engine.trailers(peer.stream(3), ['a', LONG]);
  peer.engine.endTurn(peer.nowMs);
  t.true(peer.engine.unsentBytes < 420_000);
  t.deepEqual(
    peer
      .output()
      .slice(-2)
      .map((line) => line.slice(0, 16)),
    ['HEADERS 1 end a ', 'HEADERS 3 end a '],
  );
  t.is(peer.engine.streamCount, 0);
});

test('a waiting head is dropped with its stream, whichever side ends it', (t) => {
  const peer = deaf();
  peer.send(get(1), get(3), get(5));
  fill(peer);
  for (const id of [1, 3, 5]) {
    peer.engine.respond(peer.stream(id), 200, ['x', LONG], false);
    peer.engine.write(peer.stream(id), BYTES, 0, 50_000, false);
  }
  peer.send(rstStream(1, 8));
  peer.engine.reset(peer.stream(3), 8);
  t.is(peer.stream(1).head, null);
  t.deepEqual(peer.lines.slice(-2), ['close 1 peer 8', 'close 3 owner 8']);
  const lines = short(peer.output());
  t.deepEqual(of(lines, 1), []);
  t.deepEqual(of(lines, 3), ['RST_STREAM 3 8']);
  t.is(of(lines, 5)[0], 'HEADERS 5 :status 200');
  t.is(peer.sentBytes.get(5), 50_000);
  peer.engine.closed();
  t.is(peer.buffers.heldCount, 0);
});

test('a connection that ends drops waiting heads, and one that drains waits for them', (t) => {
  const ending = deaf();
  ending.send(get(1));
  fill(ending);
  ending.engine.respond(ending.stream(1), 200, [], true);
  ending.engine.end();
  t.is(ending.lines.at(-1), 'close 1 engine 8');
  t.deepEqual(of(ending.output(), 1), []);

  const draining = deaf();
  draining.send(get(1));
  fill(draining);
  draining.engine.respond(draining.stream(1), 200, [], true);
  draining.engine.goaway(0, false);
  t.is(draining.engine.state, 'draining');
  t.is(draining.output().at(-1), 'HEADERS 1 end :status 200');
  t.is(draining.engine.state, 'closing');
});

test('a response that is complete before its request is reset after its head has left', (t) => {
  const peer = deaf();
  peer.send(
    headers(1, [':method', 'POST', ':path', '/', ':scheme', 'http', ':authority', 'a'], { endStream: false }),
  );
  fill(peer);
  peer.engine.dropRequest(peer.stream(1));
  peer.engine.respond(peer.stream(1), 200, [], true);
  t.false(peer.lines.includes('close 1 complete 0'));
  t.deepEqual(of(peer.output(), 1), ['HEADERS 1 end :status 200', 'RST_STREAM 1 0']);
  t.is(peer.lines.at(-1), 'close 1 complete 0');
});

test('interim responses except 100 are left out while the output is full', (t) => {
  const peer = deaf();
  peer.send(get(1));
  fill(peer);
  peer.engine.inform(peer.stream(1), 103, ['link', 'a']);
  peer.engine.inform(peer.stream(1), 100, []);
  t.deepEqual(of(peer.output(), 1), ['HEADERS 1 :status 100']);
  peer.engine.inform(peer.stream(1), 103, ['link', 'b']);
  t.deepEqual(peer.output(), ['HEADERS 1 :status 103 link b']);
});

test('no promise is made while the output is full, and the head of an earlier promise waits', (t) => {
  const peer = deaf();
  peer.send(get(1));
  const pushed = peer.engine.push(peer.stream(1), 'GET', '/pushed', []);
  if (pushed === null) throw new Error('the peer takes promises');
  fill(peer);
  t.is(peer.engine.push(peer.stream(1), 'GET', '/other', []), null);
  peer.engine.respond(pushed, 200, ['x', LONG], false);
  peer.engine.write(pushed, BYTES, 0, 10, true);
  t.deepEqual(of(short(peer.output()), 2), ['HEADERS 2 :status 200', 'DATA 2 10 end']);
  const last = peer.engine.push(peer.stream(1), 'GET', '/last', []);
  fill(peer, 401);
  if (last === null) throw new Error('there is room again');
  peer.engine.respond(last, 200, [], true);
  peer.send(goaway(0, 0));
  t.deepEqual(of(peer.output(), 4), [], 'a promise that the peer gave up says nothing more');
});

test('one head of any length does not end the connection, just as many do not', (t) => {
  const peer = deaf();
  peer.send(get(1), get(3));
  fill(peer);
  peer.take();
  for (let id = 601; peer.engine.unsentBytes < 380_000; id += 2) {
    peer.send(get(id));
    peer.engine.respond(peer.stream(id), 200, ['x', `${id}${LONG}`], true);
  }
  const huge = '~'.repeat(500_000);
  peer.engine.respond(peer.stream(1), 200, ['x', huge], true);
  peer.engine.respond(peer.stream(3), 200, ['x', huge], true);
  t.true(peer.engine.unsentBytes > LIMITS.maxUnsentBytes && peer.engine.unsentBytes < 1_250_000);
  const chunk = peer.engine.takeOutput();
  t.truthy(chunk, 'the socket is given it, and takes nothing');
  peer.engine.endTurn(peer.nowMs);
  t.is(peer.engine.failure, null);
  peer.engine.sent(chunk?.length ?? 0);
  t.is(peer.lines.at(-1), 'close 1 complete 0', 'the other waits');
  t.regex(of(peer.output(), 3)[0], /^HEADERS 3 end/);
  t.is(peer.lines.at(-1), 'close 3 complete 0');
});

test('neither does a hint of any length that there was room for, and 100 on many streams after it is limited as before', (t) => {
  const peer = deaf();
  const ids = Array.from({ length: 100 }, (_, n) => 2 * n + 3);
  peer.send(get(1), ...ids.map((id) => get(id)));
  peer.engine.inform(peer.stream(1), 103, ['link', '~'.repeat(900_000)]);
  const hinted = peer.engine.unsentBytes;
  t.truthy(peer.engine.takeOutput(), 'the socket is given it, and takes nothing');
  peer.engine.endTurn(peer.nowMs);
  t.is(peer.engine.failure, null);
  for (const id of ids) {
    if (peer.engine.failure !== null) break;
    peer.engine.inform(peer.stream(id), 100, ['x', `${id}${LONG}`]);
    peer.engine.endTurn(peer.nowMs);
  }
  t.is(peer.engine.counters.abuse, 'unsentOutput');
  t.true(hinted > 900_000 && peer.engine.unsentBytes < hinted + 213_000);
});

test('a download that fills the output does not hold heads back', (t) => {
  const peer = deaf();
  peer.send(get(1), get(3));
  peer.engine.respond(peer.stream(1), 200, [], false);
  while (!peer.engine.isFull) peer.engine.write(peer.stream(1), BYTES, 0, BYTES.length, false);
  peer.engine.respond(peer.stream(3), 200, [], true);
  t.is(peer.lines.at(-1), 'close 3 complete 0');
});
