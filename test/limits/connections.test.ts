/** Limits on connections: in total, and from one address. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { TestServer } from '../server/harness.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import { startLimited } from './server.ts';

const REQUEST = 'GET /hello HTTP/1.1\r\nhost: a\r\n\r\n';

/** The ports of all listeners. */
function portsOf({ log }: TestServer): number[] {
  return log.lines
    .filter(({ msg }) => String(msg).startsWith('listening on'))
    .map(({ address }) => Number(String(address).split(':').at(-1)));
}

/** Whether a connection that begins with these bytes is served. If so, it stays open. */
function isServed(socket: Socket, words: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.on('error', () => resolve(false));
  socket.on('close', () => resolve(false));
  socket.on('data', () => resolve(true));
  socket.write(words);
  return promise;
}

function open(t: ExecutionContext, port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  return socket;
}

/** Ends a connection, and returns once its place has been given to another. */
async function takeItsPlace(
  t: ExecutionContext,
  leaving: Socket,
  port: number,
  words: string,
): Promise<void> {
  leaving.destroy();
  while (!(await isServed(open(t, port), words))) {
    // The server has not seen the end yet.
  }
  t.pass();
}

test('maxConnections applies to all listeners together; one more is closed at once, and accepted when another has closed', async (t) => {
  const address = '127.0.0.1:0';
  const server = await startLimited(t, { maxConnections: 3 }, { listeners: [{ address }, { address }] });
  const [one, other] = portsOf(server) as [number, number];
  const sockets = [open(t, one), open(t, other), open(t, one)];
  for (const socket of sockets) t.true(await isServed(socket, REQUEST));
  t.false(await isServed(open(t, other), REQUEST));
  t.false(await isServed(open(t, one), REQUEST));
  t.true(server.log.lines.some(({ refusal }) => refusal === 'too-many-connections'));
  await takeItsPlace(t, sockets[0] as Socket, other, REQUEST);
});

test('maxConnectionsPerAddress applies to one address', async (t) => {
  const server = await startLimited(t, { maxConnectionsPerAddress: 2 });
  const sockets = [open(t, server.port), open(t, server.port)];
  for (const socket of sockets) t.true(await isServed(socket, REQUEST));
  t.false(await isServed(open(t, server.port), REQUEST));
  t.true(server.log.lines.some(({ refusal }) => refusal === 'too-many-connections-from-address'));
  await takeItsPlace(t, sockets[0] as Socket, server.port, REQUEST);
});

test('the counted address is the one in a PROXY header, and an IPv6 /64 counts as one', async (t) => {
  const server = await startLimited(
    t,
    { maxConnectionsPerAddress: 1 },
    { listeners: [{ address: '127.0.0.1:0', proxyProtocol: 'v1', trustedProxies: ['127.0.0.1'] }] },
  );
  const from = (family: string, address: string): Promise<boolean> =>
    isServed(
      open(t, server.port),
      `PROXY ${family} ${address} ${family === 'TCP4' ? '192.0.2.9' : '::9'} 1 2\r\n${REQUEST}`,
    );
  t.true(await from('TCP4', '192.0.2.1'));
  t.false(await from('TCP4', '192.0.2.1'));
  t.true(await from('TCP4', '192.0.2.2'));
  t.true(await from('TCP6', '2001:db8:0:1::1'));
  t.false(await from('TCP6', '2001:db8:0:1:ffff::2'));
  t.true(await from('TCP6', '2001:db8:0:2::1'));
});

test('a trusted proxy may open any number of connections', async (t) => {
  const server = await startLimited(
    t,
    { maxConnectionsPerAddress: 1 },
    { listeners: [{ address: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] }] },
  );
  for (let n = 0; n < 3; n++) t.true(await isServed(open(t, server.port), REQUEST));
});

test('TLS connections count from before their handshake until they close', async (t) => {
  const authority = await TestAuthority.create();
  const certificate = new TestFiles(t).certificate('server', await authority.issue({ names: ['localhost'] }));
  const server = await startLimited(
    t,
    { maxConnectionsPerAddress: 2, maxConnections: 2 },
    { listeners: [{ address: '127.0.0.1:0', tls: { certificates: [certificate] } }] },
  );
  const secure = (): Socket => {
    const socket = connectTls({
      port: server.port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: authority.cert,
    });
    t.teardown(() => socket.destroy());
    return socket;
  };
  const first = secure();
  t.true(await isServed(first, REQUEST));
  const handshaking = open(t, server.port);
  await once(handshaking, 'connect');
  while (await isServed(secure(), REQUEST)) {
    // The server has not seen the previous connection yet.
  }
  first.destroy();
  while (!(await isServed(secure(), REQUEST))) {
    // The server has not seen its end yet.
  }
  t.pass();
});
