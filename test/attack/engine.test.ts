/**
 * One attacker for each budget and limit, against the engine alone with a manual clock; and the honest peer
 * that behaves similarly.
 */
import test from 'ava';
import type { EngineCounters } from '../../runtime/http2/counters.ts';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import { FrameType } from '../../runtime/http2/frames.ts';
import type { Http2Overrides } from '../../runtime/http2/options.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import {
  continuation,
  data,
  frame,
  frameHead,
  get,
  getFields,
  headers,
  ping,
  post,
  priority,
  rstStream,
  settings,
  windowUpdate,
} from '../http2/frames.ts';
import { type Handlers, Peer } from '../http2/peer.ts';

interface Attack {
  readonly name: string;
  readonly abuse: NonNullable<EngineCounters['abuse']>;
  readonly overrides: Http2Overrides;
  /** How many strikes are tolerated. */
  readonly borne: number;
  /** For attacks on a stream: stream 1 is open. */
  readonly prepare?: (peer: Peer) => void;
  readonly strike: (n: number) => Buffer;
  /** What the engine's owner does. */
  readonly handlers?: (peer: () => Peer) => Handlers;
}

const three = { burst: 3, perSecond: 1 };
const attacks: readonly Attack[] = [
  {
    name: 'rapid reset: streams opened and reset at once',
    abuse: 'peerResets',
    overrides: { budgets: { peerResets: three } },
    borne: 3,
    strike: (n) => Buffer.concat([post(2 * n + 3), rstStream(2 * n + 3, 8)]),
  },
  {
    name: 'made you reset: WINDOW_UPDATEs of 0 that we must answer with resets',
    abuse: 'provokedResets',
    overrides: { budgets: { provokedResets: three } },
    borne: 3,
    strike: (n) => Buffer.concat([post(2 * n + 3), windowUpdate(2 * n + 3, 0)]),
  },
  {
    name: 'made you reset: malformed requests',
    abuse: 'provokedResets',
    overrides: { budgets: { provokedResets: three } },
    borne: 3,
    strike: (n) => headers(2 * n + 3, [':method', 'GET']),
  },
  {
    name: 'made you reset: data behind the peer’s own reset',
    abuse: 'provokedResets',
    overrides: { budgets: { provokedResets: three } },
    borne: 3,
    strike: (n) => Buffer.concat([post(2 * n + 3), rstStream(2 * n + 3, 8), data(2 * n + 3, 'x')]),
  },
  {
    name: 'streams beyond the concurrency limit, again and again',
    abuse: 'refusedStreams',
    overrides: { maxConcurrentStreams: 1, budgets: { refusedStreams: three } },
    borne: 3,
    prepare: (peer) => peer.send(post(1)),
    strike: (n) => get(2 * n + 3),
  },
  {
    name: 'a flood of SETTINGS',
    abuse: 'settings',
    overrides: { budgets: { settings: three } },
    borne: 3,
    strike: () => settings(SettingId.InitialWindowSize, 70_000),
  },
  {
    name: 'a flood of PINGs',
    abuse: 'pings',
    overrides: { budgets: { pings: three } },
    borne: 3,
    strike: () => ping(),
  },
  {
    name: 'a flood of answers to PINGs that nobody sent',
    abuse: 'pings',
    overrides: { budgets: { pings: three } },
    borne: 3,
    strike: () => ping('12345678', true),
  },
  {
    name: 'a flood of PRIORITY',
    abuse: 'ignoredFrames',
    overrides: { budgets: { ignoredFrames: three } },
    borne: 3,
    strike: (n) => priority(2 * n + 1, 0),
  },
  {
    name: 'a flood of unknown frames',
    abuse: 'ignoredFrames',
    overrides: { budgets: { ignoredFrames: three } },
    borne: 3,
    strike: () => frame(0xbe, 0, 0, Buffer.alloc(100)),
  },
  {
    name: 'a flood of HEADERS on a stream that we have reset',
    abuse: 'lateFrames',
    overrides: { budgets: { lateFrames: three } },
    // A stream that the peer's reset did not end earns two.
    borne: 5,
    prepare: (peer) => {
      peer.send(post(1));
      peer.engine.reset(peer.stream(1), 8);
    },
    strike: () => headers(1, ['x-late', '1'], { endStream: true }),
  },
  {
    name: 'a flood of empty DATA on a stream that we have reset',
    abuse: 'lateFrames',
    overrides: { budgets: { lateFrames: three } },
    // A stream that the peer's reset did not end earns two.
    borne: 5,
    prepare: (peer) => {
      peer.send(post(1));
      peer.engine.reset(peer.stream(1), 8);
    },
    strike: () => data(1, ''),
  },
  {
    name: 'a flood of WINDOW_UPDATE on a stream that has ended',
    abuse: 'lateFrames',
    overrides: { budgets: { lateFrames: three } },
    // A stream that the peer's reset did not end earns two.
    borne: 5,
    prepare: (peer) => {
      peer.send(get(1));
      peer.engine.respond(peer.stream(1), 200, [], true);
    },
    strike: () => windowUpdate(1, 1000),
  },
  {
    name: 'requests that the owner gives up because of what came',
    abuse: 'provokedResets',
    overrides: { budgets: { provokedResets: three } },
    borne: 3,
    strike: (n) => Buffer.concat([post(2 * n + 1), data(2 * n + 1, 'too much')]),
    handlers: (peer) => ({
      onData: (stream) => {
        peer().engine.reset(stream, 8);
        peer().engine.provoked();
      },
    }),
  },
  {
    name: 'a flood of empty DATA',
    abuse: 'emptyData',
    overrides: { budgets: { emptyData: three } },
    borne: 3,
    prepare: (peer) => peer.send(post(1)),
    strike: () => data(1, ''),
  },
  {
    name: 'a flood of DATA that is only padding',
    abuse: 'emptyData',
    overrides: { budgets: { emptyData: three } },
    borne: 3,
    prepare: (peer) => peer.send(post(1)),
    strike: () => data(1, '', false, 200),
  },
  {
    name: 'a response cut into crumbs by tiny window updates',
    abuse: 'tinyWindowUpdates',
    overrides: { budgets: { tinyWindowUpdates: three } },
    // Opening the stream earns two.
    borne: 5,
    prepare: (peer) => {
      peer.send(settings(SettingId.InitialWindowSize, 0), get(1));
      peer.engine.respond(peer.stream(1), 200, [], false);
      peer.engine.write(peer.stream(1), Buffer.alloc(10_000), 0, 10_000, true);
    },
    strike: () => windowUpdate(1, 1),
  },
  {
    name: 'a response cut into crumbs after its end: updates of a byte for what it was sent',
    abuse: 'tinyWindowUpdates',
    overrides: { budgets: { tinyWindowUpdates: three } },
    // Two for the stream, and four for its frame of less than a KiB.
    borne: 9,
    prepare: (peer) => {
      peer.send(get(1));
      peer.engine.respond(peer.stream(1), 200, [], false);
      peer.engine.write(peer.stream(1), Buffer.alloc(1_000), 0, 1_000, true);
    },
    strike: () => windowUpdate(1, 1),
  },
  {
    name: 'updates after the end for more than the stream was sent',
    abuse: 'lateFrames',
    overrides: { budgets: { lateFrames: three } },
    // One is for the content that was sent; the end earns two.
    borne: 6,
    prepare: (peer) => {
      peer.send(get(1));
      peer.engine.respond(peer.stream(1), 200, [], false);
      peer.engine.write(peer.stream(1), Buffer.alloc(1_000), 0, 1_000, true);
    },
    strike: () => windowUpdate(1, 600),
  },
  {
    name: 'more content on a stream that we have reset than its window was open for',
    abuse: 'lateFrames',
    overrides: { streamWindowBytes: 65_535, budgets: { lateFrames: { burst: 3, perSecond: 0.125 } } },
    // The window, then eight frames for each of five units: the burst of three and the two earned.
    borne: 4 + 8 * 5,
    prepare: (peer) => {
      peer.send(post(1));
      peer.engine.reset(peer.stream(1), 8);
    },
    strike: () => data(1, Buffer.alloc(16_000)),
  },
  {
    name: 'heads that are too large: HPACK bombs',
    abuse: 'refusedHeads',
    overrides: { maxFieldListBytes: 500, budgets: { refusedHeads: three } },
    borne: 3,
    strike: (n) => get(2 * n + 1, 'x', 'y'.repeat(500)),
  },
  {
    name: 'heads that are too large, on streams beyond the concurrency limit',
    abuse: 'refusedHeads',
    overrides: { maxConcurrentStreams: 1, maxFieldListBytes: 500, budgets: { refusedHeads: three } },
    borne: 3,
    prepare: (peer) => peer.send(post(1)),
    strike: (n) => get(2 * n + 3, 'x', 'y'.repeat(500)),
  },
  {
    name: 'field sections that are too large, on a stream that we have reset',
    abuse: 'refusedHeads',
    overrides: { maxFieldListBytes: 500, budgets: { refusedHeads: three } },
    borne: 3,
    prepare: (peer) => {
      peer.send(post(1));
      peer.engine.reset(peer.stream(1), 8);
    },
    strike: () => headers(1, ['x', 'y'.repeat(500)], { endStream: true }),
  },
];

for (const { name, abuse, overrides, borne, prepare, strike, handlers } of attacks) {
  test(`${name}: ENHANCE_YOUR_CALM once the budget ${abuse} is spent, and not before`, (t) => {
    const peer: Peer = Peer.open(
      overrides,
      handlers?.(() => peer),
    );
    prepare?.(peer);
    for (let n = 0; n < borne; n++) peer.send(strike(n));
    t.is(peer.engine.failure, null, 'the burst is borne');
    peer.output();
    // A second earns one more.
    peer.nowMs += 1000;
    peer.send(strike(borne));
    t.is(peer.engine.failure, null, 'the budget refills');
    peer.send(strike(borne + 1));
    t.is(peer.engine.failure?.code, ErrorCode.EnhanceYourCalm);
    t.is(peer.engine.counters.abuse, abuse);
    t.regex(peer.output().at(-1) ?? '', /^GOAWAY \d+ 11$/);
    t.is(peer.engine.streamCount, 0);
  });
}

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

test('stalledStreamSeconds: streams that request much and open no window are cut off, by count and time', (t) => {
  const overrides = { budgets: { stalledStreamSeconds: { burst: 100, perSecond: 2 } } };
  const stall = (count: number): Peer => {
    const peer = Peer.open(overrides, {}, SettingId.InitialWindowSize, 0);
    for (let n = 0; n < count; n++) {
      peer.send(get(2 * n + 1));
      peer.engine.respond(peer.stream(2 * n + 1), 200, [], false);
      peer.engine.write(peer.stream(2 * n + 1), Buffer.alloc(10), 0, 10, true);
    }
    return peer;
  };
  const run = (peer: Peer, seconds: number): number => {
    let second = 0;
    for (; second < seconds && peer.engine.failure === null; second++) {
      peer.nowMs += 1000;
      peer.engine.tick(peer.nowMs);
    }
    return second;
  };
  const greedy = stall(12);
  const lasted = run(greedy, 1000);
  t.true(lasted >= 9 && lasted <= 12, `${lasted} s`);
  t.is(greedy.engine.counters.abuse, 'stalledStreamSeconds');
  const paused = stall(2);
  t.is(run(paused, 5000), 5000, 'two paused downloads may wait for ever');
  const released = stall(12);
  run(released, 5);
  released.send(settings(SettingId.InitialWindowSize, 100));
  released.take();
  t.is(run(released, 5000), 5000);
});

test('stalledStreamSeconds: a closed connection window stalls every stream that has an open one', (t) => {
  const peer = Peer.open({ budgets: { stalledStreamSeconds: { burst: 10, perSecond: 0 } } });
  for (const id of [1, 3]) {
    peer.send(get(id));
    peer.engine.respond(peer.stream(id), 200, [], false);
    peer.engine.write(peer.stream(id), Buffer.alloc(60_000), 0, 60_000, true);
  }
  peer.take();
  peer.engine.tick(peer.nowMs + 9000);
  t.is(peer.engine.failure, null);
  peer.engine.tick(peer.nowMs + 11_000);
  t.is(peer.engine.counters.abuse, 'stalledStreamSeconds');
});

test('stalledStreamSeconds: a download that is read does not pay for streams that are not', (t) => {
  const peer = Peer.open(
    { budgets: { stalledStreamSeconds: { burst: 100, perSecond: 0 } } },
    {},
    SettingId.InitialWindowSize,
    0,
  );
  peer.send(windowUpdate(0, 1 << 30));
  for (let n = 0; n < 11; n++) {
    peer.send(get(2 * n + 1));
    peer.engine.respond(peer.stream(2 * n + 1), 200, [], false);
    peer.engine.write(peer.stream(2 * n + 1), Buffer.alloc(1_000_000), 0, 1_000_000, true);
  }
  let second = 0;
  for (; peer.engine.failure === null && second < 1_000; second++) {
    peer.send(windowUpdate(1, 50_000));
    peer.take();
    peer.nowMs += 1000;
    peer.engine.tick(peer.nowMs);
    if (second === 8) t.is(peer.engine.failure, null, 'ten streams, nine seconds');
  }
  t.is(peer.engine.counters.abuse, 'stalledStreamSeconds');
  t.true(second <= 11, `${second} s`);
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
