/**
 * Backpressure from end to end: a side that does not read holds up its sender, and no other socket. Each test
 * checks how far a sender got after many round trips of another socket through the same thread, each of which
 * gives the sender its turn.
 */
import test, { type ExecutionContext } from 'ava';
import { FileScope } from '../server/harness.ts';
import { Signals } from '../server/signals.ts';
import { type Way, ways } from './byte-streams.ts';
import { openPeer } from './peer.ts';
import { type SocketServer, startSockets } from './server.ts';

const scope = new FileScope();
let server: SocketServer;
test.before(async () => {
  server = await startSockets(scope);
});
test.after.always(() => scope.end());

const PIECE_BYTES = 65_536;
/**
 * How many pieces may be sent before the sender is held up. Over HTTP/1.1 the kernel's buffers on both sides
 * of a loopback connection lie between server and peer, some megabytes each; over HTTP/2 the peer's window
 * does.
 */
const HELD_BELOW_PIECES = { '1.1': 400, '2': 30 };
const ROUND_TRIPS = 300;

function ownSignals(t: ExecutionContext) {
  const signals = new Signals(`${t.title} ${Math.random()}`);
  t.teardown(() => signals.close());
  return { signals, fields: { 'x-signals': signals.name } };
}

async function roundTrips(t: ExecutionContext, way: Way): Promise<void> {
  const peer = await openPeer(way, t, server, '/echo');
  for (let i = 0; i < ROUND_TRIPS; i++) {
    peer.send(`round trip ${i}`);
    t.is(await peer.next(), `round trip ${i}`);
  }
  peer.close(1000);
  await peer.closed;
}

for (const way of ways) {
  const over = `over HTTP/${way.version}`;
  const limit = HELD_BELOW_PIECES[way.version];

  test(`${over} a peer that does not read holds up send, and no other socket`, async (t) => {
    const { signals, fields } = ownSignals(t);
    const began = signals.until('sent 2');
    const peer = await openPeer(way, t, server, '/flood', { fields });
    peer.pause();
    await began;
    await roundTrips(t, way);
    t.is(signals.heard(`sent ${limit}`), 0);
    // The sender continues where it stopped when the peer reads again, and stops when the peer closes.
    const more = signals.until(`sent ${limit}`);
    peer.resume();
    await more;
    const stopped = signals.until('stopped SLUICE_WEBSOCKET_CLOSED');
    const closed = signals.until('closed 1000 clean');
    peer.close(1000);
    await Promise.all([stopped, closed]);
    t.like(await peer.closed, { code: 1000 });
    t.is(peer.receivedBytes % PIECE_BYTES, 0);
  });

  test(`${over} an application that does not read holds up its peer, and no other socket`, async (t) => {
    const { signals, fields } = ownSignals(t);
    const holding = signals.until('holding');
    const peer = await openPeer(way, t, server, '/hold', { fields });
    await holding;
    const pieces = limit + 100;
    const piece = Buffer.alloc(PIECE_BYTES);
    let taken = 0;
    for (let i = 0; i < pieces; i++) {
      peer.send(piece, true, () => {
        taken++;
      });
    }
    await roundTrips(t, way);
    t.true(taken < limit, `${taken} of ${pieces} pieces were taken`);
    const read = signals.until(`read ${pieces * PIECE_BYTES}`);
    signals.tell('go');
    await read;
    t.is(taken, pieces);
    peer.close(1000);
    t.like(await peer.closed, { code: 1000 });
  });

  test(`${over} an application that sends without waiting reaches maxUnsentBytes and does not exhaust memory`, async (t) => {
    const { signals, fields } = ownSignals(t);
    const refused = signals.until('refused SLUICE_WEBSOCKET_BACKLOG');
    const peer = await openPeer(way, t, server, '/pour', { fields });
    peer.pause();
    await refused;
    const closed = signals.until('closed 1013 clean');
    peer.resume();
    await peer.saidClose;
    peer.close(1013);
    await closed;
    t.like(await peer.closed, { code: 1013 });
  });

  test(`${over} messages much larger than every window pass both ways`, async (t) => {
    const peer = await openPeer(way, t, server, '/large');
    const large = Buffer.alloc(20_000_000, 'large ');
    peer.send(large);
    const back = await peer.next();
    t.true(large.equals(back as Buffer));
    peer.close(1000);
    t.like(await peer.closed, { code: 1000 });
  });

  test(`${over} messages that inflate a thousandfold arrive complete after the application has fallen behind`, async (t) => {
    const { signals, fields } = ownSignals(t);
    const holding = signals.until('holding');
    const deflate = 'permessage-deflate; client_no_context_takeover';
    const peer = await openPeer(way, t, server, '/hold-deflated', { fields, deflate });
    t.true(peer.isDeflated);
    await holding;
    const zeros = Buffer.alloc(1_000_000);
    for (let i = 0; i < 40; i++) peer.send(zeros);
    await roundTrips(t, way);
    const read = signals.until('read 40000000');
    signals.tell('go');
    await read;
    peer.close(1000);
    t.like(await peer.closed, { code: 1000 });
  });
}
