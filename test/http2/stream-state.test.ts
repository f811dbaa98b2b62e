import test from 'ava';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import { StreamEffect, StreamInput, StreamState, transition } from '../../runtime/http2/stream-state.ts';
import { data, get, headers, post, rstStream, windowUpdate } from './frames.ts';
import { Peer } from './peer.ts';

const states = Object.entries(StreamState) as [keyof typeof StreamState, StreamState][];
const inputs = Object.entries(StreamInput) as [keyof typeof StreamInput, StreamInput][];
const effectNames = Object.keys(StreamEffect);
const stateNames = Object.keys(StreamState);

/**
 * The figure of RFC 9113 section 5.1, written a second time and by columns: the effect of each pair. `=X`
 * proceeds to X, `-` is ignored, `S5` is a stream error 5, `C1` a connection error 1, `!` is a mistake of the
 * owner.
 */
const expected: { readonly [K in keyof typeof StreamInput]: string } = {
  // Idle, Open, HalfClosedRemote, HalfClosedLocal, ReservedLocal, ClosedByEnd, ClosedByPeerReset, ClosedByOurReset
  ReceiveHeaders:
    '    =Open              S1                 S5                 S1                 C1                 C5                 S5                 -',
  ReceiveHeadersEnd:
    '    =HalfClosedRemote  =HalfClosedRemote  S5                 =ClosedByEnd       C1                 C5                 S5                 -',
  ReceiveData:
    '    C1                 =Open              S5                 =HalfClosedLocal   C1                 C5                 S5                 -',
  ReceiveDataEnd:
    '    C1                 =HalfClosedRemote  S5                 =ClosedByEnd       C1                 C5                 S5                 -',
  ReceiveReset:
    '    C1                 =ClosedByPeerReset =ClosedByPeerReset =ClosedByPeerReset =ClosedByPeerReset -                  -                  -',
  ReceiveWindowUpdate:
    '    C1                 =Open              =HalfClosedRemote  =HalfClosedLocal   =ReservedLocal     -                  -                  -',
  ReceivePriority:
    '    -                  -                  -                  -                  -                  -                  -                  -',
  SendHeaders:
    '    !                  =Open              =HalfClosedRemote  !                  =HalfClosedRemote  -                  -                  -',
  SendHeadersEnd:
    '    !                  =HalfClosedLocal   =ClosedByEnd       !                  =ClosedByEnd       -                  -                  -',
  SendData:
    '    !                  =Open              =HalfClosedRemote  !                  !                  -                  -                  -',
  SendDataEnd:
    '    !                  =HalfClosedLocal   =ClosedByEnd       !                  !                  -                  -                  -',
  SendReset:
    '    !                  =ClosedByOurReset  =ClosedByOurReset  =ClosedByOurReset  =ClosedByOurReset  -                  -                  -',
};

for (const [inputName, input] of inputs) {
  const row = expected[inputName].trim().split(/\s+/);
  for (const [stateName, state] of states) {
    test(`RFC 9113 section 5.1: ${inputName} in ${stateName} is ${row[state]}`, (t) => {
      const step = transition(state, input);
      const effect = effectNames[step.effect];
      const came =
        effect === 'Proceed'
          ? `=${stateNames[step.next]}`
          : effect === 'Ignore'
            ? '-'
            : effect === 'Misuse'
              ? '!'
              : `${effect === 'StreamError' ? 'S' : 'C'}${step.code}`;
      t.is(came, row[state]);
      if (effect === 'Ignore' || effect === 'Misuse') t.is(step.next, state);
      if (effect === 'StreamError') t.is(step.next, StreamState.ClosedByOurReset);
    });
  }
}

test('the table covers the whole product', (t) => {
  t.is(inputs.length * states.length, 96);
  for (const row of Object.values(expected)) t.is(row.trim().split(/\s+/).length, states.length);
});

test('RFC 9113 section 5.1: DATA after END_STREAM is a stream error STREAM_CLOSED', (t) => {
  const peer = Peer.open();
  t.deepEqual(peer.exchange(get(1), data(1, 'x')), [`RST_STREAM 1 ${ErrorCode.StreamClosed}`]);
  t.deepEqual(peer.lines, ['request 1 GET / end', 'close 1 engine 5']);
});

test('RFC 9113 section 5.1: HEADERS after END_STREAM is a stream error STREAM_CLOSED', (t) => {
  const peer = Peer.open();
  t.deepEqual(peer.exchange(get(1), headers(1, ['a', 'b'], { endStream: true })), ['RST_STREAM 1 5']);
});

test('RFC 9113 section 5.1: DATA or HEADERS on a stream that both sides ended is a connection error STREAM_CLOSED', (t) => {
  for (const late of [data(1, 'x'), data(1, 'x', true), get(1), headers(1, ['a', 'b'])]) {
    const peer = Peer.open({}, { onRequest: (stream) => peer.engine.respond(stream, 200, [], true) });
    peer.send(get(1));
    t.deepEqual(peer.lines, ['request 1 GET / end', 'close 1 complete 0']);
    peer.send(late);
    t.is(peer.engine.failure?.code, ErrorCode.StreamClosed);
  }
});

test('RFC 9113 section 5.1: WINDOW_UPDATE and RST_STREAM on a closed stream are tolerated', (t) => {
  const peer = Peer.open({}, { onRequest: (stream) => peer.engine.respond(stream, 200, [], true) });
  peer.send(get(1), windowUpdate(1, 5), windowUpdate(1, 0), rstStream(1, 8));
  t.is(peer.engine.state, 'open');
  t.deepEqual(peer.lines, ['request 1 GET / end', 'close 1 complete 0']);
});

test('RFC 9113 section 5.1: frames after the peer itself has reset the stream are a stream error STREAM_CLOSED', (t) => {
  const peer = Peer.open();
  t.deepEqual(peer.exchange(post(1), rstStream(1, 8), data(1, 'x')), ['RST_STREAM 1 5']);
  t.deepEqual(peer.lines, ['request 1 POST /', 'close 1 peer 8']);
  t.is(peer.engine.state, 'open');
});

test('RFC 9113 section 5.1: after the server’s RST_STREAM everything that was on its way is ignored, and HPACK stays in step', (t) => {
  const peer = Peer.open({ connectionWindowBytes: 65_535 });
  peer.send(post(1));
  peer.engine.reset(peer.stream(1), ErrorCode.Cancel);
  // A literal with incremental indexing: name `x`, value `y`.
  const indexed = Buffer.from([0x40, 1, 0x78, 1, 0x79]);
  const trailers = headers(1, []);
  const block = Buffer.concat([trailers, indexed]);
  block.writeUIntBE(indexed.length, 0, 3);
  block[4] |= 1;
  const late = Array.from({ length: 3 }, () => data(1, Buffer.alloc(15_000)));
  t.deepEqual(peer.exchange(...late, block, windowUpdate(1, 9)), ['RST_STREAM 1 8', 'WINDOW_UPDATE 0 45000']);
  t.deepEqual(peer.lines, ['request 1 POST /', 'close 1 owner 8']);
  const again = get(3);
  const reference = Buffer.concat([again, Buffer.from([0x80 | 62])]);
  reference.writeUIntBE(again.length - 9 + 1, 0, 3);
  peer.send(reference);
  t.deepEqual(peer.stream(3).fields, ['x', 'y']);
});

test('closedStreamMemory: frames on a stream below a forgotten reset are ignored', (t) => {
  const peer = Peer.open(
    { closedStreamMemory: 2, maxConcurrentStreams: 1 },
    { onRequest: (stream) => peer.engine.reset(stream, 8) },
  );
  for (let n = 0; n < 3; n++) peer.send(post(2 * n + 1));
  peer.take();
  // Stream 1 is forgotten, 3 and 5 are known.
  t.deepEqual(
    peer.exchange(data(1, 'x'), data(3, 'x'), data(5, 'x'), headers(1, ['x', 'y'], { endStream: true })),
    [],
  );
  t.is(peer.engine.failure, null);
  t.is(peer.engine.counters.lateFrames, 4);
});

test('closedStreamMemory: an ended stream is known to have ended while no reset as old has been forgotten', (t) => {
  const peer = Peer.open({ closedStreamMemory: 2, maxConcurrentStreams: 1 });
  for (let n = 0; n < 3; n++) {
    peer.send(post(2 * n + 1));
    peer.engine.reset(peer.stream(2 * n + 1), 8);
  }
  peer.send(get(7));
  peer.engine.respond(peer.stream(7), 200, [], true);
  peer.send(data(7, 'x'));
  t.is(peer.engine.failure?.code, ErrorCode.StreamClosed);
});

test('closedStreamMemory: twice maxConcurrentStreams are remembered, however small the option is', (t) => {
  const peer = Peer.open(
    { closedStreamMemory: 1, maxConcurrentStreams: 300 },
    { onRequest: (stream) => peer.engine.reset(stream, 8) },
  );
  for (let n = 0; n < 600; n++) peer.send(post(2 * n + 1), rstStream(2 * n + 1, 8));
  peer.take();
  t.is(peer.engine.failure, null);
  // For a remembered stream it is known which side reset it: after the peer's own reset nothing may arrive.
  const other = Peer.open({ closedStreamMemory: 1, maxConcurrentStreams: 300 });
  for (let n = 0; n < 400; n++) other.send(post(2 * n + 1), rstStream(2 * n + 1, 8));
  t.deepEqual(other.exchange(data(1, 'x')), ['RST_STREAM 1 5']);
});

test('RFC 9113 section 5.1.2: a stream beyond SETTINGS_MAX_CONCURRENT_STREAMS is refused, and its data is ignored', (t) => {
  const peer = Peer.open({ maxConcurrentStreams: 2 });
  t.deepEqual(peer.exchange(get(1), post(3), post(5), data(5, 'x', true)), ['RST_STREAM 5 7']);
  t.deepEqual(peer.lines, ['request 1 GET / end', 'request 3 POST /']);
  t.is(peer.engine.counters.refused, 1);
  t.is(peer.engine.streamCount, 2);
  peer.send(rstStream(3, 8), get(7));
  t.is(peer.lines.at(-1), 'request 7 GET / end');
});
