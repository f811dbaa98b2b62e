import test from 'ava';
import fc from 'fast-check';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import type { Http2Overrides } from '../../runtime/http2/options.ts';
import { isIncremental, parsePriority, urgencyOf } from '../../runtime/http2/priority.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import { frame, get, headers, uint32, windowUpdate } from './frames.ts';
import { Peer } from './peer.ts';

const large = Buffer.alloc(1_000_000, 0x61);
const frameBytes = 16_384;

function priorityUpdate(id: number, value: string): Buffer {
  return frame(0x10, 0, 0, Buffer.concat([uint32(id), Buffer.from(value, 'latin1')]));
}

/** A peer that takes everything, so that only the send scheduler decides the order. */
function wide(overrides: Http2Overrides = {}): Peer {
  const peer = Peer.open({ outputLimitBytes: 1, ...overrides }, {}, SettingId.InitialWindowSize, 1 << 30);
  peer.send(windowUpdate(0, 1 << 30));
  return peer;
}

/** Requests with these priority fields, in order, each with this many frames of content to send. */
function load(peer: Peer, frames: number, ...priorities: (string | null)[]): void {
  for (const [index, priority] of priorities.entries()) {
    const id = 2 * index + 1;
    peer.send(priority === null ? get(id) : get(id, 'priority', priority));
    peer.engine.respond(peer.stream(id), 200, [], false);
  }
  for (const index of priorities.keys()) {
    peer.engine.write(peer.stream(2 * index + 1), large, 0, frames * frameBytes, true);
  }
}

/** The streams of the DATA frames that leave, in order. */
function order(peer: Peer): string {
  let ids = '';
  for (let lines = peer.output(); lines.length > 0; lines = peer.output()) {
    for (const line of lines) if (line.startsWith('DATA')) ids += line.split(' ')[1];
  }
  return ids;
}

const values: readonly (readonly [value: string, urgency: number, incremental: boolean])[] = [
  ['', 3, false],
  ['u=0', 0, false],
  ['u=7', 7, false],
  ['i', 3, true],
  ['i=?1', 3, true],
  ['i=?0', 3, false],
  ['u=5, i', 5, true],
  ['u=5,i', 5, true],
  ['i,\tu=1', 1, true],
  ['  u=2  ', 2, false],
  ['u=1;foo;bar=2, i;x="y"', 1, true],
  ['u=1, u=4', 4, false],
  ['a=1.5, b=tok/en, c="s\\"", d=:aGk=:, e=(1 2;x "a"), f=(), *x, u=2', 2, false],
  // Values of another type or out of range are ignored.
  ['u=8', 3, false],
  ['u=-1', 3, false],
  ['u=1.0', 3, false],
  ['u="1"', 3, false],
  ['u', 3, false],
  ['i=1', 3, false],
  // Not a dictionary, so all of it is ignored.
  ['u=1,', 3, false],
  ['u=1 i', 3, false],
  ['u=1, I', 3, false],
  ['u=1, =2', 3, false],
  ['u=1, a="', 3, false],
  ['u=1, a=(1', 3, false],
  ['u=1;;x', 3, false],
  ['u=1, a=', 3, false],
  ['u=1\n', 3, false],
  [`u=1, a="${'x'.repeat(300)}"`, 3, false],
];
for (const [value, urgency, incremental] of values) {
  const shown = JSON.stringify(value.slice(0, 40));
  test(`RFC 9218 section 4: ${shown} is urgency ${urgency}, incremental ${incremental}`, (t) => {
    const priority = parsePriority(value);
    t.deepEqual([urgencyOf(priority), isIncremental(priority)], [urgency, incremental]);
  });
}

test('any value is parsed quickly and gives a priority', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'ui=?10,; "()\\:.a*-\xff'), maxLength: 256 }),
      (value) => {
        const urgency = urgencyOf(parsePriority(value));
        return urgency >= 0 && urgency <= 7;
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});

test('RFC 9218 section 10: the more urgent response is sent first', (t) => {
  const peer = wide();
  load(peer, 3, 'u=5', 'u=1', 'u=3');
  t.is(order(peer), '333555111');
});

test('RFC 9218 section 10: incremental responses of one urgency share, and others are sent one after the other in the order of requests', (t) => {
  const incremental = wide();
  load(incremental, 3, 'i', 'i', 'i');
  t.is(order(incremental), '135135135');
  const whole = wide();
  load(whole, 2, 'u=3', 'u=3', 'u=3');
  t.is(order(whole), '113355');
});

test('a peer that says nothing about priorities gets fair turns for all', (t) => {
  const peer = wide();
  load(peer, 2, null, null, null);
  t.is(order(peer), '135135');
});

test('a response written in pieces keeps its place among non-incremental ones', (t) => {
  const peer = wide();
  load(peer, 0, 'u=3', 'u=3', 'u=3');
  peer.take();
  const again = wide();
  for (const id of [1, 3, 5]) {
    again.send(get(id, 'priority', 'u=3'));
    again.engine.respond(again.stream(id), 200, [], false);
  }
  again.take();
  // The output already holds something, so the rest waits.
  again.engine.write(again.stream(1), large, 0, frameBytes, false);
  again.engine.write(again.stream(5), large, 0, 2 * frameBytes, true);
  again.engine.write(again.stream(3), large, 0, 2 * frameBytes, true);
  again.engine.write(again.stream(1), large, 0, 2 * frameBytes, true);
  t.is(order(again), '1113355');
});

test('no stream starves: every eighth frame goes to waiting streams of lower or of the same urgency', (t) => {
  const peer = wide();
  load(peer, 40, 'u=0', 'u=0', 'u=7', 'u=4, i');
  const sent = order(peer).slice(0, 65);
  for (const id of ['3', '5', '7']) t.true(sent.includes(id), `${id} in ${sent}`);
  const first = [...sent].filter((id) => id === '1').length;
  t.true(first <= 40);
  t.is(sent.slice(0, 7), '1111111');
});

test('RFC 9218 section 7: PRIORITY_UPDATE moves a stream that already waits', (t) => {
  const peer = wide();
  load(peer, 2, 'u=3', 'u=3', 'u=3');
  peer.send(priorityUpdate(5, 'u=1'), priorityUpdate(1, 'u=6, i'));
  t.is(order(peer), '553311');
  t.is(peer.engine.failure, null);
});

test('RFC 9218 section 7: PRIORITY_UPDATE before its request takes precedence over the field', (t) => {
  const peer = Peer.open();
  peer.send(priorityUpdate(3, 'u=1, i'), get(1, 'priority', 'u=5'), get(3, 'priority', 'u=5'));
  t.deepEqual([peer.stream(1).urgency, peer.stream(1).incremental], [5, false]);
  t.deepEqual([peer.stream(3).urgency, peer.stream(3).incremental], [1, true]);
  peer.send(priorityUpdate(3, 'u=9'));
  t.deepEqual([peer.stream(3).urgency, peer.stream(3).incremental], [3, false]);
});

test('several priority fields form one (RFC 9110 section 5.3)', (t) => {
  const peer = Peer.open();
  peer.send(get(1, 'priority', 'u=5', 'priority', 'i'));
  t.deepEqual([peer.stream(1).urgency, peer.stream(1).incremental], [5, true]);
});

for (const [rule, code, sent] of [
  ['PRIORITY_UPDATE on a stream', ErrorCode.ProtocolError, frame(0x10, 0, 1, uint32(1))],
  ['PRIORITY_UPDATE of stream 0', ErrorCode.ProtocolError, priorityUpdate(0, 'u=1')],
  ['a long PRIORITY_UPDATE of stream 0', ErrorCode.ProtocolError, priorityUpdate(0, 'u=1'.padEnd(500))],
  ['PRIORITY_UPDATE of a push that was not promised', ErrorCode.ProtocolError, priorityUpdate(2, 'u=1')],
  ['PRIORITY_UPDATE too short for a stream id', ErrorCode.FrameSizeError, frame(0x10, 0, 0, Buffer.alloc(3))],
] as const) {
  test(`RFC 9218 section 7.1: ${rule} is a connection error ${code}`, (t) => {
    const peer = Peer.open();
    peer.send(sent);
    t.is(peer.engine.failure?.code, code);
  });
}

test('RFC 9218 section 7.1: PRIORITY_UPDATE for a closed stream or a push, or longer than any priority, does no harm', (t) => {
  const peer = Peer.open(
    {},
    { onRequest: (stream) => stream.id === 1 && peer.engine.respond(stream, 200, [], true) },
  );
  peer.send(get(1), get(3));
  const pushed = peer.engine.push(peer.stream(3), 'GET', '/', []);
  peer.send(
    priorityUpdate(1, 'u=1'),
    priorityUpdate(2, 'u=2'),
    priorityUpdate(3, `u=1${' '.repeat(5000)}`),
    headers(5, [':method', 'GET', ':scheme', 'http', ':path', '/'], { endStream: true }),
  );
  t.is(peer.engine.failure, null);
  t.is(pushed?.urgency, 2);
  t.is(peer.stream(3).urgency, 3);
});

test('priorities are remembered for as many idle streams as may be opened, and dropped when a stream can no longer be opened', (t) => {
  const peer = Peer.open({ maxConcurrentStreams: 3 });
  peer.send(...[1, 3, 5, 7].map((id) => priorityUpdate(id, 'u=1')), get(7), get(9));
  t.is(peer.stream(7).urgency, 3, 'it was one too many');
  peer.send(priorityUpdate(11, 'u=2'), get(11));
  t.is(peer.stream(11).urgency, 2, 'streams 1 to 5 can come no more');
  t.is(peer.engine.failure, null);
});

test('ignoredFrames: a flood of PRIORITY_UPDATE is cut off', (t) => {
  const peer = Peer.open({ budgets: { ignoredFrames: { burst: 50, perSecond: 0 } } });
  for (let id = 1; id < 120; id += 2) peer.send(priorityUpdate(id, 'u=1'));
  t.is(peer.engine.failure?.code, ErrorCode.EnhanceYourCalm);
});
