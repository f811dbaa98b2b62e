/** WebSocket libraries that take over a server's upgrades, unmodified in application threads, over both versions of HTTP. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { io, type Socket } from 'socket.io-client';
import { FileScope, type Scope, startServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { connectHttp2, request } from '../../server/http2-client.ts';
import { RefusedError, ways } from '../../websocket/byte-streams.ts';
import { openPeer } from '../../websocket/peer.ts';
import type { SocketServer } from '../../websocket/server.ts';

const file = (name: string): string => fileURLToPath(new URL(`applications/${name}.mjs`, import.meta.url));
const ONE = { threads: { min: 1, max: 1 } };
const scope = new FileScope();
let server: SocketServer;

async function start(scope: Scope): Promise<SocketServer> {
  const started = await startServer(scope, {
    pools: {
      attached: { application: file('ws-attached'), ...ONE },
      unattached: { application: file('ws-unattached'), ...ONE },
      io: { application: file('socket-io'), ...ONE },
      fastify: { application: file('fastify-websocket'), ...ONE },
    },
    routes: [
      { path: '/attached/*', pool: 'attached', websocket: true },
      { path: '/unattached', pool: 'unattached', websocket: true },
      { path: '/socket.io/*', pool: 'io', websocket: true },
      { path: '/fastify/*', pool: 'fastify', websocket: true },
    ],
  });
  return { ...started, scope };
}

test.before(async () => {
  server = await start(scope);
});
test.after.always(() => scope.end());

for (const way of ways) {
  const over = `over HTTP/${way.version}`;

  test(`ws attached to a server ${over}: text and bytes come back, also large and deflated`, async (t) => {
    for (const deflate of [undefined, 'permessage-deflate']) {
      const options = deflate === undefined ? {} : { deflate };
      const peer = await openPeer(way, t, server, '/attached/chat', options);
      for (const message of ['', 'ä', 'text '.repeat(40_000), Buffer.alloc(999_999, 7)]) {
        peer.send(message);
        t.deepEqual(await peer.next(), message);
      }
      peer.close(1000);
      t.like(await peer.closed, { code: 1000 });
    }
  });

  test(`ws attached to a server ${over}: the request has what a handshake of HTTP/1.1 has`, async (t) => {
    const peer = await openPeer(way, t, server, '/attached/chat?a=1', {
      fields: { 'sec-websocket-protocol': 'other, chat' },
    });
    t.is(peer.accepted.fields['sec-websocket-protocol'], 'chat');
    peer.send('facts');
    const facts = JSON.parse(String(await peer.next()));
    t.like(facts, { url: '/attached/chat?a=1', httpVersion: '1.1', address: '127.0.0.1' });
    peer.send('ping');
    t.is(await peer.next(), 'pong there?');
    peer.close(1000);
    await peer.closed;
  });

  test(`ws attached to a server ${over}: close codes cross, and so does a termination`, async (t) => {
    const closing = await openPeer(way, t, server, '/attached/chat');
    closing.send('close');
    await closing.saidClose;
    closing.close(4001);
    t.like(await closing.closed, { code: 4001, reason: 'as you wish' });
    const large = await openPeer(way, t, server, '/attached/chat');
    large.send(Buffer.alloc(1_000_001));
    await large.saidClose;
    large.close(1009);
    t.like(await large.closed, { code: 1009 });
    const terminated = await openPeer(way, t, server, '/attached/chat');
    terminated.send('terminate');
    t.like(await terminated.closed, { code: 1006 });
  });

  test(`ws attached to a server ${over}: a refusal is an ordinary response`, async (t) => {
    const refused = await t.throwsAsync(
      way.webSocket(t, server, '/attached/chat', { authorization: 'nobody' }),
      { instanceOf: RefusedError },
    );
    t.like(refused, { status: 401, body: 'not you' });
    t.is(refused.fields['x-why'], 'unknown');
    const elsewhere = await t.throwsAsync(way.webSocket(t, server, '/attached/elsewhere'), {
      instanceOf: RefusedError,
    });
    t.is(elsewhere.status, 400);
  });

  test(`ws without a server ${over}: what the listener writes decides`, async (t) => {
    const peer = await openPeer(way, t, server, '/unattached', { fields: { 'x-client': 'me' } });
    peer.send('hello');
    t.is(await peer.next(), 'me: hello');
    peer.close(1000);
    await peer.closed;
    const refused = await t.throwsAsync(way.webSocket(t, server, '/unattached'), {
      instanceOf: RefusedError,
    });
    t.is(refused.status, 401, 'written, and the socket destroyed behind it');
    const long = await t.throwsAsync(way.webSocket(t, server, '/unattached', { 'x-client': 'long' }), {
      instanceOf: RefusedError,
    });
    t.like(long, { status: 403, body: 'no '.repeat(50_000) });
    t.is(long.fields['content-type'], 'text/plain');
  });

  test(`ws without a server ${over}: a socket destroyed without a word cuts the exchange off, and nobody else`, async (t) => {
    await t.throwsAsync(way.webSocket(t, server, '/unattached', { 'x-client': 'rude' }));
    const peer = await openPeer(way, t, server, '/unattached', { fields: { 'x-client': 'next' } });
    peer.send('alive');
    t.is(await peer.next(), 'next: alive');
    peer.close(1000);
    await peer.closed;
  });

  test(`@fastify/websocket ${over}: its routes take WebSockets beside requests`, async (t) => {
    const peer = await openPeer(way, t, server, '/fastify/chat?name=ann');
    peer.send('hello');
    t.is(await peer.next(), 'ann: hello');
    peer.close(1000);
    t.like(await peer.closed, { code: 1000 });
    const { body } = await requestHttp1(`${server.origin}/fastify/plain`);
    t.is(body.toString(), '{"hello":"http"}');
  });
}

test('a client that vanishes is gone for ws as well', async (t) => {
  const own = await start(t);
  for (const way of ways) {
    const vanishing = await openPeer(way, t, own, '/attached/chat');
    vanishing.send('clients');
    t.is(await vanishing.next(), '1');
    vanishing.accepted.cut();
    const watcher = await openPeer(way, t, own, '/attached/chat');
    for (let count = '2'; count !== '1'; ) {
      watcher.send('clients');
      count = String(await watcher.next());
    }
    watcher.close(1000);
    await watcher.closed;
    t.pass();
  }
});

test('a module that asks for the notice of a drain can say goodbye', async (t) => {
  const own = await start(t);
  const peers = await Promise.all(ways.map((way) => openPeer(way, t, own, '/attached/chat')));
  const drained = own.server.drain();
  for (const peer of peers) {
    await peer.saidClose;
    peer.close(1001);
    t.like(await peer.closed, { code: 1001 });
  }
  await drained;
});

test('a server with ws answers ordinary requests', async (t) => {
  const session = await connectHttp2(t, server.origin);
  t.is((await request(session, { ':path': '/attached/page' })).body.toString(), 'an ordinary response');
});

for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
  test(`Socket.IO by ${transports.join(', then ')}: events with acknowledgements, binary and rooms`, async (t) => {
    const socket: Socket = io(server.origin, { transports, forceNew: true, reconnection: false });
    t.teardown(() => socket.disconnect());
    const [transport] = (await new Promise((resolve) =>
      socket.once('welcome', (name: string) => resolve([name])),
    )) as [string];
    t.is(transport, transports[0]);
    if (transports.length > 1 && socket.io.engine.transport.name !== 'websocket') {
      await new Promise((resolve) => socket.io.engine.once('upgrade', resolve));
      t.is(socket.io.engine.transport.name, 'websocket');
    }
    const bytes = Buffer.alloc(100_000, 3);
    const answer = await socket.timeout(10_000).emitWithAck('echo', 'text', bytes);
    t.deepEqual(answer, 'text');
    const joined = new Promise((resolve) => socket.once('joined', resolve));
    socket.emit('join', `room of ${transports}`);
    t.is(await joined, `room of ${transports}`);
    const gone = once(socket as never, 'disconnect');
    socket.disconnect();
    await gone;
  });
}
