/** How WebSockets end, and what each side learns of it. */
import test from 'ava';
import { FileScope } from '../server/harness.ts';
import { Signals } from '../server/signals.ts';
import { ways } from './byte-streams.ts';
import { openPeer } from './peer.ts';
import { type SocketServer, startSockets } from './server.ts';

const scope = new FileScope();
let server: SocketServer;
test.before(async () => {
  server = await startSockets(scope);
});
test.after.always(() => scope.end());

/** A separate channel of signals, since other tests listen on the server's. */
function ownSignals(t: { teardown(close: () => void): void }, name: string) {
  const signals = new Signals(`${name} ${Math.random()}`);
  t.teardown(() => signals.close());
  return { signals, fields: { 'x-signals': signals.name } };
}

/** The stream code after both sides have ended in order: HTTP/1.1 has none. */
const orderly = (version: string) => (version === '2' ? 0 : null);

for (const way of ways) {
  const over = `over HTTP/${way.version}`;

  for (const { sent, heard } of [
    { sent: [1000, 'done'], heard: '1000 clean done' },
    { sent: [1001, ''], heard: '1001 clean' },
    { sent: [3000, 'ä'.repeat(61)], heard: `3000 clean ${'ä'.repeat(61)}` },
    { sent: [4999, 'private'], heard: '4999 clean private' },
    { sent: [undefined, ''], heard: '1005 clean' },
  ] as const) {
    test(`${over} the application hears the peer's ${heard}, and the peer its own code back`, async (t) => {
      const { signals, fields } = ownSignals(t, heard);
      const peer = await openPeer(way, t, server, '/echo', { fields });
      const closed = signals.until(`closed ${heard}`);
      const over = signals.until('exchange complete by application code 0');
      peer.close(sent[0], sent[1]);
      t.deepEqual(await peer.closed, {
        code: sent[0] ?? 1005,
        reason: '',
        resetCode: orderly(way.version),
      });
      await closed;
      await over;
      t.pass();
    });
  }

  for (const [code, reason] of [
    [1000, 'bye'],
    [1013, ''],
    [4000, 'because'],
  ] as const) {
    test(`${over} the peer hears the application's ${code} ${reason}`, async (t) => {
      const { signals, fields } = ownSignals(t, `${code}`);
      const path = `/close?code=${code}&reason=${reason}`;
      const peer = await openPeer(way, t, server, path, { fields });
      const closed = signals.until(`closed ${code} clean`);
      await peer.saidClose;
      peer.close(code);
      t.deepEqual(await peer.closed, { code, reason, resetCode: orderly(way.version) });
      await closed;
    });
  }

  test(`${over} messages sent before a Close arrive before it`, async (t) => {
    const peer = await openPeer(way, t, server, '/return');
    t.is(await peer.next(), 'before the end');
    await peer.saidClose;
    peer.close(1000);
    t.like(await peer.closed, { code: 1000, resetCode: orderly(way.version) });
  });

  test(`${over} a socket lasts as long as its function: 1011 when that throws, and the error is logged`, async (t) => {
    const peer = await openPeer(way, t, server, `/throw?over=${way.version}`);
    t.is(await peer.next(), 'before the end');
    await peer.saidClose;
    peer.close(1011);
    t.like(await peer.closed, { code: 1011 });
    const line = await server.log.until(
      'application failed',
      ({ path }) => path === `/throw?over=${way.version}`,
    );
    t.like(line.err, { message: 'as the test wants' });
  });

  test(`${over} a Close is answered once the messages before it have been handled, and not earlier`, async (t) => {
    const { signals, fields } = ownSignals(t, 'waiting');
    const holding = signals.until('holding');
    const peer = await openPeer(way, t, server, '/hold', { fields });
    await holding;
    peer.send('first');
    peer.send('later');
    peer.close(1000);
    const other = await openPeer(way, t, server, '/echo');
    for (let round = 0; round < 20; round++) {
      other.send('time passes');
      await other.next();
    }
    let said = false;
    void peer.saidClose.then(() => {
      said = true;
    });
    t.false(said);
    const read = signals.until('read 10');
    signals.tell('go');
    await read;
    t.like(await peer.closed, { code: 1000 });
  });

  test(`${over} a peer that sends and closes at once still gets its replies`, async (t) => {
    const peer = await openPeer(way, t, server, '/echo');
    for (const text of ['one', 'two', 'three']) peer.send(text);
    peer.close(1000);
    for (const text of ['one', 'two', 'three']) t.is(await peer.next(), text);
    t.like(await peer.closed, { code: 1000, resetCode: orderly(way.version) });
  });

  test(`${over} sending to a peer that is closing is not a failure of the application`, async (t) => {
    const { signals, fields } = ownSignals(t, 'leaving');
    const began = signals.until('sent 1');
    const peer = await openPeer(way, t, server, `/stream?over=${way.version}`, { fields });
    await began;
    const over = signals.until('exchange complete by application code 0');
    peer.close(1000);
    t.like(await peer.closed, { code: 1000 });
    await over;
    t.false(server.log.lines.some(({ path }) => path === `/stream?over=${way.version}`));
  });

  test(`${over} the application sees 1006 for a peer that is cut off, whether it reads or not`, async (t) => {
    for (const path of ['/echo', '/hold']) {
      const { signals, fields } = ownSignals(t, path);
      const accepted = signals.until('accepted');
      const peer = await openPeer(way, t, server, path, { fields });
      await accepted;
      const closed = signals.until('closed 1006 unclean the connection was lost');
      peer.cut();
      await closed;
      signals.tell('go');
    }
    t.pass();
  });

  test(`${over} the application sees 1006 for a peer that ends its side without a Close`, async (t) => {
    const { signals, fields } = ownSignals(t, 'ends');
    const peer = await openPeer(way, t, server, '/echo', { fields });
    const closed = signals.until('closed 1006 unclean the connection was lost');
    peer.end();
    await closed;
    t.like(await peer.closed, { code: 1006, resetCode: orderly(way.version) });
  });

  for (const [name, bytes, code] of [
    ['RFC 6455 section 5.1: a frame without a mask', [0x81, 0x01, 0x61], 1002],
    ['RFC 6455 section 5.2: a reserved bit', [0xc1, 0x81, 0, 0, 0, 0, 0x61], 1002],
    ['RFC 6455 section 5.2: a reserved opcode', [0x83, 0x80, 0, 0, 0, 0], 1002],
    ['RFC 6455 section 5.5: a fragmented ping', [0x09, 0x80, 0, 0, 0, 0], 1002],
    ['RFC 6455 section 5.5: a ping of 126 bytes', [0x89, 0xfe, 0, 126, 0, 0, 0, 0], 1002],
    ['RFC 6455 section 5.4: a continuation of nothing', [0x80, 0x80, 0, 0, 0, 0], 1002],
    ['RFC 6455 section 7.4: a Close with 1005', [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xed], 1002],
    ['RFC 6455 section 8.1: text that is not UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007],
    ['a length of 2^63', [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1009],
  ] as const) {
    test(`${over} ${name} is answered ${code}`, async (t) => {
      const { signals, fields } = ownSignals(t, name);
      const peer = await openPeer(way, t, server, '/echo', { fields });
      const heard = signals.until('exchange complete by application code 0');
      peer.write(Uint8Array.from(bytes));
      t.like(await peer.closed, { code, resetCode: orderly(way.version) });
      await heard;
    });
  }

  test(`${over} a message over maxMessageBytes is answered 1009, inflated or not, and one of exactly that size is accepted`, async (t) => {
    const exact = await openPeer(way, t, server, '/limited');
    exact.send('x'.repeat(1_000));
    t.is((await exact.next())?.length, 1_000);
    for (const fragments of [['x'.repeat(1_001)], ['x'.repeat(600), 'x'.repeat(600)]]) {
      const peer = await openPeer(way, t, server, '/limited');
      fragments.forEach((fragment, index) => {
        peer.send(fragment, index === fragments.length - 1);
      });
      t.like(await peer.closed, { code: 1009 });
    }
    const deflated = await openPeer(way, t, server, '/limited', { deflate: 'permessage-deflate' });
    t.true(deflated.isDeflated);
    deflated.send('x'.repeat(100_000));
    t.like(await deflated.closed, { code: 1009 });
  });

  test(`${over} a message of more than maxFragments frames is answered 1008`, async (t) => {
    const exact = await openPeer(way, t, server, '/limited');
    for (const fin of [false, false, false, true]) exact.send('x', fin);
    t.is(await exact.next(), 'xxxx');
    const peer = await openPeer(way, t, server, '/limited');
    for (const fin of [false, false, false, false, true]) peer.send('x', fin);
    t.like(await peer.closed, { code: 1008 });
  });

  test(`${over} content that claims to be deflated but is not is answered 1007`, async (t) => {
    const peer = await openPeer(way, t, server, '/echo-deflated', { deflate: 'permessage-deflate' });
    peer.write(Uint8Array.from([0xc1, 0x83, 0, 0, 0, 0, 0xff, 0xff, 0xff]));
    t.like(await peer.closed, { code: 1007 });
  });
}
