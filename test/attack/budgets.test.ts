/**
 * One attacker for each budget, against the engine alone with a manual clock: the burst is tolerated, the
 * budget refills, and beyond it the connection ends.
 */
import test from 'ava';
import type { EngineCounters } from '../../runtime/http2/counters.ts';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import type { Http2Overrides } from '../../runtime/http2/options.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import {
  data,
  frame,
  get,
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
