import test from 'ava';
import fc from 'fast-check';
import { warningsOf } from '../../runtime/config/warnings.ts';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import { http2Options } from '../../runtime/http2/options.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import { data, get, headers, post, rstStream, settings, settingsAck, windowUpdate } from './frames.ts';
import { Peer } from './peer.ts';

const large = Buffer.alloc(100_000, 0x61);

/** A stream whose response head has been sent and taken. */
function responding(peer: Peer, id: number): void {
  peer.send(get(id));
  peer.engine.respond(peer.stream(id), 200, [], false);
  peer.take();
}

test('RFC 9113 section 6.9.1: no more DATA leaves than the stream window allows, and an update lets the rest leave', (t) => {
  const peer = Peer.open();
  peer.send(windowUpdate(0, 1_000_000));
  responding(peer, 1);
  t.is(peer.stream(1).sendableBytes, 65_535);
  peer.engine.write(peer.stream(1), large, 0, large.length, true);
  t.is(peer.stream(1).queuedBytes, 100_000 - 65_535);
  t.is(peer.stream(1).sendableBytes, 0);
  t.is(peer.sentBytes.get(1), 65_535);
  t.deepEqual(peer.output(), ['DATA 1 16384', 'DATA 1 16384', 'DATA 1 16384', 'DATA 1 16348', 'DATA 1 35']);
  t.false(peer.engine.hasOutput);
  peer.send(windowUpdate(1, 1));
  t.true(peer.engine.hasOutput);
  t.deepEqual(peer.output(), ['DATA 1 1']);
  t.deepEqual(peer.exchange(windowUpdate(1, 50_000)).at(-1), 'DATA 1 1696 end');
  t.is(peer.sentBytes.get(1), 100_000);
  t.is(peer.lines.at(-1), 'close 1 complete 0');
});

test('RFC 9113 section 6.9.1: no more DATA leaves than the connection window allows', (t) => {
  const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 1_000_000);
  responding(peer, 1);
  responding(peer, 3);
  peer.engine.write(peer.stream(1), large, 0, large.length, true);
  peer.engine.write(peer.stream(3), large, 0, 10, true);
  t.is((peer.sentBytes.get(1) ?? 0) + (peer.sentBytes.get(3) ?? 0), 65_535);
  peer.take();
  t.deepEqual(peer.exchange(windowUpdate(3, 1000)), [], 'a stream update does not open the connection');
  const opened = peer.exchange(windowUpdate(0, 1_000_000));
  t.deepEqual(opened.slice(0, 2), ['DATA 1 16384', 'DATA 3 10 end'], 'the other stream has its turn');
});

test('RFC 9113 section 6.9: the end of a stream and trailers need no window', (t) => {
  const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 0);
  responding(peer, 1);
  responding(peer, 3);
  peer.engine.write(peer.stream(1), large, 0, 0, true);
  peer.engine.trailers(peer.stream(3), ['a', 'b']);
  t.deepEqual(peer.output(), ['DATA 1 0 end', 'HEADERS 3 end a b']);
});

test('RFC 9113 section 6.9.2: a smaller initial window can make a stream window negative', (t) => {
  const peer = Peer.open();
  responding(peer, 1);
  peer.engine.write(peer.stream(1), large, 0, 40_000, false);
  peer.take();
  t.deepEqual(peer.exchange(settings(SettingId.InitialWindowSize, 16_384)), ['SETTINGS ack']);
  t.is(peer.stream(1).sendWindow.available, 16_384 - 40_000);
  peer.engine.write(peer.stream(1), large, 0, 10, true);
  t.deepEqual(peer.output(), []);
  t.deepEqual(peer.exchange(windowUpdate(1, 40_000 - 16_384)), []);
  t.deepEqual(peer.exchange(windowUpdate(1, 9)), ['DATA 1 9']);
  t.deepEqual(peer.exchange(settings(SettingId.InitialWindowSize, 16_385)), ['SETTINGS ack', 'DATA 1 1 end']);
});

test('RFC 9113 section 6.9.2: a setting that pushes a stream window beyond 2^31-1 is a connection error', (t) => {
  const peer = Peer.open();
  peer.send(post(1), windowUpdate(1, 0x7fff_ffff - 65_535), settings(SettingId.InitialWindowSize, 65_536));
  t.is(peer.engine.failure?.code, ErrorCode.FlowControlError);
});

test('RFC 9113 section 6.9.2: a new initial window applies to later streams', (t) => {
  const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 5);
  responding(peer, 1);
  peer.engine.write(peer.stream(1), large, 0, 9, true);
  t.deepEqual(peer.output(), ['DATA 1 5']);
});

test('RFC 9113 section 6.9: DATA beyond the stream window is a stream error FLOW_CONTROL_ERROR', (t) => {
  const peer = Peer.open({ streamWindowBytes: 10, connectionWindowBytes: 65_535 });
  peer.send(post(1), data(1, '0123456789'));
  t.deepEqual(peer.exchange(data(1, 'x')), ['RST_STREAM 1 3']);
  t.deepEqual(peer.lines, ['request 1 POST /', 'data 1 10', 'close 1 engine 3']);
});

test('RFC 9113 section 6.9: DATA beyond the connection window is a connection error FLOW_CONTROL_ERROR', (t) => {
  const peer = Peer.open({ connectionWindowBytes: 65_535 });
  peer.send(post(1));
  for (let i = 0; i < 4; i++) peer.send(data(1, large.subarray(0, 16_000)));
  t.is(peer.engine.failure, null);
  peer.send(data(1, large.subarray(0, 1536)));
  t.is(peer.engine.failure?.code, ErrorCode.FlowControlError);
});

test('updates are collected until half a window is due, on the stream and on the connection', (t) => {
  const peer = Peer.open({ streamWindowBytes: 1000, connectionWindowBytes: 65_535 });
  peer.send(post(1), data(1, large.subarray(0, 1000)));
  peer.engine.consume(peer.stream(1), 499, peer.nowMs);
  t.deepEqual(peer.output(), []);
  peer.engine.consume(peer.stream(1), 1, peer.nowMs);
  t.deepEqual(peer.output(), ['WINDOW_UPDATE 1 500']);
  peer.engine.consume(peer.stream(1), 500, peer.nowMs);
  t.deepEqual(peer.output(), ['WINDOW_UPDATE 1 500']);
  for (let i = 0; i < 32; i++) {
    peer.send(data(1, large.subarray(0, 1000)));
    peer.engine.consume(peer.stream(1), 1000, peer.nowMs);
  }
  t.true(peer.output().includes('WINDOW_UPDATE 0 33000'));
});

for (const [connectionWindowBytes, isServed] of [
  [4 * 65_535, true],
  [3 * 65_535, false],
] as const) {
  test(`of 4 streams with 65,535 bytes each, 3 unread ones leave ${isServed ? '' : 'no '}room for the last in ${connectionWindowBytes}`, (t) => {
    const peer = Peer.open({ maxConcurrentStreams: 4, streamWindowBytes: 65_535, connectionWindowBytes });
    for (const id of [1, 3, 5, 7]) peer.send(post(id));
    for (const id of [1, 3, 5]) {
      for (let sent = 0; sent < 65_535; sent += 13_107) peer.send(data(id, large.subarray(0, 13_107)));
    }
    t.is(peer.engine.receivableBytes > 0, isServed);
    // A combination that the configuration warns about.
    const http2 = {
      ...http2Options(),
      maxConcurrentStreams: 4,
      streamWindowBytes: 65_535,
      connectionWindowBytes,
    };
    t.is(warningsOf({ http2 }).length, isServed ? 0 : 1);
  });
}

test('a stream that the peer has ended gets no update, but the connection does', (t) => {
  const peer = Peer.open({ connectionWindowBytes: 65_535 });
  peer.send(post(1), data(1, large.subarray(0, 16_384)), data(1, large.subarray(0, 16_384), true));
  peer.engine.consume(peer.stream(1), 32_768, peer.nowMs);
  t.deepEqual(peer.output(), ['WINDOW_UPDATE 0 32768']);
});

test('consuming more than arrived is misuse by the owner', (t) => {
  const peer = Peer.open();
  peer.send(post(1), data(1, 'abc'));
  const error = t.throws(() => peer.engine.consume(peer.stream(1), 4, peer.nowMs));
  t.is((error as { code?: string }).code, 'SLUICE_HTTP2_MISUSE');
});

/** Every way in which unread bytes of a stream can be returned to the connection. */
const exits: readonly (readonly [string, (peer: Peer) => void])[] = [
  ['the owner consumes them', (peer) => peer.engine.consume(peer.stream(1), 40_000, peer.nowMs)],
  ['the owner resets the stream', (peer) => peer.engine.reset(peer.stream(1), 8)],
  ['the peer resets the stream', (peer) => peer.send(rstStream(1, 8))],
  ['the owner drops the request', (peer) => peer.engine.dropRequest(peer.stream(1))],
  ['the stream fails', (peer) => peer.send(windowUpdate(1, 0))],
  [
    'both sides end with bytes unread',
    (peer) => {
      peer.engine.respond(peer.stream(1), 200, [], true);
      peer.send(data(1, '', true));
    },
  ],
  [
    'the owner consumes some and resets, then consumes late',
    (peer) => {
      peer.engine.consume(peer.stream(1), 15_000, peer.nowMs);
      peer.engine.reset(peer.stream(1), 8);
      peer.engine.consume(peer.stream(1), 25_000, peer.nowMs);
    },
  ],
];
for (const [name, leave] of exits) {
  test(`bytes go back to the connection exactly once when ${name}`, (t) => {
    const peer = Peer.open({ connectionWindowBytes: 65_535, streamWindowBytes: 60_000 });
    peer.send(post(1));
    for (let i = 0; i < 4; i++) peer.send(data(1, large.subarray(0, 10_000)));
    leave(peer);
    const given = peer
      .output()
      .filter((line) => line.startsWith('WINDOW_UPDATE 0 '))
      .map((line) => Number(line.split(' ')[2]));
    t.deepEqual(given, [40_000]);
  });
}

test('a stream reset within one of its DATA frames gives the whole frame back once', (t) => {
  const peer = Peer.open(
    { connectionWindowBytes: 65_535, streamWindowBytes: 60_000 },
    { onData: (stream) => peer.engine.reset(stream, 8) },
  );
  const bytes = data(1, large.subarray(0, 16_000));
  peer.send(post(1), bytes.subarray(0, 100));
  peer.send(bytes.subarray(100), data(1, large.subarray(0, 16_000)), data(1, large.subarray(0, 768)));
  t.deepEqual(peer.output(), ['RST_STREAM 1 8', 'WINDOW_UPDATE 0 32768']);
  t.is(peer.contentOf(1).length, 91);
});

test('a request dropped within one of its DATA frames has the whole frame given back once', (t) => {
  const peer: Peer = Peer.open(
    { connectionWindowBytes: 65_535, streamWindowBytes: 60_000 },
    { onData: (stream) => peer.engine.dropRequest(stream) },
  );
  const bytes = data(1, large.subarray(0, 15_900), false, 99);
  peer.send(post(1), bytes.subarray(0, 100));
  peer.send(bytes.subarray(100), data(1, large.subarray(0, 16_000)), data(1, large.subarray(0, 768)));
  t.deepEqual(peer.output(), ['WINDOW_UPDATE 0 32768']);
  t.is(peer.stream(1).unconsumedBytes, 0);
  t.is(peer.contentOf(1).length, 90);
});

test('whatever streams do, a connection window given back in full is neither lost nor doubled', (t) => {
  const step = fc.record({
    id: fc.integer({ min: 0, max: 5 }).map((n) => 2 * n + 1),
    act: fc.constantFrom('data', 'padded', 'consume', 'reset', 'peerReset', 'drop', 'respond', 'end'),
    bytes: fc.integer({ min: 0, max: 3000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const peer = Peer.open({ connectionWindowBytes: 65_535, streamWindowBytes: 60_000 });
      for (let id = 1; id <= 11; id += 2) peer.send(post(id));
      const ended = new Set<number>();
      let sent = 0;
      let given = 0;
      for (const { id, act, bytes } of steps) {
        const stream = peer.stream(id);
        const live = stream.state <= 3;
        if (
          (act === 'data' || act === 'padded' || act === 'end') &&
          !ended.has(id) &&
          sent - given < 60_000
        ) {
          // A closed stream may still get data that was on its way, unless both sides had ended it.
          if (!live && stream.state !== 7) continue;
          const frame = data(id, large.subarray(0, bytes), act === 'end', act === 'padded' ? 7 : undefined);
          sent += frame.length - 9;
          if (act === 'end') ended.add(id);
          const cut = bytes % frame.length;
          peer.send(frame.subarray(0, cut));
          // Between two pieces of one frame the owner may do anything.
          if (bytes % 5 === 0) peer.engine.dropRequest(stream);
          if (bytes % 7 === 0) peer.engine.reset(stream, 8);
          peer.send(frame.subarray(cut));
        } else if (act === 'consume' && live) {
          peer.engine.consume(
            stream,
            stream.requestDropped ? 0 : Math.min(bytes, stream.unconsumedBytes),
            peer.nowMs,
          );
        } else if (act === 'reset') {
          peer.engine.reset(stream, 8);
        } else if (act === 'peerReset' && live) {
          peer.send(rstStream(id, 8));
        } else if (act === 'drop') {
          peer.engine.dropRequest(stream);
        } else if (act === 'respond' && live && stream.response === 0) {
          peer.engine.respond(stream, 200, [], true);
        }
        given += updates(peer);
        if (given > sent) throw new Error('more was given back than came');
      }
      for (let id = 1; id <= 11; id += 2) peer.engine.reset(peer.stream(id), 8);
      given += updates(peer);
      t.is(peer.engine.failure, null);
      // Updates are sent from half a window on; fewer bytes may still be unreturned.
      t.true(sent - given >= 0 && (sent - given) * 2 < 65_535);
      peer.send(post(101), data(101, large.subarray(0, 16_000)), data(101, large.subarray(0, 16_000)));
      t.is(peer.engine.failure, null);
    }),
    { numRuns: 300 },
  );
});

function updates(peer: Peer): number {
  let bytes = 0;
  for (const line of peer.output()) {
    if (line.startsWith('WINDOW_UPDATE 0 ')) bytes += Number(line.split(' ')[2]);
  }
  return bytes;
}

test('a dropped request keeps its stream window shut, and its data is not delivered', (t) => {
  const peer = Peer.open({ streamWindowBytes: 1000 });
  peer.send(post(1));
  peer.engine.dropRequest(peer.stream(1));
  peer.send(data(1, large.subarray(0, 900)), headers(1, ['a', 'b'], { endStream: true }));
  t.deepEqual(peer.lines, ['request 1 POST /']);
  t.deepEqual(peer.output(), []);
  peer.engine.respond(peer.stream(1), 200, [], true);
  t.deepEqual(peer.output(), ['HEADERS 1 end :status 200']);
  t.deepEqual(peer.lines.at(-1), 'close 1 complete 0');
});

test('RFC 9113 section 8.1: a response that is complete before its dropped request ends in RST_STREAM NO_ERROR', (t) => {
  const peer = Peer.open({ resetDelayMs: 0 });
  peer.send(post(1), post(3));
  peer.engine.dropRequest(peer.stream(1));
  peer.engine.respond(peer.stream(1), 200, [], false);
  peer.engine.write(peer.stream(1), large, 0, 5, true);
  t.deepEqual(peer.output(), ['HEADERS 1 :status 200', 'DATA 1 5 end', 'RST_STREAM 1 0']);
  peer.engine.respond(peer.stream(3), 200, [], true);
  t.deepEqual(peer.output(), ['HEADERS 3 end :status 200']);
  peer.engine.dropRequest(peer.stream(3));
  t.deepEqual(peer.output(), ['RST_STREAM 3 0']);
  t.deepEqual(peer.lines.slice(2), ['close 1 complete 0', 'close 3 complete 0']);
});

test('RFC 9113 section 6.5.3: the server’s windows change when the peer acknowledges, also for open streams', (t) => {
  const peer = new Peer({ streamWindowBytes: 10 });
  peer.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings(), post(1));
  // Not acknowledged yet, so the initial 65,535 apply.
  peer.send(data(1, large.subarray(0, 9000)));
  t.is(peer.stream(1).receiveWindow?.available, 65_535 - 9000);
  peer.send(settingsAck);
  t.is(peer.stream(1).receiveWindow?.available, 10 - 9000);
  t.deepEqual(peer.output().at(-1), 'SETTINGS ack');
  peer.engine.consume(peer.stream(1), 9000, peer.nowMs);
  t.deepEqual(peer.output(), ['WINDOW_UPDATE 1 9000']);
  t.is(peer.stream(1).receiveWindow?.available, 10);
});

test('bytes consumed before a smaller window came into force are given back when it does', (t) => {
  const peer = new Peer({ streamWindowBytes: 16_384 });
  peer.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings(), post(1), post(3));
  for (const id of [1, 3])
    peer.send(data(id, large.subarray(0, 16_000)), data(id, large.subarray(0, 15_000), id === 3));
  peer.take();
  // Less than half of the 65,535 that still apply.
  for (const id of [1, 3]) peer.engine.consume(peer.stream(id), 31_000, peer.nowMs);
  t.deepEqual(peer.output(), []);
  // The peer's window is now 16,384 - 31,000: it waits for an update, and no more content is left to consume.
  t.deepEqual(peer.exchange(settingsAck), ['WINDOW_UPDATE 1 31000']);
  t.is(peer.stream(1).receiveWindow?.available, 16_384);
});
