/** The limit of TLS handshakes on a live server. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { TestAuthority, TestFiles } from './authority.ts';
import { clientHello } from './client-hello.ts';
import { who } from './who.ts';

const scope = new FileScope();
let authority: TestAuthority;
let certificate: { cert: string; key: string };
/** A ClientHello as a client sends it: one record. */
let hello: Buffer;

test.before(async () => {
  authority = await TestAuthority.create();
  certificate = new TestFiles(scope).certificate('s', await authority.issue({ names: ['localhost'] }));
  hello = await clientHello();
});
test.after.always(() => scope.end());

type HandshakesInput = NonNullable<NonNullable<ConfigInput['limits']>['handshakes']>;

function serve(
  t: ExecutionContext,
  handshakes: HandshakesInput,
  handshakeTimeoutMs = 60_000,
): Promise<TestServer> {
  return startServer(t, {
    listeners: [
      { address: '127.0.0.1:0', tls: { certificates: [certificate], watch: false, handshakeTimeoutMs } },
    ],
    pools: { who },
    limits: { handshakes },
  });
}

/** A peer that sends this part of a handshake and nothing more. @returns its socket, which buffers nothing */
async function stall(t: ExecutionContext, { port }: TestServer, bytes: Uint8Array): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

/** Waits until the server has begun its handshake with this peer. */
async function answered(socket: Socket): Promise<Socket> {
  await once(socket, 'data');
  return socket;
}

/** Resolves however the socket closes. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

function honest(t: ExecutionContext, { port }: TestServer): TLSSocket {
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  return socket;
}

/** Wraps the socket in a stream that sends each byte separately. */
function byteByByte(socket: Socket): Duplex {
  const stream = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      const send = (at: number): void => {
        if (at === chunk.length) done();
        else socket.write(chunk.subarray(at, at + 1), () => setImmediate(send, at + 1));
      };
      send(0);
    },
    final: (done) => socket.end(done),
  });
  socket.on('data', (chunk: Buffer) => stream.push(chunk));
  socket.on('end', () => stream.push(null));
  return stream;
}

async function isServed(socket: TLSSocket): Promise<boolean> {
  await once(socket, 'secureConnect');
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  const [first] = (await once(socket, 'data')) as [Buffer];
  return first.toString('latin1').startsWith('HTTP/1.1 200 ');
}

test('peers that send no complete ClientHello occupy no place', async (t) => {
  const server = await serve(t, { max: 1 });
  for (const bytes of [hello.subarray(0, 1), hello.subarray(0, 50), hello.subarray(0, -1)]) {
    await stall(t, server, bytes);
  }
  for (let n = 0; n < 3; n++) t.true(await isServed(honest(t, server)));
});

test('a ClientHello that arrives in pieces is served like any other', async (t) => {
  const server = await serve(t, { max: 1, maxHelloBytes: 65_536 });
  const raw = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
  t.teardown(() => raw.destroy());
  await once(raw, 'connect');
  const socket = connectTls({
    socket: byteByByte(raw),
    servername: 'localhost',
    ca: authority.cert,
  });
  t.teardown(() => socket.destroy());
  t.true(await isServed(socket));
});

test('beyond max a handshake of a live server waits until another has ended', async (t) => {
  const server = await serve(t, { max: 1, graceMs: 1_000_000 });
  const first = await stall(t, server, hello);
  await answered(first);
  const waiting = honest(t, server);
  await once(waiting, 'connect');
  let isSecure = false;
  waiting.once('secureConnect', () => {
    isSecure = true;
  });
  // Meanwhile the server handles the end of another connection.
  const gone = await stall(t, server, hello.subarray(0, 1));
  gone.end();
  await closing(gone);
  t.false(isSecure);
  const served = isServed(waiting);
  first.destroy();
  t.true(await served);
});

test('while a connection waits, a handshake that its peer does not continue gives way', async (t) => {
  const server = await serve(t, { max: 1, graceMs: 1 });
  const stalled = await answered(await stall(t, server, hello));
  const closed = closing(stalled);
  t.true(await isServed(honest(t, server)));
  await closed;
  t.is(server.log.lines.filter(({ refusal }) => refusal === 'tls-handshake-gave-way').length, 1);
  t.is(server.log.lines.filter(({ refusal }) => refusal === 'tls-handshake').length, 0);
});

test('a connection that waits longer than handshakeTimeoutMs is closed and counted as a late handshake', async (t) => {
  const server = await serve(t, { max: 1, graceMs: 1_000_000 }, 2_000);
  const sockets: Promise<unknown>[] = [];
  for (let n = 0; n < 3; n++) sockets.push(closing(await stall(t, server, hello)));
  await Promise.all(sockets);
  t.is(server.server.deadlineCounters.tlsHandshake, 3);
});

test('so is one whose ClientHello stays incomplete, however long it trickles', async (t) => {
  const server = await serve(t, { maxHelloBytes: 65_536 }, 100);
  // The record announces more bytes than can arrive in this time.
  const endless = Buffer.from([0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc]);
  const socket = await stall(t, server, endless);
  const drip = (): void => {
    if (socket.writable) socket.write('x', () => setImmediate(drip));
  };
  drip();
  await closing(socket);
  t.is(server.server.deadlineCounters.tlsHandshake, 1);
});

test('a drain disconnects those that wait', async (t) => {
  const server = await serve(t, { max: 1, graceMs: 1_000_000 });
  const first = await answered(await stall(t, server, hello));
  const waiting = await stall(t, server, hello);
  const closed = Promise.all([closing(first), closing(waiting)]);
  await server.server.drain();
  await closed;
  t.pass();
});
