/** A WebSocket alone: time, limits and endings, with a tunnel and a clock controlled by the test. */
import { deflateRawSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { acceptWith, type WebSocketOptions } from '../../workers/websocket/accept.ts';
import { contents } from '../values/wrong.ts';
import { close, frame, HandshakeExchange, settled, text } from './memory-tunnel.ts';

function open(t: ExecutionContext, options?: WebSocketOptions, fields = {}) {
  const handshake = new HandshakeExchange(fields);
  const socket = acceptWith(handshake.exchange, options, handshake.timers);
  if (socket === null) throw new Error(handshake.answer?.body);
  t.is(handshake.answer?.status, 101);
  return { ...handshake, socket, messages: socket[Symbol.asyncIterator]() };
}

/** A Close of the server's: its code. */
const closeCode = (bytes: Buffer): number => {
  const at = bytes.lastIndexOf(0x88);
  return bytes[at + 1] === 0 ? 1005 : bytes.readUInt16BE(at + 2);
};

const INTERVAL = { pingIntervalMs: 1_000, pongTimeoutMs: 400 };
const PING = Buffer.from([0x89, 0]);
const pingsIn = (written: readonly Buffer[]) => written.filter((chunk) => chunk.equals(PING)).length;

// ---- keep-alive

test('a silent peer is pinged after pingIntervalMs and cut off pongTimeoutMs later', async (t) => {
  const { socket, tunnel, timers } = open(t, INTERVAL);
  timers.advance(999);
  t.is(pingsIn(tunnel.written), 0);
  timers.advance(1);
  t.is(pingsIn(tunnel.written), 1);
  // The ping has been sent, which says nothing about the peer.
  await settled();
  timers.advance(399);
  t.is(tunnel.state, 'open');
  timers.advance(1);
  t.deepEqual(await socket.closed, {
    code: 1006,
    reason: 'the peer did not answer a ping for 400 ms',
    wasClean: false,
  });
  t.is(tunnel.state, 'reset');
  await settled();
  t.is(timers.pending, 0);
});

test('any incoming byte postpones the ping, and any answer to a ping is a sign of life', async (t) => {
  const { tunnel, timers, messages } = open(t, INTERVAL);
  void messages.next();
  timers.advance(900);
  tunnel.feed(text('here'));
  await settled();
  timers.advance(999);
  t.is(pingsIn(tunnel.written), 0);
  timers.advance(101);
  t.is(pingsIn(tunnel.written), 1);
  tunnel.feed(frame(0xa));
  await settled();
  timers.advance(400);
  t.is(tunnel.state, 'open');
  // The next ping is sent one interval after the last.
  timers.advance(599);
  t.is(pingsIn(tunnel.written), 1);
  timers.advance(1);
  t.is(pingsIn(tunnel.written), 2);
});

test('the silence of a peer that is held up because the application does not read does not count', async (t) => {
  const { tunnel, timers, messages } = open(t, { ...INTERVAL, maxUnreadBytes: 1 });
  tunnel.feed(text('unread'));
  await settled();
  timers.advance(100_000);
  t.is(tunnel.state, 'open');
  t.is(pingsIn(tunnel.written), 0);
  t.is((await messages.next()).value, 'unread');
});

test('bytes that the peer takes after output has waited are a sign of life', async (t) => {
  const { tunnel, timers, socket } = open(t, INTERVAL);
  tunnel.isHeld = true;
  const sent = socket.send('slowly');
  timers.advance(1_000);
  await settled();
  t.is(pingsIn(tunnel.written), 0);
  tunnel.release();
  await sent;
  timers.advance(400);
  t.is(tunnel.state, 'open');
});

test('with pingIntervalMs 0 there are no pings and no timer', (t) => {
  const { tunnel, timers } = open(t, { pingIntervalMs: 0 });
  t.is(timers.pending, 0);
  timers.advance(1e9);
  t.is(tunnel.written.length, 0);
});

// ---- closing

test('a peer that does not answer our Close is cut off after closeTimeoutMs', async (t) => {
  const { socket, tunnel, timers } = open(t, { closeTimeoutMs: 700 });
  const closed = socket.close(3000, 'go');
  await settled();
  t.is(closeCode(tunnel.bytes), 3000);
  timers.advance(699);
  t.is(tunnel.state, 'open');
  timers.advance(1);
  t.deepEqual(await closed, {
    code: 1006,
    reason: 'the peer sent no Close within 700 ms',
    wasClean: false,
  });
  t.is(tunnel.state, 'reset');
  await settled();
  t.is(timers.pending, 0);
});

test('a peer that sends Close and does not end its side is cut off after closeTimeoutMs', async (t) => {
  const { socket, tunnel, timers } = open(t, { closeTimeoutMs: 700 });
  tunnel.feed(close(1000, 'done'));
  t.deepEqual(await socket.closed, { code: 1000, reason: 'done', wasClean: true });
  await settled();
  t.is(tunnel.state, 'ended');
  const returned = tunnel.returned(false);
  timers.advance(700);
  t.is(tunnel.state, 'reset');
  await returned;
  await settled();
  t.is(timers.pending, 0);
});

test('a peer that closes in order leaves no timer behind', async (t) => {
  const { socket, tunnel, timers } = open(t);
  tunnel.feed(close());
  tunnel.feedEnd();
  t.like(await socket.closed, { code: 1005, wasClean: true });
  await tunnel.returned(false);
  t.is(closeCode(tunnel.bytes), 1005);
  t.is(timers.pending, 0);
});

test('a Close waits for the application for closeTimeoutMs and no longer', async (t) => {
  const { socket, tunnel, timers, messages } = open(t, { closeTimeoutMs: 700 });
  tunnel.feed(text('think about it'), close(1000));
  t.is((await messages.next()).value, 'think about it');
  await settled();
  t.is(tunnel.written.length, 0);
  await socket.send('still thinking');
  timers.advance(700);
  t.like(await socket.closed, { code: 1000, wasClean: true });
  t.is(closeCode(tunnel.bytes), 1000);
  await t.throwsAsync(socket.send('too late'), { code: 'SLUICE_WEBSOCKET_CLOSED' });
});

test('a Close is answered when the application leaves its loop, and unread messages are dropped', async (t) => {
  const { socket, tunnel } = open(t);
  tunnel.feed(text('one'), text('two'), close(1000));
  for await (const message of socket) {
    t.is(message, 'one');
    break;
  }
  t.like(await socket.closed, { code: 1000, wasClean: true });
});

test('when the function is over: 1000 if it returned, 1011 if it failed, nothing more if it closed', async (t) => {
  for (const [failed, code] of [
    [false, 1000],
    [true, 1011],
  ] as const) {
    const { tunnel, socket } = open(t);
    const over = tunnel.returned(failed);
    await settled();
    t.is(closeCode(tunnel.bytes), code);
    tunnel.feed(close(code));
    tunnel.feedEnd();
    await over;
    t.like(await socket.closed, { code, wasClean: true });
  }
  const { tunnel, socket } = open(t);
  void socket.close(4000);
  const over = tunnel.returned(false);
  tunnel.feed(close(4000));
  tunnel.feedEnd();
  await over;
  t.is(tunnel.bytes.filter((byte) => byte === 0x88).length, 1);
});

test('a drain sends 1001, and a handshake during one is refused with 503', async (t) => {
  const { tunnel, drain } = open(t);
  drain.abort();
  await settled();
  t.is(closeCode(tunnel.bytes), 1001);

  const late = new HandshakeExchange();
  late.drain.abort();
  t.is(acceptWith(late.exchange, {}, late.timers), null);
  t.is(late.answer?.status, 503);
  t.is(String(late.answer?.fields.get('retry-after')), '1');
});

test('leaving the scope of a socket closes it and waits for its end', async (t) => {
  const { tunnel, socket } = open(t);
  await socket.send('within');
  // What `await using` calls; Node 22 cannot parse that syntax.
  const left = socket[Symbol.asyncDispose]();
  await settled();
  t.is(closeCode(tunnel.bytes), 1000);
  tunnel.feed(close(1000));
  await left;
});

test('close accepts the codes that may be sent and reasons of up to 123 bytes', (t) => {
  for (const code of [1000, 1001, 1003, 1007, 1014, 3000, 4999]) {
    t.notThrows(() => void open(t).socket.close(code, 'r'.repeat(123)));
  }
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, Number.NaN]) {
    t.throws(() => void open(t).socket.close(code), { code: 'SLUICE_WEBSOCKET_CLOSE_INVALID' });
  }
  for (const code of ['1000', null, 1000n, Symbol('1000'), {}, new Proxy({}, { get: () => t.fail() })]) {
    t.throws(() => void open(t).socket.close(code as never), { code: 'SLUICE_WEBSOCKET_CLOSE_INVALID' });
  }
  for (const reason of [null, 5, Buffer.from('r'), Symbol('r')]) {
    t.throws(() => void open(t).socket.close(1000, reason as never), {
      code: 'SLUICE_WEBSOCKET_CLOSE_INVALID',
    });
  }
  const tooLong = () => void open(t).socket.close(1000, `${'r'.repeat(122)}ä`);
  t.throws(tooLong, { code: 'SLUICE_WEBSOCKET_CLOSE_INVALID', message: /124 bytes/ });
});

// ---- limits

test('send buffers maxUnsentBytes for an application that does not wait, and one message of any size', async (t) => {
  const { socket, tunnel } = open(t, { maxUnsentBytes: 10 });
  tunnel.isHeld = true;
  const large = socket.send('x'.repeat(50));
  await t.throwsAsync(socket.send('x'), {
    code: 'SLUICE_WEBSOCKET_BACKLOG',
    message: /1 more bytes while 50 wait/,
  });
  tunnel.release();
  await large;
  tunnel.isHeld = true;
  void socket.send('x'.repeat(5));
  void socket.send('x'.repeat(5));
  t.is(socket.unsentBytes, 10);
  await t.throwsAsync(socket.send('x'), { code: 'SLUICE_WEBSOCKET_BACKLOG' });
  tunnel.release();
  await settled();
  t.is(socket.unsentBytes, 0);
});

test('send accepts text and bytes; for anything else it throws and changes nothing', async (t) => {
  const { socket, tunnel } = open(t, { maxUnsentBytes: 10 });
  for (const [what, wrong] of contents) {
    const error = t.throws(() => void socket.send(wrong as never), { code: 'SLUICE_VALUE_INVALID' }, what);
    t.regex(error?.message ?? '', /^expected a message of bytes .+, got .+/);
    t.is(socket.unsentBytes, 0);
  }
  await settled();
  t.deepEqual(tunnel.written, []);
  await socket.send('\ud800');
  await socket.send(new Uint8Array(new SharedArrayBuffer(1)));
  t.deepEqual(tunnel.bytes, Buffer.from([0x81, 3, 0xef, 0xbf, 0xbd, 0x82, 1, 0]));
});

test('the tunnel is read while less than maxUnreadBytes wait, including an overhead for each message', async (t) => {
  const { tunnel, messages } = open(t, { maxUnreadBytes: 3 * 64 + 3 });
  for (let i = 0; i < 4; i++) tunnel.feed(text('x'));
  await settled();
  // The fourth chunk is read when one of three messages has been taken.
  t.is(tunnel.pulls, 3);
  await messages.next();
  await settled();
  t.is(tunnel.pulls, 4);
});

test('for a peer that pings and does not read, 16 answers and its latest ping are kept', async (t) => {
  const { tunnel, messages } = open(t);
  void messages.next();
  tunnel.isHeld = true;
  for (let n = 0; n < 1_000; n++) tunnel.feed(frame(0x9, `ping ${n}`));
  await settled();
  tunnel.release();
  await settled();
  const pongs = [...tunnel.bytes.toString('latin1').matchAll(/\x8a.(ping \d+)/gs)].map(([, text]) => text);
  t.deepEqual(pongs, [...Array.from({ length: 16 }, (_, n) => `ping ${n}`), 'ping 999']);
});

test('messages that inflate a thousandfold are not inflated before the application reads', async (t) => {
  const offer = { 'sec-websocket-extensions': 'permessage-deflate; client_no_context_takeover' };
  const { tunnel, socket, messages, answer } = open(t, { compression: true }, offer);
  t.is(answer?.fields.get('sec-websocket-extensions')?.includes('client_no_context_takeover'), true);
  const megabyte = deflateRawSync(Buffer.alloc(1_000_000), { finishFlush: 2 }).subarray(0, -4);
  const COUNT = 40;
  tunnel.feed(...Array.from({ length: COUNT }, () => frame(2, megabyte, { rsv1: true })));
  while (!socket.isHeld) await settled();
  await settled();
  // The piece that was read last may have held one message more than the limit.
  tunnel.cut();
  await socket.closed;
  let waiting = 0;
  for (let next = await messages.next(); next.done !== true; next = await messages.next()) waiting++;
  t.true(waiting >= 1 && waiting <= 2, `${waiting} of ${COUNT} megabytes waited`);
});

test('a frame may arrive byte by byte, in up to 1024 pieces plus one for each 256 bytes of maxMessageBytes', async (t) => {
  const PIECES = 1_024 + 4;
  for (const [length, state] of [
    [PIECES, 'open'],
    [PIECES + 1, 'ended'],
  ] as const) {
    const { tunnel } = open(t, { maxMessageBytes: 4 * 256 + 200 });
    // The frame's header counts: waiting bytes are all that have arrived and cannot be used yet.
    const bytes = frame(1, 'x'.repeat(1_224));
    tunnel.feed(bytes.subarray(0, 8));
    for (let at = 8; at < 8 + length; at++) tunnel.feed(bytes.subarray(at, at + 1));
    await settled();
    t.is(tunnel.state, state);
    if (state === 'ended') t.is(closeCode(tunnel.bytes), 1008);
  }
});

test('a second reader is refused', async (t) => {
  const { messages, socket } = open(t);
  void messages.next();
  await t.throwsAsync(socket[Symbol.asyncIterator]().next(), { code: 'SLUICE_WEBSOCKET_READER_BUSY' });
});

test('a tunnel that is cut off while a message is deflated ends the socket and nothing else', async (t) => {
  const offer = { 'sec-websocket-extensions': 'permessage-deflate' };
  const { tunnel, socket, timers } = open(t, { compression: { thresholdBytes: 0 } }, offer);
  const sent = socket.send('x'.repeat(500_000));
  tunnel.cut();
  await t.throwsAsync(sent, { code: 'SLUICE_WEBSOCKET_CLOSED' });
  t.like(await socket.closed, { code: 1006 });
  await settled();
  t.is(timers.pending, 0);
});
