/** What a WebSocket is to an application and to its peer; it is the same over both HTTP versions. */
import test from 'ava';
import { FileScope } from '../server/harness.ts';
import { KEY, RefusedError, ways } from './byte-streams.ts';
import { openPeer } from './peer.ts';
import { type SocketServer, startSockets } from './server.ts';

const scope = new FileScope();
let server: SocketServer;
test.before(async () => {
  server = await startSockets(scope);
});
test.after.always(() => scope.end());

for (const way of ways) {
  const over = `over HTTP/${way.version}`;

  test(`${over} text comes back as text and bytes as bytes, whatever their length`, async (t) => {
    const peer = await openPeer(way, t, server, '/echo');
    // The three forms of a length (RFC 6455 section 5.2), at their edges.
    for (const length of [0, 1, 125, 126, 65_535, 65_536, 300_000]) {
      const text = 'ä'.repeat(length >> 1);
      peer.send(text);
      t.is(await peer.next(), text);
      const bytes = Buffer.alloc(length, length);
      peer.send(bytes);
      t.deepEqual(await peer.next(), bytes);
    }
    peer.close(1000);
    t.like(await peer.closed, { code: 1000 });
  });

  test(`${over} a message in fragments is one message, with a ping between them answered at once`, async (t) => {
    const peer = await openPeer(way, t, server, '/echo');
    peer.send('one ', false);
    peer.ping('are you there?');
    peer.send('two ', false);
    peer.send('three');
    t.is(await peer.next(), 'one two three');
    t.deepEqual(peer.pongs, ['are you there?']);
    peer.close(1000);
    await peer.closed;
  });

  test(`${over} each ping in a burst of 16 is answered, in order and with its payload`, async (t) => {
    const peer = await openPeer(way, t, server, '/echo');
    const payloads = Array.from({ length: 16 }, (_, n) => `payload-${n}`);
    for (const payload of payloads) peer.ping(payload);
    peer.send('behind them');
    t.is(await peer.next(), 'behind them');
    t.deepEqual(peer.pongs, payloads);
    peer.close(1000);
    await peer.closed;
  });

  test(`${over} the request names websocket and the requested host and path`, async (t) => {
    const error = await t.throwsAsync(way.webSocket(t, server, '/describe?a=1', { 'x-mine': 'yes' }), {
      instanceOf: RefusedError,
    });
    t.is(error.status, 418);
    const asked = JSON.parse(error.body);
    t.like(asked, {
      protocol: 'websocket',
      authority: `127.0.0.1:${server.port}`,
      path: '/describe?a=1',
      scheme: 'http',
      version: way.version,
    });
    const names = asked.fields.map(([name]: [string]) => name);
    t.true(names.includes('x-mine'));
    t.false(names.some((name: string) => name.startsWith(':')));
  });

  test(`${over} a refusal is an ordinary response with fields and content`, async (t) => {
    const error = await t.throwsAsync(way.webSocket(t, server, '/refuse'), { instanceOf: RefusedError });
    t.is(error.status, 403);
    t.is(error.fields['x-why'], 'closed today');
    t.is(error.body, 'not here\n');
  });

  test(`${over} an application may ignore a handshake, unless a 200 would accept it`, async (t) => {
    const error = await t.throwsAsync(way.webSocket(t, server, '/ignore'), { instanceOf: RefusedError });
    t.is(error.status, way.version === '2' ? 500 : 200);
    if (way.version !== '2') return;
    const line = await server.log.until('application failed', (line) => line.path === '/ignore');
    t.like(line.err, { code: 'SLUICE_STATUS_INVALID' });
  });

  test(`${over} a route without WebSockets never passes one to the application`, async (t) => {
    const asked = way.webSocket(t, server, '/free/describe');
    const error = await t.throwsAsync(asked, { instanceOf: RefusedError });
    // RFC 9110 section 7.8: an Upgrade may be ignored. A CONNECT cannot be.
    t.is(error.status, way.version === '2' ? 501 : 418);
    if (way.version !== '2') t.is(JSON.parse(error.body).protocol, '');
  });

  test(`${over} the response that accepts carries the application's fields`, async (t) => {
    const { accepted } = await openPeer(way, t, server, '/fields');
    t.is(accepted.fields['x-one'], 'one');
    t.is(accepted.fields['x-many'], '1, 2');
    t.is(accepted.status, way.version === '2' ? 200 : 101);
  });

  test(`${over} the first of the server’s subprotocols that the client offers is selected`, async (t) => {
    const choose = async (offered: string) => {
      const fields = { 'sec-websocket-protocol': offered };
      const { accepted } = await openPeer(way, t, server, '/protocols', { fields });
      return accepted.fields['sec-websocket-protocol'];
    };
    t.is(await choose('chat.v1, chat.v2'), 'chat.v2');
    t.is(await choose('other, chat.v1'), 'chat.v1');
    t.is(await choose('other'), undefined);
  });

  test(`${over} RFC 6455 section 4.4: another version is refused with the supported one`, async (t) => {
    const asked = way.webSocket(t, server, '/echo', { 'sec-websocket-version': '8' });
    const error = await t.throwsAsync(asked, { instanceOf: RefusedError });
    t.is(error.status, 400);
    t.is(error.fields['sec-websocket-version'], '13');
  });

  test(`${over} a page from another host may not connect, unless its origin is listed`, async (t) => {
    const status = async (path: string, origin: string) => {
      try {
        const { accepted } = await openPeer(way, t, server, path, { fields: { origin } });
        return accepted.status < 300 ? 'accepted' : accepted.status;
      } catch (error) {
        return (error as RefusedError).status;
      }
    };
    t.is(await status('/echo', `http://127.0.0.1:${server.port}`), 'accepted');
    t.is(await status('/echo', 'https://elsewhere.invalid'), 403);
    t.is(await status('/echo', 'null'), 403);
    t.is(await status('/elsewhere', 'https://elsewhere.invalid'), 'accepted');
    t.is(await status('/elsewhere', `http://127.0.0.1:${server.port}`), 403);
  });

  test(`${over} messages are deflated both ways if the client offers it and the application wants it`, async (t) => {
    const text = 'what repeats is small '.repeat(4_000);
    for (const path of ['/echo-deflated', '/echo-takeover']) {
      const peer = await openPeer(way, t, server, path, { deflate: 'permessage-deflate' });
      t.true(peer.isDeflated);
      for (let round = 0; round < 3; round++) {
        peer.send(text);
        t.is(await peer.next(), text);
        peer.send('short');
        t.is(await peer.next(), 'short');
      }
    }
    const plain = await openPeer(way, t, server, '/echo', { deflate: 'permessage-deflate' });
    t.false(plain.isDeflated);
  });

  test(`${over} RFC 7692 section 5: an offer of deflate that is malformed is declined`, async (t) => {
    const peer = await openPeer(way, t, server, '/echo-deflated', {
      deflate: 'permessage-deflate; server_max_window_bits=99',
    });
    t.false(peer.isDeflated);
    peer.send('without');
    t.is(await peer.next(), 'without');
  });
}

test('RFC 6455 section 4.2.2: Sec-WebSocket-Accept is derived from the key, and HTTP/2 has neither', async (t) => {
  const [first, second] = await Promise.all(ways.map((way) => openPeer(way, t, server, '/echo')));
  t.is(first.accepted.fields['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  t.is(second.accepted.fields['sec-websocket-accept'], undefined);
  t.is(KEY.length, 24);
});
