/**
 * Which requests may switch an HTTP/1.1 connection to another protocol (RFC 9110 section 7.8). If a server in
 * front reads an offer where this one reads none, or vice versa, it takes the bytes of a tunnel for requests.
 */
import test from 'ava';
import { FileScope } from '../server/harness.ts';
import { type SocketServer, startSockets } from '../websocket/server.ts';
import { message, RawClient } from './raw.ts';

const scope = new FileScope();
let server: SocketServer;
test.before(async () => {
  server = await startSockets(scope);
});
test.after.always(() => scope.end());

const handshake = ['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version: 13'];
const h2c = ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
const behind = message(['GET /free/none HTTP/1.1', 'Host: a']);

const offers: readonly (readonly [what: string, line: string, fields: readonly string[]])[] = [
  ['a WebSocket', 'GET /echo HTTP/1.1', ['Connection: Upgrade', 'Upgrade: websocket', ...handshake]],
  [
    'a WebSocket among other protocols and options',
    'GET /echo HTTP/1.1',
    ['Connection: keep-alive, uPGRADE', 'Upgrade: x/1, WebSocket', ...handshake],
  ],
];
for (const [what, line, fields] of offers) {
  test(`${what} is an offer (RFC 6455 section 4.2.1)`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    client.send(message([line, 'Host: a', ...fields]));
    t.is((await client.response()).status, 101);
  });
}

for (const [protocol, line, fields] of [
  ['websocket', 'GET /echo HTTP/1.1', ['Connection: Upgrade', 'Upgrade: websocket', ...handshake]],
  ['h2c', 'GET /free/a HTTP/1.1', ['Connection: Upgrade, HTTP2-Settings', ...h2c]],
] as const) {
  test(`100 comes before the 101 of ${protocol} if the request expects it (RFC 9110 section 7.8)`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    client.send(message([line, 'Host: a', ...fields, 'Expect: 100-continue']));
    t.is((await client.response()).status, 100);
    const { status, fields: answered } = await client.response();
    t.deepEqual([status, answered.upgrade], [101, protocol]);
  });
}

test('empty members of Connection and Upgrade are ignored (RFC 9110 section 5.6.1.2)', async (t) => {
  const client = await RawClient.connect(t, server.port);
  const fields = ['Connection: ,, upgrade ,', 'Upgrade: , x/1,\t,websocket', ...handshake];
  client.send(message(['GET /echo HTTP/1.1', 'Host: a', ...fields]));
  t.is((await client.response()).status, 101);
});

const none: readonly (readonly [what: string, line: string, fields: readonly string[]])[] = [
  ['a WebSocket without Connection', 'GET /free/a HTTP/1.1', ['Upgrade: websocket', ...handshake]],
  ['a WebSocket that Connection does not name', 'GET /echo HTTP/1.1', ['Upgrade: websocket', ...handshake]],
  [
    'a WebSocket that Connection names something like',
    'GET /echo HTTP/1.1',
    ['Connection: xupgrade, upgrade-insecure', 'Upgrade: websocket', ...handshake],
  ],
  ['a WebSocket that Upgrade does not name', 'GET /echo HTTP/1.1', ['Connection: Upgrade', ...handshake]],
  [
    'a WebSocket by POST',
    'POST /echo HTTP/1.1',
    ['Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 0', ...handshake],
  ],
  ['h2c that Connection does not name', 'GET /free/a HTTP/1.1', ['Connection: HTTP2-Settings', ...h2c]],
  ['h2c whose settings Connection does not name', 'GET /free/a HTTP/1.1', ['Connection: Upgrade', ...h2c]],
  [
    'h2c with content',
    'POST /free/a HTTP/1.1',
    ['Connection: Upgrade, HTTP2-Settings', ...h2c, 'Content-Length: 0'],
  ],
];
for (const [what, line, fields] of none) {
  test(`${what} is no offer, and the connection persists (RFC 9110 section 7.8)`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    client.send(message([line, 'Host: a', ...fields]) + behind);
    const first = await client.response();
    t.not(first.status, 101);
    t.not(first.fields.connection, 'close');
    t.true((await client.response()).status >= 200);
  });
}

test('an offer after a request without a response yet is ignored', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(
    behind +
      message(['GET /echo HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket', ...handshake]),
  );
  t.true((await client.response()).status >= 200);
  t.not((await client.response()).status, 101);
});

test('what a client sends without waiting for its 101 is read as frames, never as a request', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(
    message(['GET /echo HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket', ...handshake]) +
      behind,
  );
  t.is((await client.response()).status, 101);
  t.notRegex(await client.untilClosed(), /HTTP\/1\.1/);
});
