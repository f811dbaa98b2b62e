/** When a connection continues and when it ends (RFC 9112 section 9). */
import { execFile } from 'node:child_process';
import { Agent, request } from 'node:http';
import { promisify } from 'node:util';
import test from 'ava';
import { FileScope, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { message, RawClient } from './raw.ts';
import { startHttp1Server } from './server.ts';

const run = promisify(execFile);
const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startHttp1Server(scope, { http1: { maxDiscardedBytes: 1_000 } });
});
test.after.always(() => scope.end());

const hello = message(['GET /hello HTTP/1.1', 'Host: a']);

test('an HTTP/1.1 connection persists (RFC 9112 section 9.3)', async (t) => {
  const client = await RawClient.connect(t, server.port);
  for (let count = 0; count < 3; count++) {
    client.send(hello);
    const { body, fields } = await client.response();
    t.deepEqual([body, fields.connection], ['hello', 'keep-alive']);
  }
});

for (const value of ['close', 'Close', 'keep-alive, close', 'x-other,close']) {
  test(`a client that says ${value} gets its response with the same field and then the end (RFC 9112 section 9.6)`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    client.send(message(['GET /hello HTTP/1.1', 'Host: a', `Connection: ${value}`]) + hello);
    const { body, fields } = await client.response();
    t.deepEqual([body, fields.connection], ['hello', 'close']);
    t.is(await client.untilClosed(), '', 'what follows the last request is not answered');
  });
}

test('an HTTP/1.0 connection ends with its response (RFC 9112 section 9.3)', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(message(['GET /hello HTTP/1.0']) + hello);
  const { statusLine, body, fields } = await client.response();
  t.deepEqual([statusLine, body, fields.connection], ['HTTP/1.1 200 OK', 'hello', 'close']);
  t.is(await client.untilClosed(), '');
});

test('an HTTP/1.0 connection persists when the client asks for it and the length is known (RFC 9112 section 9.3)', async (t) => {
  const client = await RawClient.connect(t, server.port);
  for (let count = 0; count < 2; count++) {
    client.send(message(['GET /hello HTTP/1.0', 'Connection: keep-alive']));
    const { body, fields } = await client.response();
    t.deepEqual([body, fields.connection], ['hello', 'keep-alive']);
  }
});

test('the response to the last of maxRequestsPerConnection says so', async (t) => {
  const limited = await startHttp1Server(t, { http1: { maxRequestsPerConnection: 3 } });
  const client = await RawClient.connect(t, limited.port);
  client.send(hello.repeat(5));
  const connections: (string | undefined)[] = [];
  for (let count = 0; count < 3; count++) connections.push((await client.response()).fields.connection);
  t.deepEqual(connections, ['keep-alive', 'keep-alive', 'close']);
  t.is(await client.untilClosed(), '');
});

test('a client opens a new connection after the last request of one', async (t) => {
  const limited = await startHttp1Server(t, { http1: { maxRequestsPerConnection: 2 } });
  const url = `http://127.0.0.1:${limited.port}/hello`;
  const { stdout } = await run('curl', ['-sS', '--http1.1', '-w', '%{num_connects} ', url, url, url, url]);
  t.is(stdout, 'hello1 hello0 hello1 hello0 ');
});

test("Node's client uses one connection for many requests", async (t) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const ports = new Set<number>();
  for (let count = 0; count < 5; count++) {
    const { body } = await requestHttp1(`${server.origin}/describe`, { agent, method: 'POST', body: 'x' });
    t.is(JSON.parse(body.toString()).body, 'x');
    for (const socket of Object.values(agent.freeSockets).flat()) ports.add(socket?.localPort ?? 0);
  }
  t.is(ports.size, 1);
});

test('an idle connection is closed after keepAliveTimeoutMs, and not before it was idle', async (t) => {
  const impatient = await startHttp1Server(t, { http1: { keepAliveTimeoutMs: 1 } });
  const client = await RawClient.connect(t, impatient.port);
  const begun = impatient.signals.until('begun');
  client.send(message(['GET /wait HTTP/1.1', 'Host: a', `${SIGNALS_FIELD}: ${impatient.signals.name}`]));
  await begun;
  impatient.signals.tell('go');
  t.is((await client.response()).body, 'waited');
  t.is(await client.untilClosed(), '');
});

test('a request that arrived in time is answered, although its server was held up until the deadline had passed', async (t) => {
  const patient = await startHttp1Server(t, { http1: { keepAliveTimeoutMs: 500 } });
  const client = await RawClient.connect(t, patient.port);
  client.send(hello);
  t.is((await client.response()).body, 'hello');
  client.send(hello);
  // The reactor runs in this thread, and checks idle connections once a second.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_600);
  t.is((await client.response()).body, 'hello');
  t.is(await client.untilClosed(), '');
});

test('a short unwanted body is discarded, and the connection persists (RFC 9112 section 9.3)', async (t) => {
  for (const [path, answer] of [
    ['/unread', 'unread'],
    ['/none', 'no such step'],
  ]) {
    const client = await RawClient.connect(t, server.port);
    client.send(message([`POST ${path} HTTP/1.1`, 'Host: a', 'Content-Length: 1000']));
    t.is((await client.response()).body, answer);
    client.send('x'.repeat(1_000) + hello);
    t.is((await client.response()).body, 'hello');
  }
});

/** Far more than maxDiscardedBytes, and more than one read. */
const long = 'x'.repeat(1_000_000);
for (const [framing, content] of [
  [`Content-Length: ${long.length}`, long],
  ['Transfer-Encoding: chunked', `${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`],
] as const) {
  test(`a client that was told that the connection persists has its next request answered, however long the rest was: ${framing} (RFC 9112 section 9.3)`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    client.send(message(['POST /unread HTTP/1.1', 'Host: a', framing]));
    const { body, fields } = await client.response();
    t.deepEqual([body, fields.connection], ['unread', 'keep-alive']);
    // Like Node's agent, which considers the socket free once the system has taken all of this.
    await client.sendAll(content);
    client.send(hello);
    t.is((await client.response()).body, 'hello');
  });
}

test('a refusal announces the end of the connection if the rest of the request has an unknown length', async (t) => {
  const { port } = await startHttp1Server(t, { routes: [{ path: '/only', pool: 'steps' }] });
  const client = await RawClient.connect(t, port);
  client.send(message(['POST /nowhere HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked']));
  const { status, fields } = await client.response();
  t.is(status, 404);
  t.is(fields.connection, 'close');
  t.is(await client.untilClosed(), '');
  t.false(client.wasReset);
});

test('the server’s own response to a long upload announces the end of the connection, and arrives (RFC 9112 section 9.6)', async (t) => {
  const routed = await startHttp1Server(t, {
    http1: { maxDiscardedBytes: 10 },
    routes: [{ path: '/hello', pool: 'steps' }],
  });
  const client = await RawClient.connect(t, routed.port);
  client.send(message(['POST /nowhere HTTP/1.1', 'Host: a', 'Content-Length: 11'], 'x'.repeat(5)));
  const { status, fields } = await client.response();
  t.deepEqual([status, fields.connection], [404, 'close']);
  t.is(await client.untilClosed(), '');
  t.false(client.wasReset);
});

test('an unwanted body that does not arrive ends the connection after discardTimeoutMs', async (t) => {
  const impatient = await startHttp1Server(t, { http1: { discardTimeoutMs: 1 } });
  const client = await RawClient.connect(t, impatient.port);
  client.send(message(['POST /unread HTTP/1.1', 'Host: a', 'Content-Length: 1000']));
  t.is((await client.response()).body, 'unread');
  t.is(await client.untilClosed(), '');
});

for (const [what, head, rest] of [
  ['', ['GET /hello HTTP/1.1'], ''],
  [' with content', ['POST /hello HTTP/1.1', 'Content-Length: 2'], 'ab'],
  [' with chunks', ['POST /hello HTTP/1.1', 'Transfer-Encoding: chunked'], '2\r\nab\r\n0\r\n\r\n'],
] as const) {
  test(`an Upgrade${what} that is ignored leaves the connection unchanged (RFC 9110 section 7.8)`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    const [line, ...more] = head;
    const upgrade = ['Host: a', 'Connection: Upgrade', 'Upgrade: h3', ...more];
    client.send(message([line, ...upgrade], rest) + hello);
    for (let count = 0; count < 2; count++) {
      const { body, fields } = await client.response();
      t.deepEqual([body, fields.connection], ['hello', 'keep-alive']);
    }
  });
}

test('unreadable input after the last request is not answered, whether it arrived with it or later', async (t) => {
  const last = message(['GET /hello HTTP/1.1', 'Host: a', 'Connection: close']);
  const client = await RawClient.connect(t, server.port);
  client.send(`${hello}${last}no request\r\n\r\n\0\0`);
  const answers = [await client.response(), await client.response()];
  t.deepEqual(
    answers.map(({ body }) => body),
    ['hello', 'hello'],
  );
  t.is(await client.untilClosed(), '');
});

test('the server waits for a peer that does not close its side no longer than limits.linger', async (t) => {
  const impatient = await startHttp1Server(t, { limits: { linger: { quietMs: 1 } } });
  const agent = new Agent();
  t.teardown(() => agent.destroy());
  const closed = Promise.withResolvers<void>();
  const outgoing = request(
    `${impatient.origin}/hello`,
    { agent, headers: { connection: 'close' } },
    (response) => {
      response.resume();
      response.socket.on('close', () => closed.resolve());
    },
  );
  outgoing.on('socket', (socket) => {
    // The client keeps its side open after the server's FIN, as if it still had something to send.
    socket.allowHalfOpen = true;
  });
  outgoing.end();
  await closed.promise;
  t.pass();
});

test('an application may read a request that it has answered already', async (t) => {
  const client = await RawClient.connect(t, server.port);
  const { signals } = server;
  const read = signals.until('read 100000');
  const lines = [
    'POST /answer-first HTTP/1.1',
    'Host: a',
    'Content-Length: 100000',
    `${SIGNALS_FIELD}: ${signals.name}`,
  ];
  client.send(message(lines, 'x'.repeat(10)));
  t.is((await client.response()).body, 'answered');
  client.send('x'.repeat(99_990) + hello);
  await read;
  t.is((await client.response()).body, 'hello');
});

test('so it may if the response was the last of the connection', async (t) => {
  const client = await RawClient.connect(t, server.port);
  const { signals } = server;
  const read = signals.until('read 100001');
  const lines = [
    'POST /answer-first HTTP/1.1',
    'Host: a',
    'Content-Length: 100001',
    `${SIGNALS_FIELD}: ${signals.name}`,
  ];
  client.send(message([...lines, 'Connection: close'], 'x'.repeat(10)));
  t.is((await client.response()).body, 'answered');
  client.send('x'.repeat(99_991));
  await read;
  t.is(await client.untilClosed(), '');
});

test('a drain tells clients with an open request that the connection ends, and closes idle ones', async (t) => {
  const draining = await startHttp1Server(t);
  const { signals } = draining;
  const idle = await RawClient.connect(t, draining.port);
  idle.send(hello);
  await idle.response();
  const busy = await RawClient.connect(t, draining.port);
  const begun = signals.until('begun');
  busy.send(message(['GET /wait HTTP/1.1', 'Host: a', `${SIGNALS_FIELD}: ${signals.name}`]));
  await begun;
  const drained = draining.server.drain();
  t.is(await idle.untilClosed(), '');
  signals.tell('go');
  const { body, fields } = await busy.response();
  t.deepEqual([body, fields.connection], ['waited', 'close']);
  await drained;
});
