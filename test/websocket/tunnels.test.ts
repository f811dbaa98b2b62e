/** Raw tunnels by CONNECT (RFC 9110 section 9.3.6), over both HTTP versions. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { FileScope } from '../server/harness.ts';
import { connectHttp2 } from '../server/http2-client.ts';
import { Signals } from '../server/signals.ts';
import { http1, RefusedError, ways } from './byte-streams.ts';
import { readAll } from './read-all.ts';
import { type SocketServer, startSockets } from './server.ts';

const scope = new FileScope();
let server: SocketServer;
test.before(async () => {
  server = await startSockets(scope);
});
test.after.always(() => scope.end());

function ownSignals(t: ExecutionContext) {
  const signals = new Signals(`${t.title} ${Math.random()}`);
  t.teardown(() => signals.close());
  return { signals, fields: { 'x-signals': signals.name } };
}

for (const way of ways) {
  const over = `over HTTP/${way.version}`;

  test(`${over} CONNECT is routed by its authority, and bytes pass both ways until both sides have ended`, async (t) => {
    const { signals, fields } = ownSignals(t);
    const finished = signals.until('exchange complete by application code 0');
    const { stream, status, ...accepted } = await way.connect(t, server, 'echo.tunnel.invalid:443', fields);
    t.is(status, 200);
    t.is(accepted.fields['x-to'], 'echo.tunnel.invalid:443');
    t.is(accepted.fields['content-length'], undefined);
    t.is(accepted.fields['transfer-encoding'], undefined);
    stream.write('one ');
    const [first] = await once(stream, 'data');
    t.is(String(first), 'one ');
    const large = Buffer.alloc(1_000_000, 'more ');
    stream.end(large);
    t.true(large.equals(await readAll(stream)));
    await finished;
    t.is(accepted.resetCode() ?? 0, 0);
  });

  test(`${over} either side may end first while the other continues`, async (t) => {
    const { signals, fields } = ownSignals(t);
    const read = signals.until('read 400000');
    const finished = signals.until('exchange complete by application code 0');
    const { stream } = await way.connect(t, server, 'ends-first.tunnel.invalid:1', fields);
    t.is(String(await readAll(stream)), 'that is all');
    for (let i = 0; i < 4; i++) stream.write(Buffer.alloc(100_000));
    stream.end();
    await read;
    await finished;
  });

  test(`${over} a tunnel that the application resets is cut off for the peer`, async (t) => {
    const { stream, resetCode } = await way.connect(t, server, 'reset.tunnel.invalid:1');
    await t.throwsAsync(
      readAll(stream).then((bytes) => {
        // TCP only reports that the connection is over.
        t.true(way.version === '1.1' && bytes.length <= 6);
        throw new Error('over');
      }),
    );
    if (way.version === '2') t.is(resetCode(), 0xa);
  });

  test(`${over} leaving the scope of a tunnel resets it unless it has ended`, async (t) => {
    const cut = await way.connect(t, server, 'scoped.tunnel.invalid:1');
    cut.stream.resume();
    cut.stream.on('end', () => cut.stream.end());
    await new Promise((resolve) => cut.stream.once('close', resolve));
    if (way.version === '2') t.is(cut.resetCode(), 0x8);
    const whole = await way.connect(t, server, 'scoped-end.tunnel.invalid:1');
    t.is(String(await readAll(whole.stream)), 'whole');
  });

  test(`${over} a tunnel that its application forgets to end is reset, and the application is told`, async (t) => {
    const before = server.log.count('application failed');
    const { stream, resetCode } = await way.connect(t, server, 'forgets.tunnel.invalid:1');
    stream.resume();
    stream.on('end', () => stream.end());
    await new Promise((resolve) => stream.once('close', resolve));
    if (way.version === '2') t.is(resetCode(), 0x2);
    await server.log.until('application failed', ({ err }) =>
      JSON.stringify(err).includes('before its response was complete'),
    );
    t.true(server.log.count('application failed') > before);
  });

  test(`${over} a peer that is cut off resets the tunnel of the application`, async (t) => {
    const { signals, fields } = ownSignals(t);
    const accepted = signals.until('accepted');
    const cut = signals.until('exchange reset by peer code 8');
    const { cut: cutOff } = await way.connect(t, server, 'waits.tunnel.invalid:1', fields);
    await accepted;
    cutOff();
    await cut;
    t.pass();
  });

  test(`${over} an application refuses a CONNECT with an ordinary response`, async (t) => {
    const error = await t.throwsAsync(way.connect(t, server, 'forbidden.tunnel.invalid:1'), {
      instanceOf: RefusedError,
    });
    t.is(error.status, 403);
    t.is(error.body, 'no way to forbidden.tunnel.invalid:1\n');
  });

  test(`${over} CONNECT without a matching route is answered 501`, async (t) => {
    const error = await t.throwsAsync(way.connect(t, server, 'anywhere.else.invalid:443'), {
      instanceOf: RefusedError,
    });
    t.is(error.status, 501);
  });
}

test('RFC 8441 section 3: extended CONNECT is announced if a route takes WebSockets, and only then', async (t) => {
  const session = await connectHttp2(t, server.origin);
  if (!session.remoteSettings.enableConnectProtocol) await once(session, 'remoteSettings');
  t.true(session.remoteSettings.enableConnectProtocol);
});

test('RFC 9220 section 3: a protocol other than websocket is answered 501', async (t) => {
  const session = await connectHttp2(t, server.origin);
  if (!session.remoteSettings.enableConnectProtocol) await once(session, 'remoteSettings');
  const stream = session.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'connect-udp',
      ':scheme': 'http',
      ':authority': 'a.invalid',
      ':path': '/',
    },
    { endStream: false },
  );
  const [fields] = await once(stream, 'response');
  t.is(fields[':status'], 501);
});

/** What the server sends after these bytes, until it matches or the connection ends. */
async function raw(t: ExecutionContext, bytes: string, until?: RegExp): Promise<string> {
  const socket = connectTcp({ port: server.port, host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  socket.write(bytes, 'latin1');
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk.toString('latin1');
    if (until?.test(answer)) break;
  }
  return answer;
}

const HANDSHAKE = [
  'host: a.invalid',
  'upgrade: websocket',
  'connection: upgrade',
  'sec-websocket-version: 13',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
].join('\r\n');

test('RFC 9110 section 7.8: an Upgrade of HTTP/1.0 or with content is ignored', async (t) => {
  for (const message of [
    `GET /describe HTTP/1.0\r\n${HANDSHAKE}\r\n`,
    `POST /describe HTTP/1.1\r\n${HANDSHAKE}content-length: 2\r\n\r\nab`,
    `GET /describe HTTP/1.1\r\n${HANDSHAKE}content-length: 2\r\n\r\nab`,
  ]) {
    t.regex(await raw(t, message, /"protocol":""/), /^HTTP\/1.1 418 /);
  }
});

test('RFC 9110 section 7.8: an Upgrade that Connection does not name is ignored', async (t) => {
  for (const connection of ['', 'connection: keep-alive\r\n', 'connection: upgradex\r\n']) {
    const message = HANDSHAKE.replace('connection: upgrade\r\n', connection);
    t.regex(await raw(t, `GET /describe HTTP/1.1\r\n${message}\r\n`, /"protocol":/), /"protocol":""/);
  }
});

test('RFC 9110 section 7.8: websocket is picked from a list of protocols, and others are ignored', async (t) => {
  const list = HANDSHAKE.replace('upgrade: websocket', 'upgrade: h3, WebSocket');
  t.regex(await raw(t, `GET /describe HTTP/1.1\r\n${list}\r\n`), /"protocol":"websocket"/);
  const other = HANDSHAKE.replace('upgrade: websocket', 'upgrade: h3');
  t.regex(await raw(t, `GET /describe HTTP/1.1\r\n${other}\r\n`, /"protocol":/), /"protocol":""/);
});

test('bytes that a client sends right after its handshake come first in the tunnel', async (t) => {
  const frames = '\x81\x82\0\0\0\0hi\x88\x80\0\0\0\0';
  const answer = await raw(t, `GET /echo HTTP/1.1\r\n${HANDSHAKE}\r\n${frames}`);
  const [head, rest] = answer.split('\r\n\r\n');
  t.deepEqual(head.split('\r\n'), [
    'HTTP/1.1 101 Switching Protocols',
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  ]);
  t.is(rest, '\x81\x02hi\x88\x00');
});

test('a refused handshake closes its connection, which no longer speaks HTTP', async (t) => {
  const second = 'GET /free/describe HTTP/1.1\r\nhost: a\r\n\r\n';
  const answer = await raw(t, `GET /refuse HTTP/1.1\r\n${HANDSHAKE}\r\n${second}`);
  t.regex(answer, /^HTTP\/1.1 403 Forbidden\r\n[\s\S]*connection: close\r\n/i);
  t.is(answer.split('HTTP/1.1 ').length, 2);
});

test('over HTTP/1.1 bytes that arrive after the application has ended its side are kept, also while the server checks its connections', async (t) => {
  const { signals, fields } = ownSignals(t);
  const accepted: Socket[] = [];
  const look = (message: unknown): void => {
    accepted.push((message as { readonly socket: Socket }).socket);
  };
  subscribe('net.server.socket', look);
  t.teardown(() => unsubscribe('net.server.socket', look));
  const finished = signals.until('exchange complete by application code 0');
  const { stream } = await http1.connect(t, server, 'ends-and-waits.tunnel.invalid:1', fields);
  t.is(String(await readAll(stream)), '');
  const socket = accepted.find(({ remotePort }) => remotePort === (stream as Socket).localPort) as Socket;
  // Unread bytes fill the window, and then the connection is no longer read.
  const paused = once(socket, 'pause');
  stream.end(Buffer.alloc(16_000_000));
  await paused;
  for (const connection of server.server.parts.connections) connection.tick(performance.now());
  const read = signals.until('read 16000000');
  signals.tell('read');
  await read;
  await finished;
});

// A client of Node 22 reports most resets as an end; a client other than Node's always sees a reset from a
// server on Node 22.
const whereResetsAreRead = Number.parseInt(process.versions.node, 10) >= 24 ? test : test.skip;

whereResetsAreRead(
  'over HTTP/1.1 a tunnel that the application resets ends with a reset: a FIN would be the end of whole bytes',
  async (t) => {
    const { stream } = await http1.connect(t, server, 'reset.tunnel.invalid:1');
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => stream.once('error', resolve));
    const ended = once(stream, 'end').then(() => null);
    stream.resume();
    t.is((await Promise.race([failed, ended]))?.code, 'ECONNRESET');
  },
);
