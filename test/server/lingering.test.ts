/** How long a connection that the server has ended is waited for, and what is read of it. The clock is the test's. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { LingeringSockets, type LingerOptions } from '../../runtime/connections/lingering.ts';

const OPTIONS: LingerOptions = { quietMs: 5, timeoutMs: 30, writeTimeoutMs: 60, maxBytes: 100_000 };
/** More than two systems' buffers hold. */
const MUCH = 32_000_000;

interface Pair {
  readonly socket: Socket;
  /** It keeps its side open, and reads only when it is told to. */
  readonly peer: Socket;
  readonly lingering: LingeringSockets;
  isEmpty: boolean;
}

async function pair(t: ExecutionContext): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const peer = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [socket] = (await once(server, 'connection')) as [Socket];
  for (const each of [socket, peer]) {
    each.on('error', () => undefined);
    t.teardown(() => each.destroy());
  }
  t.teardown(() => server.close());
  const made: Pair = {
    socket,
    peer,
    lingering: new LingeringSockets(OPTIONS, () => {
      made.isEmpty = true;
    }),
    isEmpty: false,
  };
  return made;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** All that was written has been taken, and a tick has seen it. */
async function reading({ socket, lingering }: Pair, nowMs: number): Promise<void> {
  await until(() => socket.writableFinished);
  lingering.tick(nowMs);
}

test('the peer gets what was written and the end, and its own end closes the connection', async (t) => {
  const ended = await pair(t);
  ended.socket.write('last words');
  ended.lingering.add(ended.socket, 0);
  let text = '';
  for await (const chunk of ended.peer) text += chunk;
  t.is(text, 'last words');
  t.is(ended.lingering.size, 1);
  t.false(ended.isEmpty);
  ended.peer.end();
  await once(ended.socket, 'close');
  t.is(ended.lingering.size, 0);
  t.true(ended.isEmpty);
});

test('a peer that sends nothing is waited for no longer than quietMs', async (t) => {
  const ended = await pair(t);
  ended.lingering.add(ended.socket, 100);
  await reading(ended, 200);
  ended.lingering.tick(204);
  t.false(ended.socket.destroyed);
  ended.lingering.tick(205);
  t.true(ended.socket.destroyed);
});

test('one that sends is waited for up to timeoutMs in all', async (t) => {
  const ended = await pair(t);
  ended.lingering.add(ended.socket, 100);
  await reading(ended, 200);
  let sent = 0;
  for (let nowMs = 204; nowMs < 230; nowMs += 4) {
    ended.peer.write('and on');
    sent += 6;
    await until(() => ended.socket.bytesRead === sent);
    ended.lingering.tick(nowMs);
    t.false(ended.socket.destroyed, `${nowMs}`);
  }
  ended.lingering.tick(230);
  t.true(ended.socket.destroyed);
});

test('no more than maxBytes, and the piece that goes beyond, is read of it', async (t) => {
  const ended = await pair(t);
  ended.lingering.add(ended.socket, 100);
  ended.peer.write(Buffer.alloc(MUCH));
  await until(() => ended.socket.isPaused());
  const { bytesRead } = ended.socket;
  t.true(bytesRead > OPTIONS.maxBytes && bytesRead < OPTIONS.maxBytes + 200_000, `${bytesRead}`);
  await reading(ended, 200);
  ended.lingering.tick(205);
  t.true(ended.socket.destroyed, 'it is quiet, as nothing is read');
});

test('one that takes nothing of what was written is waited for up to writeTimeoutMs, one that takes some for longer', async (t) => {
  const ended = await pair(t);
  // Node tells of a piece when all of it has been taken.
  ended.socket.write(Buffer.alloc(MUCH));
  ended.socket.write(Buffer.alloc(MUCH));
  ended.lingering.add(ended.socket, 100);
  ended.lingering.tick(159);
  t.false(ended.socket.destroyed);
  const { writableLength } = ended.socket;
  ended.peer.on('data', () => undefined);
  await until(() => ended.socket.writableLength < writableLength);
  ended.peer.pause();
  ended.lingering.tick(160);
  t.false(ended.socket.destroyed, 'it has taken some');
  t.is(ended.socket.writableLength, MUCH);
  ended.lingering.tick(219);
  t.false(ended.socket.destroyed);
  ended.lingering.tick(220);
  t.true(ended.socket.destroyed);
});

test('a socket is taken once, and not at all when it has been destroyed', async (t) => {
  const ended = await pair(t);
  ended.lingering.add(ended.socket, 0);
  ended.lingering.add(ended.socket, 0);
  t.is(ended.lingering.size, 1);
  ended.socket.destroy();
  await once(ended.socket, 'close');
  ended.lingering.add(ended.socket, 0);
  t.is(ended.lingering.size, 0);
});
