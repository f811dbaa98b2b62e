/**
 * RFC 9113 section 8.1: if a response is complete before its request, the reset that follows waits until the
 * peer has read the response.
 */
import test from 'ava';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import { data, ping, post, rstStream } from './frames.ts';
import { Peer } from './peer.ts';

const PING = 'PING sluice\0\x02';
const answer = ping('sluice\0\x02', true);

/** Answers a request whose content has not ended, and reads no more of it. */
function answerEarly(peer: Peer, id: number): void {
  peer.send(post(id));
  peer.engine.dropRequest(peer.stream(id));
  peer.engine.respond(peer.stream(id), 413, [], true);
}

test('the reset is sent when the peer has answered a PING that follows the response', (t) => {
  const peer = Peer.open();
  answerEarly(peer, 1);
  t.deepEqual(peer.output(), ['HEADERS 1 end :status 413', PING]);
  // The owner is finished with the stream, and content on its way belongs to nobody.
  t.is(peer.lines.at(-1), 'close 1 complete 0');
  t.deepEqual(peer.exchange(data(1, 'x'.repeat(9_000))), []);
  t.deepEqual(peer.exchange(answer), ['RST_STREAM 1 0']);
  t.is(peer.engine.failure, null);
});

test('responses that end while a PING is in flight share the next', (t) => {
  const peer = Peer.open();
  answerEarly(peer, 1);
  answerEarly(peer, 3);
  answerEarly(peer, 5);
  t.deepEqual(
    peer.output().filter((line) => line === PING),
    [PING],
  );
  t.deepEqual(peer.exchange(answer), ['RST_STREAM 1 0', PING]);
  t.deepEqual(peer.exchange(answer), ['RST_STREAM 3 0', 'RST_STREAM 5 0']);
});

for (const [how, end] of [
  ['ends its request', data(1, 'x', true)],
  ['resets the stream', rstStream(1, ErrorCode.Cancel)],
] as const) {
  test(`a peer that ${how} in the meantime gets no reset`, (t) => {
    const peer = Peer.open();
    answerEarly(peer, 1);
    answerEarly(peer, 3);
    peer.output();
    t.deepEqual(peer.exchange(end, answer), [PING]);
    t.deepEqual(peer.exchange(answer), ['RST_STREAM 3 0']);
  });
}

test('resetDelayMs: the server waits this long for a peer that does not answer', (t) => {
  const peer = Peer.open({ resetDelayMs: 500 });
  answerEarly(peer, 1);
  peer.output();
  peer.engine.tick(peer.nowMs + 499);
  t.deepEqual(peer.output(), []);
  peer.engine.tick(peer.nowMs + 500);
  t.deepEqual(peer.output(), ['RST_STREAM 1 0']);
});

test('resetDelayMs: 0 sends the reset at once', (t) => {
  const peer = Peer.open({ resetDelayMs: 0 });
  answerEarly(peer, 1);
  t.deepEqual(peer.output(), ['HEADERS 1 end :status 413', 'RST_STREAM 1 0']);
});

test('after a response that is no error, the reset is sent at once', (t) => {
  const peer = Peer.open();
  peer.send(post(1));
  peer.engine.dropRequest(peer.stream(1));
  peer.engine.respond(peer.stream(1), 399, [], true);
  t.deepEqual(peer.output(), ['HEADERS 1 end :status 399', 'RST_STREAM 1 0']);
});

test('at most as many resets are held as streams may be open', (t) => {
  const peer = Peer.open({ maxConcurrentStreams: 2 });
  for (const id of [1, 3, 5]) answerEarly(peer, id);
  t.deepEqual(peer.output(), [
    'HEADERS 1 end :status 413',
    PING,
    'HEADERS 3 end :status 413',
    'HEADERS 5 end :status 413',
    'RST_STREAM 5 0',
  ]);
});

test('a connection that drains closes when the reset was sent', (t) => {
  for (const end of ['answer', 'tick'] as const) {
    const peer = Peer.open();
    answerEarly(peer, 1);
    peer.engine.goaway(ErrorCode.NoError, false);
    peer.output();
    t.is(peer.engine.state, 'draining');
    if (end === 'answer') peer.send(answer);
    else peer.engine.tick(peer.nowMs + 1_000);
    t.deepEqual(peer.output(), ['RST_STREAM 1 0']);
    t.is(peer.engine.state, 'closing');
  }
});
