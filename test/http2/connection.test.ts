import test from 'ava';
import type { OutputChunk } from '../../runtime/bytes/output-buffers.ts';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import {
  data,
  frameHead,
  get,
  goaway,
  headers,
  parseFrames,
  ping,
  post,
  preface,
  settings,
  settingsAck,
} from './frames.ts';
import { Peer } from './peer.ts';

const bytes = Buffer.alloc(100_000, 0x61);

test('RFC 9113 section 6.8: a graceful end first promises everything, then names the real last stream', (t) => {
  const peer = Peer.open();
  peer.send(get(1));
  peer.engine.goaway(ErrorCode.NoError, true);
  t.is(peer.engine.state, 'draining');
  t.deepEqual(peer.output(), ['GOAWAY 2147483647 0']);
  // It was on its way when the first GOAWAY was written, so it is served.
  peer.send(post(3));
  t.is(peer.lines.at(-1), 'request 3 POST /');
  peer.engine.goaway(ErrorCode.NoError, false);
  t.deepEqual(peer.output(), ['GOAWAY 3 0']);
  // It was opened in spite of GOAWAY, so its frames are ignored, while HPACK and flow control stay in step.
  const ignored = headers(5, [], {});
  const indexed = Buffer.concat([ignored, Buffer.from([0x40, 1, 0x78, 1, 0x79])]);
  indexed.writeUIntBE(5, 0, 3);
  t.deepEqual(peer.exchange(indexed, data(5, bytes.subarray(0, 9000), true)), []);
  peer.send(data(3, 'x'), headers(3, [], { endStream: true }));
  peer.engine.respond(peer.stream(3), 200, [], true);
  t.is(peer.engine.state, 'draining');
  peer.engine.respond(peer.stream(1), 200, [], true);
  t.is(peer.engine.state, 'closing');
  t.is(peer.engine.failure, null);
  t.deepEqual(peer.output(), ['HEADERS 3 end :status 200', 'HEADERS 1 end :status 200']);
  t.deepEqual(peer.exchange(get(7)), []);
});

test('RFC 9113 section 6.8: an idle connection that drains is over at once', (t) => {
  const peer = Peer.open();
  peer.engine.goaway(ErrorCode.NoError, true);
  t.is(peer.engine.state, 'draining');
  peer.engine.goaway(ErrorCode.NoError, false);
  t.is(peer.engine.state, 'closing');
  t.deepEqual(peer.output(), ['GOAWAY 2147483647 0', 'GOAWAY 0 0']);
  peer.engine.goaway(ErrorCode.NoError, false);
  peer.engine.ping();
  t.deepEqual(peer.output(), []);
});

test('RFC 9113 section 6.8: the last stream id of GOAWAY never rises, not even by a later error', (t) => {
  const peer = Peer.open();
  peer.send(get(1));
  peer.engine.goaway(ErrorCode.NoError, false);
  peer.send(get(3), ping('x'.repeat(8)), frameHead(0, 0, 1, 0xff_ffff));
  t.deepEqual(peer.output(), ['GOAWAY 1 0', 'PING ack xxxxxxxx', 'GOAWAY 1 6']);
});

test('RFC 9113 section 5.4.1: after a connection error every stream is closed once, and calls on it do nothing', (t) => {
  const peer = Peer.open();
  peer.send(get(1), post(3), data(3, 'abc'));
  peer.engine.respond(peer.stream(1), 200, [], false);
  peer.engine.write(peer.stream(1), bytes, 0, bytes.length, false);
  peer.send(frameHead(0, 0, 1, 0xff_ffff));
  const closes = peer.lines.filter((line) => line.startsWith('close'));
  t.deepEqual(closes, ['close 1 engine 6', 'close 3 engine 6']);
  peer.take();
  peer.engine.consume(peer.stream(3), 3, peer.nowMs);
  peer.engine.write(peer.stream(1), bytes, 0, 10, true);
  peer.engine.respond(peer.stream(3), 200, [], true);
  peer.engine.closed();
  t.deepEqual(peer.output(), []);
  t.is(peer.lines.filter((line) => line.startsWith('close')).length, 2);
  t.is(peer.buffers.heldCount, 0);
  t.is(peer.engine.state, 'closed');
});

test('a lost connection closes every stream once, by engine, and gives all buffers back', (t) => {
  const peer = Peer.open();
  peer.send(get(1), post(3));
  peer.engine.respond(peer.stream(1), 200, [], false);
  peer.engine.write(peer.stream(1), bytes, 0, bytes.length, true);
  peer.engine.closed();
  peer.engine.closed();
  t.deepEqual(peer.lines.slice(2), ['close 1 engine 8', 'close 3 engine 8']);
  t.is(peer.engine.state, 'closed');
  t.is(peer.engine.streamCount, 0);
  t.is(peer.buffers.heldCount, 0);
  t.false(peer.engine.hasOutput);
  peer.send(get(5));
  peer.engine.tick(1e9);
  peer.engine.goaway(0, false);
  t.deepEqual(peer.output(), []);
});

test('onClose may call back into the engine while everything ends', (t) => {
  const peer: Peer = Peer.open(
    {},
    {
      onClose: (stream) => {
        for (const other of peer.streams.values()) peer.engine.reset(other, 8);
        peer.engine.consume(stream, 1, peer.nowMs);
        peer.engine.closed();
      },
    },
  );
  peer.send(get(1), post(3), get(5));
  peer.send(goaway(0, 0), frameHead(0, 0, 1, 0xff_ffff));
  t.is(peer.lines.filter((line) => line.startsWith('close')).length, 3);
  t.is(peer.engine.streamCount, 0);
});

test('RFC 9113 section 6.5.3: SETTINGS are acknowledged, the server’s once each in the order they were sent', (t) => {
  const peer = new Peer();
  peer.send(preface, settings(SettingId.MaxFrameSize, 20_000, 0xf0f0, 7));
  t.is(peer.output().at(-1), 'SETTINGS ack');
  peer.engine.changeSettings({ maxFrameBytes: 20_000 }, peer.nowMs);
  t.deepEqual(peer.output(), [`SETTINGS 0005${(20_000).toString(16).padStart(8, '0')}`]);
  peer.send(settingsAck);
  peer.send(post(1), data(1, bytes.subarray(0, 16_384)));
  peer.send(settingsAck);
  // The setting applies only now.
  peer.send(data(1, bytes.subarray(0, 20_000)));
  t.is(peer.engine.failure, null);
  peer.send(data(1, bytes.subarray(0, 20_001)));
  t.is(peer.engine.failure?.code, ErrorCode.FrameSizeError);
});

test('RFC 9113 section 6.5.3: a frame larger than before is an error until the peer has acknowledged', (t) => {
  const peer = new Peer({ maxFrameBytes: 20_000 });
  peer.send(preface, settings(), post(1), data(1, bytes.subarray(0, 20_000)));
  t.is(peer.engine.failure?.code, ErrorCode.FrameSizeError);
});

test('settingsTimeoutMs: RFC 9113 section 6.5.3: SETTINGS that are never acknowledged end in SETTINGS_TIMEOUT', (t) => {
  const peer = new Peer({ settingsTimeoutMs: 500 });
  peer.send(preface, settings(), get(1));
  peer.engine.tick(1500);
  t.is(peer.engine.failure, null);
  peer.engine.tick(1501);
  t.is(peer.engine.failure?.code, ErrorCode.SettingsTimeout);
  t.is(peer.lines.at(-1), 'close 1 engine 4');
  const prompt = Peer.open({ settingsTimeoutMs: 500 });
  prompt.engine.tick(1e9);
  t.is(prompt.engine.failure, null);
});

test('headerTableBytes: RFC 7541 section 4.2: the decoder’s table grows once acknowledged', (t) => {
  const peer = Peer.open({ headerTableBytes: 8192 });
  // A dynamic table size update to 8192, then a request.
  const request = get(1);
  const update = Buffer.from([0x3f, 0xe1, 0x3f]);
  const bytesOf = Buffer.concat([request.subarray(0, 9), update, request.subarray(9)]);
  bytesOf.writeUIntBE(request.length - 9 + 3, 0, 3);
  peer.send(bytesOf);
  t.deepEqual(peer.lines, ['request 1 GET / end']);
  const early = Peer.open();
  early.send(bytesOf);
  t.is(early.engine.failure?.code, ErrorCode.CompressionError);
});

test('encoderTableBytes: RFC 7541 section 4.2: a peer that allows no table gets a size update of 0 and no references', (t) => {
  const peer = Peer.open(
    {},
    { onRequest: (stream) => peer.engine.respond(stream, 200, ['server', 'x'], true) },
  );
  peer.send(settings(SettingId.HeaderTableSize, 0), get(1), get(3));
  const [, first, second] = peer.take();
  t.is(first.payload[0], 0x20);
  t.deepEqual(first.payload.subarray(1), second.payload);
});

test('encoderTableBytes: the option limits what the encoder keeps, whatever the peer offers', (t) => {
  const respond = (overrides: { encoderTableBytes: number }): number[] => {
    const peer: Peer = Peer.open(overrides, {
      onRequest: (stream) => peer.engine.respond(stream, 200, ['server', 'sluice'], true),
    });
    peer.send(settings(SettingId.HeaderTableSize, 65_536), get(1), get(3), get(5));
    return peer.take().map((frame) => frame.payload.length);
  };
  t.true(respond({ encoderTableBytes: 4096 })[3] < respond({ encoderTableBytes: 0 })[3]);
});

test('the counters count what arrived and what left', (t) => {
  const peer = Peer.open();
  peer.send(get(1), post(3), data(3, 'x', true), ping());
  peer.engine.respond(peer.stream(1), 200, [], true);
  peer.engine.reset(peer.stream(3), 8);
  const { counters } = peer.engine;
  t.is(counters.requests, 2);
  t.is(counters.framesIn[1], 2);
  t.is(counters.framesIn[0], 1);
  t.is(counters.framesOut[6], 1);
  t.is(counters.resetsByOwner, 1);
});

test('after `end` the remaining streams are closed, and complete responses leave, also while the socket is behind', (t) => {
  const peer = Peer.open();
  peer.send(get(1), get(3), get(5));
  const write = (id: number, end: boolean): void => {
    peer.engine.respond(peer.stream(id), 200, [], false);
    peer.engine.write(peer.stream(id), Buffer.alloc(10), 0, 10, end);
  };
  write(1, true);
  const first = peer.engine.takeOutput() as OutputChunk;
  write(3, true);
  write(5, false);
  t.is(peer.engine.takeOutput(), null, 'what comes while the socket is behind is kept for one write');
  peer.engine.end();
  t.is(peer.engine.state, 'closing');
  t.deepEqual(peer.lines.slice(-1), ['close 5 engine 8']);
  t.true(peer.engine.hasOutput);
  const second = peer.engine.takeOutput() as OutputChunk;
  const frames = parseFrames(second.buffer.subarray(0, second.length));
  t.deepEqual(
    frames.map(({ id, type, flags }) => [id, type, flags & Flag.EndStream]),
    [
      [3, FrameType.Headers, 0],
      [3, FrameType.Data, Flag.EndStream],
      [5, FrameType.Headers, 0],
      [5, FrameType.Data, 0],
    ],
  );
  for (const chunk of [first, second]) {
    peer.engine.sent(chunk.length);
    peer.buffers.release(chunk);
  }
  peer.send(get(7));
  t.deepEqual(peer.output(), []);
  peer.engine.closed();
  t.is(peer.buffers.heldCount, 0);
});

for (const [how, end] of [
  ['a connection error', (peer: Peer) => peer.send(data(0, 'on no stream'))],
  ['the end of what is received', (peer: Peer) => peer.engine.end()],
  ['the loss of the socket', (peer: Peer) => peer.engine.closed()],
] as const) {
  test(`at ${how} every stream is closed although the owner throws at some, and the owner gets the error`, (t) => {
    const closed: number[] = [];
    const peer = Peer.open(
      {},
      {
        onClose: ({ id }) => {
          closed.push(id);
          if (id < 5) throw new Error(`of stream ${id}`);
        },
      },
    );
    peer.send(get(1), get(3), get(5));
    peer.engine.respond(peer.stream(5), 200, [], false);
    peer.engine.write(peer.stream(5), bytes, 0, bytes.length, false);
    t.throws(() => end(peer), { message: 'of stream 1' });
    t.deepEqual(closed, [1, 3, 5]);
    t.is(peer.engine.streamCount, 0);
    peer.engine.closed();
    t.deepEqual(closed, [1, 3, 5]);
    t.is(peer.buffers.heldCount, 0);
  });
}
