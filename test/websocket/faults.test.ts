/** Threads that die and servers that stop while WebSockets are open, and a thousand sockets at once. */
import test from 'ava';
import { http1, http2, ways } from './byte-streams.ts';
import { openPeer, type Peer } from './peer.ts';
import { startSockets } from './server.ts';

const INTERNAL_ERROR = 0x2;
const CANCEL = 0x8;

for (const way of ways) {
  const over = `over HTTP/${way.version}`;

  test(`${over} the death of a thread cuts off its sockets, and the next socket is served`, async (t) => {
    const server = await startSockets(t);
    const [killer, bystander] = await Promise.all([
      openPeer(way, t, server, '/exit'),
      openPeer(way, t, server, '/echo'),
    ]);
    bystander.send('here');
    t.is(await bystander.next(), 'here');
    killer.send('die');
    const cut = { code: 1006, reason: '', resetCode: way.version === '2' ? INTERNAL_ERROR : null };
    t.deepEqual(await killer.closed, cut);
    t.deepEqual(await bystander.closed, cut);
    const next = await openPeer(way, t, server, '/echo');
    next.send('again');
    t.is(await next.next(), 'again');
  });

  test(`${over} a drain closes sockets with 1001 and ends when they have ended`, async (t) => {
    const server = await startSockets(t);
    const peers = await Promise.all(['/echo', '/hold'].map((path) => openPeer(way, t, server, path)));
    const drained = server.server.drain();
    for (const peer of peers) {
      await peer.saidClose;
      peer.close(1001);
      t.like(await peer.closed, { code: 1001 });
    }
    server.signals.tell('go');
    await drained;
    t.is(server.log.count('drain deadline reached'), 0);
  });

  test(`${over} a peer that does not answer the Close of a drain is cut off after closeTimeoutMs`, async (t) => {
    const server = await startSockets(t);
    const peer = await openPeer(way, t, server, '/impatient');
    const closed = server.signals.until('closed 1006 unclean the peer sent no Close within 50 ms');
    const drained = server.server.drain();
    await peer.saidClose;
    await closed;
    await drained;
    const resetCode = way.version === '2' ? CANCEL : null;
    t.deepEqual(await peer.closed, { code: 1001, reason: '', resetCode });
    t.is(server.log.count('drain deadline reached'), 0);
  });
}

test('a thousand sockets over both versions are echoed and closed, and leave nothing behind', async (t) => {
  const server = await startSockets(t, { exchangesPerThread: 1_024 });
  const SOCKETS = 1_000;
  // A connection allows 128 streams.
  const peers: Peer[] = [];
  for (let i = 0; i < SOCKETS; i += 100) {
    const some = Array.from({ length: 100 }, (_, j) =>
      openPeer(j % 10 === 0 ? http2 : http1, t, server, '/quiet'),
    );
    peers.push(...(await Promise.all(some)));
  }
  t.is(peers.length, SOCKETS);
  for (let round = 0; round < 3; round++) {
    peers.forEach((peer, index) => {
      peer.send(`${round} to ${index}`);
    });
    const answers = await Promise.all(peers.map((peer) => peer.next()));
    t.true(answers.every((answer, index) => answer === `${round} to ${index}`));
  }
  for (const peer of peers) peer.close(1000);
  const closed = await Promise.all(peers.map((peer) => peer.closed));
  t.true(closed.every(({ code, resetCode }) => code === 1000 && (resetCode ?? 0) === 0));
  // Without an open socket there is nothing to wait for.
  await server.server.drain();
  t.is(server.log.count('drain deadline reached'), 0);
});
