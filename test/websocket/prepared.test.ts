/** Messages that many sockets share: with real clients of `ws`, and as bytes of a frame. */
import { once } from 'node:events';
import { inflateRawSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { acceptWith, PreparedMessage } from '../../workers/websocket/accept.ts';
import { FileScope } from '../server/harness.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { NUMBERED, numbered } from './applications/sockets.ts';
import { HandshakeExchange } from './memory-tunnel.ts';
import { type SocketServer, startSockets } from './server.ts';

const scope = new FileScope();
const servers: { validated?: SocketServer; plain?: SocketServer } = {};
test.before(async () => {
  servers.validated = await startSockets(scope);
  servers.plain = await startSockets(scope, { validate: false });
});
test.after.always(() => scope.end());

async function mixed(t: ExecutionContext, server: SocketServer | undefined, path: string, deflate: object) {
  const socket = new WebSocket(`ws://127.0.0.1:${server?.port}${path}`, { perMessageDeflate: deflate });
  t.teardown(() => socket.terminate());
  const messages: string[] = [];
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) resolve(data);
    else messages.push(String(data));
  });
  await once(socket, 'open');
  t.deepEqual(await promise, Buffer.from([1, 2, 3]));
  return { messages, extensions: socket.extensions };
}

const EXPECTED = Array.from({ length: NUMBERED }, (_, n) => numbered(n));

for (const name of ['plain', 'validated'] as const) {
  const of = () => servers[name];
  test(`prepared messages keep their order among messages that are sent individually (${name})`, async (t) => {
    const { messages } = await mixed(t, of(), '/mixed', {});
    t.deepEqual(messages, EXPECTED);
  });

  test(`the same holds deflated, with a context for each message and with one for all (${name})`, async (t) => {
    const apart = await mixed(t, of(), '/mixed-deflated', {});
    t.deepEqual(apart.messages, EXPECTED);
    t.regex(apart.extensions, /permessage-deflate/);
    const together = await mixed(t, of(), '/mixed-takeover', {});
    t.deepEqual(together.messages, EXPECTED);
  });

  test(`the same holds for a peer that inflates with a small window (${name})`, async (t) => {
    for (const serverMaxWindowBits of [8, 9, 12]) {
      const { messages } = await mixed(t, of(), '/mixed-deflated', { serverMaxWindowBits });
      t.deepEqual(messages, EXPECTED);
    }
  });
}

test('a peer that does not read is sent no more than maxUnsentBytes, and no peer is sent anything after the end', async (t) => {
  const server = servers.plain as SocketServer;
  const { signals } = server;
  const full = signals.until('full');
  const refused = signals.until('refused after true');
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/pour-prepared`, {
    headers: { [SIGNALS_FIELD]: signals.name },
  });
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  socket.pause();
  await full;
  socket.resume();
  await refused;
  t.is(signals.heard('refused early'), 0);
});

test('a frame is built once for all sockets with the same settings', (t) => {
  const text = 'again and again '.repeat(20);
  const message = new PreparedMessage(text);
  const plain = message.frame(null);
  t.is(message.frame(null), plain);
  t.is(plain[0], 0x81);
  t.is(plain.readUInt16BE(2), text.length);
  const deflate = { level: 6, windowBits: 15, fromBytes: 100 };
  const deflated = message.frame(deflate);
  t.is(message.frame({ ...deflate }), deflated);
  t.is(deflated[0], 0xc1);
  const tail = Buffer.from([0, 0, 0xff, 0xff]);
  const inflated = inflateRawSync(Buffer.concat([deflated.subarray(2), tail]), { finishFlush: 2 });
  t.is(String(inflated), text);
  t.not(message.frame({ ...deflate, level: 1 }), deflated);
  t.is(message.frame({ ...deflate, fromBytes: 1_000 }), plain, 'what is short goes as it is');
});

test('bytes are copied when a message is prepared, and anything but bytes or text is refused', (t) => {
  const bytes = new Uint8Array([1, 2, 3]);
  const message = new PreparedMessage(bytes);
  bytes.fill(9);
  t.deepEqual([...message.frame(null)], [0x82, 3, 1, 2, 3]);
  t.throws(() => new PreparedMessage(7 as never), { code: 'SLUICE_VALUE_INVALID' });
});

test('the length of a frame takes its three forms', (t) => {
  const lengths = [0, 125, 126, 65_535, 65_536];
  const heads = lengths.map((length) => {
    const frame = new PreparedMessage('x'.repeat(length)).frame(null);
    return frame.subarray(1, frame.length - length).toString('hex');
  });
  t.deepEqual(heads, ['00', '7d', '7e007e', '7effff', '7f0000000000010000']);
});

test('what is sent on a socket in one turn leaves in one piece, before automatic frames and before its Close', async (t) => {
  const { exchange, timers, tunnel } = new HandshakeExchange({});
  const socket = acceptWith(exchange, {}, timers);
  const [one, two, three] = ['one', 'two', 'three'].map((text) => new PreparedMessage(text)) as [
    PreparedMessage,
    PreparedMessage,
    PreparedMessage,
  ];
  t.true(socket?.trySend(one));
  t.true(socket?.trySend(two));
  t.is(tunnel.written.length, 0);
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(tunnel.written, [Buffer.concat([one.frame(null), two.frame(null)])]);
  socket?.trySend(three);
  void socket?.send('four');
  socket?.trySend(one);
  void socket?.close(1000);
  await new Promise((resolve) => setImmediate(resolve));
  const texts = [three, new PreparedMessage('four'), one].map((message) => message.frame(null));
  t.deepEqual(
    Buffer.concat(tunnel.written.slice(1)),
    Buffer.concat([...texts, Buffer.from([0x88, 2, 0x03, 0xe8])]),
  );
});
