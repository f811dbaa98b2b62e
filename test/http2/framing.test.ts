import test from 'ava';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import {
  continuation,
  data,
  fieldBlock,
  frame,
  frameHead,
  get,
  getFields,
  goaway,
  headers,
  headersOf,
  ping,
  post,
  postFields,
  preface,
  priority,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
} from './frames.ts';
import { Peer } from './peer.ts';

/** Each case ends the connection with the code; `sent` follows the handshake and one open stream, 1. */
const connectionErrors: readonly (readonly [rule: string, code: number, ...sent: Buffer[]])[] = [
  [
    '4.2 a frame longer than SETTINGS_MAX_FRAME_SIZE',
    ErrorCode.FrameSizeError,
    frameHead(FrameType.Data, 0, 1, 16_385),
  ],
  ['5.1 DATA on an idle stream', ErrorCode.ProtocolError, data(3, 'x')],
  ['5.1 RST_STREAM on an idle stream', ErrorCode.ProtocolError, rstStream(3, 8)],
  ['5.1 WINDOW_UPDATE on an idle stream', ErrorCode.ProtocolError, windowUpdate(3, 1)],
  ['5.1.1 HEADERS on an even stream id', ErrorCode.ProtocolError, get(2)],
  ['5.1.1 HEADERS on a stream id that was passed over', ErrorCode.ProtocolError, get(7), get(5)],
  ['6.1 DATA on stream 0', ErrorCode.ProtocolError, data(0, 'x')],
  [
    '6.1 DATA whose padding is as long as its payload',
    ErrorCode.ProtocolError,
    frame(FrameType.Data, Flag.Padded, 1, Buffer.from([1])),
  ],
  ['6.1 padded DATA without a Pad Length', ErrorCode.FrameSizeError, frame(FrameType.Data, Flag.Padded, 1)],
  ['6.2 HEADERS on stream 0', ErrorCode.ProtocolError, get(0)],
  [
    '6.2 HEADERS whose padding exceeds the block',
    ErrorCode.ProtocolError,
    frame(FrameType.Headers, Flag.Padded | Flag.EndHeaders, 3, Buffer.from([9, 0])),
  ],
  [
    '6.2 HEADERS too short for its priority',
    ErrorCode.FrameSizeError,
    frame(FrameType.Headers, Flag.Priority | Flag.EndHeaders, 3, Buffer.from([0, 0])),
  ],
  ['6.3 PRIORITY on stream 0', ErrorCode.ProtocolError, priority(0, 1)],
  [
    '6.3 PRIORITY of a wrong length on an idle stream',
    ErrorCode.FrameSizeError,
    frame(FrameType.Priority, 0, 9, Buffer.alloc(4)),
  ],
  ['6.4 RST_STREAM on stream 0', ErrorCode.ProtocolError, rstStream(0, 8)],
  [
    '6.4 RST_STREAM of a wrong length',
    ErrorCode.FrameSizeError,
    frame(FrameType.RstStream, 0, 1, Buffer.alloc(3)),
  ],
  ['6.5 SETTINGS on a stream', ErrorCode.ProtocolError, frame(FrameType.Settings, 0, 1)],
  [
    '6.5 SETTINGS of a length that is no multiple of 6',
    ErrorCode.FrameSizeError,
    frame(FrameType.Settings, 0, 0, Buffer.alloc(5)),
  ],
  [
    '6.5 SETTINGS ACK with a payload',
    ErrorCode.FrameSizeError,
    frame(FrameType.Settings, Flag.Ack, 0, Buffer.alloc(6)),
  ],
  ['6.5 SETTINGS ACK for nothing', ErrorCode.ProtocolError, settingsAck],
  ['6.5.2 ENABLE_PUSH other than 0 or 1', ErrorCode.ProtocolError, settings(2, 2)],
  ['6.5.2 INITIAL_WINDOW_SIZE above 2^31-1', ErrorCode.FlowControlError, settings(4, 0x8000_0000)],
  ['6.5.2 MAX_FRAME_SIZE below 16384', ErrorCode.ProtocolError, settings(5, 16_383)],
  ['6.5.2 MAX_FRAME_SIZE above 2^24-1', ErrorCode.ProtocolError, settings(5, 0x100_0000)],
  ['RFC 8441 section 3: ENABLE_CONNECT_PROTOCOL other than 0 or 1', ErrorCode.ProtocolError, settings(8, 2)],
  ['RFC 9218 section 2.1: NO_RFC7540_PRIORITIES other than 0 or 1', ErrorCode.ProtocolError, settings(9, 2)],
  [
    '6.6 PUSH_PROMISE from a client',
    ErrorCode.ProtocolError,
    frame(FrameType.PushPromise, Flag.EndHeaders, 1, Buffer.alloc(4)),
  ],
  ['6.7 PING on a stream', ErrorCode.ProtocolError, frame(FrameType.Ping, 0, 1, Buffer.alloc(8))],
  ['6.7 PING of a wrong length', ErrorCode.FrameSizeError, frame(FrameType.Ping, 0, 0, Buffer.alloc(7))],
  ['6.8 GOAWAY on a stream', ErrorCode.ProtocolError, frame(FrameType.Goaway, 0, 1, Buffer.alloc(8))],
  ['6.8 GOAWAY too short', ErrorCode.FrameSizeError, frame(FrameType.Goaway, 0, 0, Buffer.alloc(7))],
  [
    '6.9 WINDOW_UPDATE of a wrong length',
    ErrorCode.FrameSizeError,
    frame(FrameType.WindowUpdate, 0, 0, Buffer.alloc(5)),
  ],
  ['6.9 WINDOW_UPDATE of 0 on the connection', ErrorCode.ProtocolError, windowUpdate(0, 0)],
  ['6.9.1 a connection window beyond 2^31-1', ErrorCode.FlowControlError, windowUpdate(0, 0x7fff_ffff)],
  [
    '6.10 CONTINUATION without HEADERS',
    ErrorCode.ProtocolError,
    continuation(1, fieldBlock(getFields), true),
  ],
  ['6.10 CONTINUATION on stream 0', ErrorCode.ProtocolError, continuation(0, fieldBlock(getFields), true)],
  [
    '6.10 CONTINUATION after END_HEADERS',
    ErrorCode.ProtocolError,
    get(3),
    continuation(3, fieldBlock(getFields), true),
  ],
  [
    '6.10 another frame inside a field block',
    ErrorCode.ProtocolError,
    headers(3, getFields, { endHeaders: false }),
    ping(),
  ],
  [
    '6.10 an unknown frame inside a field block',
    ErrorCode.ProtocolError,
    headers(3, getFields, { endHeaders: false }),
    frame(0x16, 0, 0),
  ],
  [
    '6.10 CONTINUATION of another stream',
    ErrorCode.ProtocolError,
    headers(3, getFields, { endHeaders: false }),
    continuation(1, Buffer.alloc(0), true),
  ],
  [
    '4.3 a field block that HPACK cannot decode',
    ErrorCode.CompressionError,
    headersOf(3, Buffer.from([0x80])),
  ],
];

for (const [rule, code, ...sent] of connectionErrors) {
  test(`RFC 9113 section ${rule} is a connection error ${code}`, (t) => {
    const peer = Peer.open();
    peer.send(post(1));
    t.is(peer.engine.state, 'open');
    const output = peer.exchange(...sent);
    t.is(peer.engine.failure?.code, code, peer.engine.failure?.reason);
    t.is(peer.engine.state, 'closing');
    t.regex(output.at(-1) ?? '', new RegExp(`^GOAWAY \\d+ ${code}$`));
    t.true(peer.lines.includes(`close 1 engine ${code}`), 'the open stream closes with the connection');
    // Nothing that follows is read.
    const before = peer.lines.length;
    t.deepEqual(peer.exchange(get(101), ping()), []);
    t.is(peer.lines.length, before);
  });
}

test('RFC 9113 section 6.3: PRIORITY of a wrong length on a closed stream is a stream error 6', (t) => {
  const peer = Peer.open({}, { onRequest: (stream) => peer.engine.respond(stream, 200, [], true) });
  peer.send(get(1));
  peer.take();
  t.deepEqual(peer.exchange(frame(FrameType.Priority, 0, 1, Buffer.alloc(4))), ['RST_STREAM 1 6']);
  t.is(peer.engine.failure, null);
});

/** Each case ends only its stream, 1, which is open. */
const streamErrors: readonly (readonly [rule: string, code: number, ...sent: Buffer[]])[] = [
  ['5.3.1 of RFC 7540: PRIORITY on itself', ErrorCode.ProtocolError, priority(1, 1)],
  [
    '6.3 PRIORITY of a wrong length',
    ErrorCode.FrameSizeError,
    frame(FrameType.Priority, 0, 1, Buffer.alloc(4)),
  ],
  ['6.9 WINDOW_UPDATE of 0 on a stream', ErrorCode.ProtocolError, windowUpdate(1, 0)],
  ['6.9.1 a stream window beyond 2^31-1', ErrorCode.FlowControlError, windowUpdate(1, 0x7fff_ffff)],
  ['8.1 a second field section without END_STREAM', ErrorCode.ProtocolError, headers(1, ['a', 'b'])],
];

for (const [rule, code, ...sent] of streamErrors) {
  test(`RFC 9113 section ${rule} is a stream error ${code}`, (t) => {
    const peer = Peer.open();
    peer.send(post(1));
    t.deepEqual(peer.exchange(...sent), [`RST_STREAM 1 ${code}`]);
    t.deepEqual(peer.lines, ['request 1 POST /', `close 1 engine ${code}`]);
    peer.send(get(3));
    t.is(peer.lines.at(-1), 'request 3 GET / end', 'the connection goes on');
  });
}

test('RFC 9113 section 3.4: the server preface is SETTINGS, then the connection window is raised', (t) => {
  const peer = new Peer({
    maxConcurrentStreams: 100,
    streamWindowBytes: 70_000,
    connectionWindowBytes: 100_000,
  });
  t.is(peer.engine.state, 'preface');
  t.true(peer.engine.hasOutput);
  t.deepEqual(peer.output(), [
    `SETTINGS 000300000064${'000400011170'}${'000600008000'}${'000900000001'}`,
    `WINDOW_UPDATE 0 ${100_000 - 65_535}`,
  ]);
});

test('RFC 9113 section 3.4: anything but the preface is refused at the first wrong byte', (t) => {
  const peer = new Peer();
  peer.send(Buffer.from('PRI * HTTP/1'));
  t.is(peer.engine.failure?.code, ErrorCode.ProtocolError);
  t.is(peer.engine.state, 'closing');
});

test('RFC 9113 section 3.4: the preface is followed by SETTINGS', (t) => {
  for (const first of [ping(), settingsAck, get(1), frame(0x44, 0, 0)]) {
    const peer = new Peer();
    peer.send(preface, first);
    t.is(peer.engine.failure?.code, ErrorCode.ProtocolError);
    t.deepEqual(peer.lines, []);
  }
});

test('RFC 9113 section 4.1: the reserved bit of a stream id is ignored', (t) => {
  const peer = Peer.open();
  const bytes = get(1);
  bytes[5] |= 0x80;
  peer.send(bytes);
  t.deepEqual(peer.lines, ['request 1 GET / end']);
});

test('RFC 9113 section 4.2: a size is refused by the head alone, before any payload arrives', (t) => {
  for (const type of [FrameType.Headers, FrameType.Settings, FrameType.Goaway, FrameType.Ping, 0x77]) {
    const peer = Peer.open();
    peer.send(frameHead(type, 0, type === FrameType.Headers ? 1 : 0, 0xff_ffff));
    t.is(peer.engine.failure?.code, ErrorCode.FrameSizeError);
  }
});

test('RFC 9113 section 5.5: unknown frames are skipped, however the network cuts them', (t) => {
  const peer = Peer.open();
  const unknown = frame(0xfa, 0xff, 7, Buffer.alloc(10_000));
  peer.send(unknown.subarray(0, 20));
  peer.send(unknown.subarray(20, 9000));
  peer.send(unknown.subarray(9000), get(1));
  t.deepEqual(peer.lines, ['request 1 GET / end']);
  t.is(peer.engine.counters.framesIn.at(-1), 1);
});

test('RFC 9113 section 6.1: padding is removed and given back', (t) => {
  const peer = Peer.open({ streamWindowBytes: 600 });
  peer.send(post(1), data(1, 'abc', false, 200), data(1, '', false, 200));
  t.deepEqual(peer.lines, ['request 1 POST /', 'data 1 3']);
  t.is(peer.stream(1).unconsumedBytes, 3);
  t.deepEqual(peer.output(), ['WINDOW_UPDATE 1 402'], '2 Pad Lengths and 400 bytes');
  peer.send(data(1, 'de', true, 5));
  t.is(peer.contentOf(1), 'abcde');
  t.is(peer.lines.at(-1), 'data 1 2 end');
});

test('RFC 9113 section 6.2: HEADERS may be padded and carry a priority', (t) => {
  const peer = Peer.open();
  peer.send(headers(1, getFields, { endStream: true, padBytes: 17, dependsOn: 0 }));
  t.deepEqual(peer.lines, ['request 1 GET / end']);
});

test('RFC 9113 section 6.2: a stream that depends on itself is refused', (t) => {
  const peer = Peer.open();
  t.deepEqual(peer.exchange(headers(1, getFields, { endStream: true, dependsOn: 1 })), ['RST_STREAM 1 1']);
  t.deepEqual(peer.lines, []);
});

test('RFC 9113 section 6.3: PRIORITY is accepted on any stream and does nothing', (t) => {
  const peer = Peer.open();
  peer.send(priority(9, 0), get(1), priority(1, 9), priority(3, 1));
  t.deepEqual(peer.lines, ['request 1 GET / end']);
  t.deepEqual(peer.output(), []);
});

test('RFC 9113 section 6.7: PING is answered with its own bytes', (t) => {
  const peer = Peer.open();
  t.deepEqual(peer.exchange(ping('abcdefgh')), ['PING ack abcdefgh']);
});

test('RFC 9113 section 6.7: an answer to the server’s PING counts once', (t) => {
  const peer = Peer.open();
  peer.engine.ping();
  t.is(peer.engine.unansweredPings, 1);
  t.deepEqual(peer.output(), ['PING sluice\0\0']);
  t.deepEqual(peer.exchange(ping('sluice\0\0', true)), []);
  t.is(peer.engine.unansweredPings, 0);
});

test('RFC 9113 section 6.8: GOAWAY from the peer is reported, and its streams continue', (t) => {
  const peer = Peer.open();
  peer.send(post(1), goaway(0, 0), data(1, 'x', true));
  t.deepEqual(peer.lines, ['request 1 POST /', 'goaway 0 0', 'data 1 1 end']);
});

test('RFC 9113 section 6.10: a field block may come in many frames, with padding and priority on the first', (t) => {
  const peer = Peer.open();
  const block = fieldBlock([...postFields, 'a', 'b']);
  peer.send(
    headersOf(1, block.subarray(0, 5), { endHeaders: false, padBytes: 3, dependsOn: 0 }),
    continuation(1, block.subarray(5, 5), false),
    continuation(1, block.subarray(5, 30), false),
    continuation(1, block.subarray(30), true),
    data(1, 'x', true),
  );
  t.deepEqual(peer.lines, ['request 1 POST /', 'data 1 1 end']);
  t.deepEqual(peer.stream(1).fields, ['a', 'b']);
});
