/** WebSockets and tunnels over TLS: by ALPN, from https pages, and with half-closed connections. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import test from 'ava';
import { WebSocket } from 'ws';
import { FileScope } from '../server/harness.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import { Peer } from './peer.ts';
import { readAll } from './read-all.ts';
import { type SocketServer, startSockets } from './server.ts';

const scope = new FileScope();
let ca: string;
let server: SocketServer;
test.before(async () => {
  const authority = await TestAuthority.create();
  ca = authority.cert;
  const issued = await authority.issue({ names: ['localhost'] });
  const certificates = [new TestFiles(scope).certificate('localhost', issued)];
  server = await startSockets(scope, {}, [{ address: '127.0.0.1:0', tls: { certificates } }]);
});
test.after.always(() => scope.end());

test('wss over HTTP/1.1: a page from the same host over https may connect', async (t) => {
  const url = `wss://localhost:${server.port}/echo`;
  const socket = new WebSocket(url, { ca, origin: `https://localhost:${server.port}` });
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  socket.send('secret');
  const [message] = await once(socket, 'message');
  t.is(String(message), 'secret');
  socket.close(1000);
  const [code] = await once(socket, 'close');
  t.is(code, 1000);
});

test('wss over HTTP/2: a WebSocket is a stream beside the others of the connection', async (t) => {
  const session = connectHttp2(`https://localhost:${server.port}`, { ca });
  t.teardown(() => session.destroy());
  if (!session.remoteSettings?.enableConnectProtocol) await once(session, 'remoteSettings');
  t.is(session.alpnProtocol, 'h2');
  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/echo',
    ':authority': `localhost:${server.port}`,
    'sec-websocket-version': '13',
    origin: `https://localhost:${server.port}`,
  });
  const [fields] = await once(stream, 'response');
  t.is(fields[':status'], 200);
  const peer = new Peer({
    status: 200,
    fields: {},
    stream,
    resetCode: () => stream.rstCode,
    cut: () => stream.close(),
  });
  peer.send('secret');
  const beside = session.request({ ':path': '/free/describe' });
  const [other] = await once(beside, 'response');
  t.is(other[':status'], 418);
  t.is(await peer.next(), 'secret');
  peer.close(1000);
  t.deepEqual(await peer.closed, { code: 1000, reason: '', resetCode: 0 });
});

test('a tunnel over TLS continues in one direction when the other has ended', async (t) => {
  const address = { host: '127.0.0.1', port: server.port };
  const tcp = connectTcp({ ...address, allowHalfOpen: true });
  const socket = connectTls({ socket: tcp, ca, servername: 'localhost' });
  const outgoing = request({
    ...address,
    method: 'CONNECT',
    path: 'echo.tunnel.invalid:443',
    createConnection: () => socket,
  });
  outgoing.end();
  const [response, tunnel] = (await once(outgoing, 'connect')) as [{ statusCode: number }, Duplex];
  t.teardown(() => tunnel.destroy());
  t.is(response.statusCode, 200);
  const large = Buffer.alloc(3_000_000, 'secret ');
  tunnel.end(large);
  t.true(large.equals(await readAll(tunnel)));
});
