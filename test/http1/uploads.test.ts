/**
 * Content that arrives faster than it is read, or in crumbs: how much of it is held, and which clients are
 * held up.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { FileScope, type TestServer } from '../server/harness.ts';
import { SIGNALS_FIELD, Signals } from '../server/signals.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import { message } from './raw.ts';
import { startHttp1Server } from './server.ts';

const scope = new FileScope();
let authority: TestAuthority;
let server: TestServer;
let securePort: number;

test.before(async () => {
  authority = await TestAuthority.create();
  const certificate = await authority.issue({ names: ['localhost'] });
  server = await startHttp1Server(scope, {
    listeners: [
      { address: '127.0.0.1:0' },
      {
        address: '127.0.0.1:0',
        tls: { certificates: [new TestFiles(scope).certificate('server', certificate)] },
      },
    ],
  });
  const listening = server.log.lines.find(({ msg }) => msg?.startsWith('listening on https'));
  securePort = Number(String(listening?.address).split(':').at(-1));
});
test.after.always(() => scope.end());

/** The server's end of a connection. */
async function serverSide(client: Socket): Promise<Socket> {
  const accepted = Promise.withResolvers<Socket>();
  const look = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.remotePort === client.localPort) accepted.resolve(socket);
  };
  subscribe('net.server.socket', look);
  try {
    await once(client, 'connect');
    return await accepted.promise;
  } finally {
    unsubscribe('net.server.socket', look);
  }
}

async function open(t: ExecutionContext): Promise<Socket> {
  const socket = connectTo(t);
  await once(socket, 'connect');
  return socket;
}

function connectTo(t: ExecutionContext, scheme: 'http' | 'https' = 'http'): Socket {
  const socket = connect({ port: scheme === 'http' ? server.port : securePort, host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  return socket;
}

async function secured(transport: Socket): Promise<Socket> {
  const socket = connectTls({ socket: transport, ca: authority.cert, servername: 'localhost' });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** Resolves when the server stops to read the connection. Nothing shows the server's TLS sockets to a test. */
function pausedFor(t: ExecutionContext, client: Socket): Promise<void> {
  const paused = Promise.withResolvers<void>();
  const { pause } = Socket.prototype;
  Socket.prototype.pause = function (this: Socket) {
    if (this.localPort !== client.localPort && this.remotePort === client.localPort) paused.resolve();
    return pause.call(this);
  };
  t.teardown(() => {
    Socket.prototype.pause = pause;
  });
  return paused.promise;
}

/** Signals of one test only: the applications send the same words to each test. */
function ownSignals(t: ExecutionContext): Signals {
  const signals = new Signals(`${t.title} ${Math.random()}`);
  t.teardown(() => signals.close());
  return signals;
}

function post(signals: Signals, path: string, ...fields: string[]): string {
  return message([`POST ${path} HTTP/1.1`, 'Host: a', `${SIGNALS_FIELD}: ${signals.name}`, ...fields]);
}

for (const scheme of ['http', 'https'] as const) {
  test(`a reset from a client whose upload is paused is noticed, over ${scheme}`, async (t) => {
    const signals = ownSignals(t);
    const begun = signals.until('begun');
    const closed = signals.until('closed reset by peer code 8');
    const transport = connectTo(t, scheme);
    await once(transport, 'connect');
    const socket = scheme === 'http' ? transport : await secured(transport);
    const paused = pausedFor(t, transport);
    socket.write(post(signals, '/hold', 'Content-Length: 100000000'));
    await begun;
    socket.write(Buffer.alloc(16_000_000));
    await paused;
    transport.resetAndDestroy();
    await closed;
    t.pass();
  });
}

test('a response that is broken off while its request arrives ends in order: no reset takes unread data from the client', async (t) => {
  const signals = ownSignals(t);
  const begun = signals.until('begun');
  const socket = connectTo(t);
  const failed = Promise.withResolvers<Error>();
  socket.once('error', failed.resolve);
  const accepted = await serverSide(socket);
  socket.write(post(signals, '/cut', 'Content-Length: 100000000'));
  await begun;
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  const paused = once(accepted, 'pause');
  socket.write(Buffer.alloc(1_000_000));
  await paused;
  const ended = once(socket, 'end').then(() => null);
  signals.tell('go');
  t.is(await Promise.race([ended, failed.promise]), null);
  t.true(text.includes('one '), text);
  t.false(text.includes('0\r\n\r\n'), text);
});

test('content in one-byte chunks arrives complete and alone', async (t) => {
  const socket = await open(t);
  socket.write(post(ownSignals(t), '/describe', 'Transfer-Encoding: chunked', 'Connection: close'));
  for (let count = 0; count < 100; count++) socket.write('1\r\nx\r\n'.repeat(1_000));
  socket.write('0\r\n\r\n');
  let text = '';
  for await (const piece of socket) text += piece;
  t.is(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)).body, 'x'.repeat(100_000));
});
