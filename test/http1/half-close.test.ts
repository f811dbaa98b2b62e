/**
 * A client that sends its FIN behind a complete request. It may still read, or it may have gone away
 * (`http1.halfCloseTimeoutMs`).
 */
import { setImmediate } from 'node:timers/promises';
import { connect } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { FileScope, type TestServer } from '../server/harness.ts';
import { SIGNALS_FIELD, Signals } from '../server/signals.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import { Driver } from './driver.ts';
import { message, RawClient } from './raw.ts';
import { startHttp1Server } from './server.ts';

const FOREVER_MS = 3_600_000;
const scope = new FileScope();
let patient: TestServer;

test.before(async () => {
  patient = await startHttp1Server(scope, { http1: { halfCloseTimeoutMs: FOREVER_MS } });
});
test.after.always(() => scope.end());

const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
UPGRADE.push('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');

function request(path: string, signals?: Signals, more: readonly string[] = []): string {
  const fields = signals === undefined ? [] : [`${SIGNALS_FIELD}: ${signals.name}`];
  return message([`GET ${path} HTTP/1.1`, 'Host: a', ...fields, ...more]);
}

/** When this resolves, the server, whose reactor runs in this thread, has read what the client has sent. */
async function untilRead(): Promise<void> {
  // The system delivers it at once, but this turn may have polled the sockets before.
  await setImmediate();
  await setImmediate();
}

/** Begins an exchange that waits for a word, and sends the FIN behind it. */
async function begin(
  t: ExecutionContext,
  server: TestServer,
  path: string,
  fields: readonly string[] = [],
): Promise<{ client: RawClient; signals: Signals; closed: Promise<void> }> {
  // Signals of one test only: the application sends the same words to each test.
  const signals = new Signals(`${t.title} ${Math.random()}`);
  t.teardown(() => signals.close());
  const [begun, closed] = [signals.until('begun'), signals.until('closed reset by peer code 8')];
  const client = await RawClient.connect(t, server.port);
  client.send(request(path, signals, fields));
  await begun;
  await client.endAll();
  await untilRead();
  return { client, signals, closed };
}

test('a client that has half-closed the connection gets the response to its request', async (t) => {
  const { client, signals } = await begin(t, patient, '/wait');
  signals.tell('go');
  const { body, fields } = await client.response();
  t.deepEqual([body, fields.connection], ['waited', 'close']);
  t.is(await client.untilClosed(), '');
  t.false(client.wasReset);
});

test('it gets the responses to all its requests, in their order', async (t) => {
  const client = await RawClient.connect(t, patient.port);
  client.send(['/hello', '/stream', '/hello'].map((path) => request(path)).join(''));
  client.end();
  for (const expected of ['hello', 'one two', 'hello']) t.is((await client.response()).body, expected);
  t.is(await client.untilClosed(), '');
});

test('over TLS a client that has sent its close_notify gets the response', async (t) => {
  const authority = await TestAuthority.create();
  const certificate = await authority.issue({ names: ['localhost'] });
  const server = await startHttp1Server(t, {
    http1: { halfCloseTimeoutMs: FOREVER_MS },
    listeners: [
      {
        address: '127.0.0.1:0',
        tls: { certificates: [new TestFiles(t).certificate('server', certificate)] },
      },
    ],
  });
  const socket = connect({ port: server.port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
  });
  socket.end(request('/hello'));
  await new Promise((resolve) => socket.once('end', resolve));
  t.regex(text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhello$/);
});

test('a response that has not begun within halfCloseTimeoutMs is cut off', async (t) => {
  const server = await startHttp1Server(t, { http1: { halfCloseTimeoutMs: 1 } });
  const { client, closed } = await begin(t, server, '/hold');
  await closed;
  t.is(await client.untilClosed(), '');
});

test('with halfCloseTimeoutMs 0 open requests are cut off at once', async (t) => {
  const server = await startHttp1Server(t, { http1: { halfCloseTimeoutMs: 0 } });
  const { client, closed } = await begin(t, server, '/hold');
  await closed;
  t.is(await client.untilClosed(), '');
});

for (const halfCloseTimeoutMs of [0, 1]) {
  test(`a WebSocket that is not accepted ends with its client, with halfCloseTimeoutMs ${halfCloseTimeoutMs}`, async (t) => {
    const server = await startHttp1Server(t, {
      http1: { halfCloseTimeoutMs },
      routes: [{ path: '/*', pool: 'steps', websocket: true }],
    });
    const { client, closed } = await begin(t, server, '/hold', UPGRADE);
    await closed;
    t.is(await client.untilClosed(), '');
  });
}

test('a response that has begun before the FIN is cut off with it', async (t) => {
  const { client, closed } = await begin(t, patient, '/begin-and-hold');
  await closed;
  t.true((await client.untilClosed()).endsWith('one \r\n'));
});

test('a response that has begun within halfCloseTimeoutMs may end after it', async (t) => {
  const timeoutMs = 2_000;
  const server = await startHttp1Server(t, { http1: { halfCloseTimeoutMs: timeoutMs } });
  const { client, signals } = await begin(t, server, '/begin-later');
  // Timers of the same length fire in the order in which they were set, so the server's has fired before this.
  const isOver = new Promise((resolve) => setTimeout(resolve, timeoutMs));
  signals.tell('go');
  await client.until('one ');
  await isOver;
  signals.tell('end');
  t.is((await client.response()).body, 'one two');
});

test('a client that has gone away is noticed by the first bytes of its response', async (t) => {
  const { client, signals, closed } = await begin(t, patient, '/begin-later');
  client.destroy();
  await untilRead();
  signals.tell('go');
  await closed;
  t.pass();
});

test('the engine leaves complete requests open, and nothing else', (t) => {
  const get = message(['GET / HTTP/1.1', 'Host: a']);
  const after = (text: string, act: (driver: Driver) => void = () => {}): boolean => {
    const driver = new Driver();
    driver.receive(text);
    act(driver);
    driver.output();
    return driver.engine.halfClose();
  };
  t.true(after(get));
  t.true(after(get + get));
  t.true(
    after(get, ({ engine, messages }) => engine.inform(messages[0], 103, [])),
    'an interim response does not begin the response',
  );
  t.false(after(''));
  t.false(
    after(get, (driver) => driver.answer(driver.messages[0], 'x')),
    'answered',
  );
  t.false(after(`${get}GET`), 'a head has begun');
  t.false(after(message(['POST / HTTP/1.1', 'Host: a', 'Content-Length: 1'])), 'content is missing');
  t.false(
    after(get, (driver) => {
      driver.engine.respond(driver.messages[0], 200, [], false);
      driver.write(driver.messages[0], 'x');
    }),
    'the response has begun',
  );
  t.false(
    after(get, ({ engine, messages }) => engine.reset(messages[0], 8)),
    'aborted',
  );
});

test('a request for a tunnel stays open for a while, and once accepted it has no time limit', (t) => {
  const asked = (): Driver => {
    const driver = new Driver();
    driver.receive(message(['CONNECT h:1 HTTP/1.1', 'Host: h:1']));
    t.true(driver.engine.halfClose());
    t.is(driver.events.at(-1), 'data 0 "" last', 'the peer has ended its half');
    return driver;
  };
  const unanswered = asked();
  unanswered.engine.end();
  t.is(unanswered.events.at(-1), 'close 0 engine 8');
  t.is(unanswered.output(), '');
  t.is(unanswered.engine.state, 'closing');

  const accepted = asked();
  accepted.engine.accept(accepted.messages[0], '', []);
  t.true(accepted.engine.hasOpenTunnel);
  accepted.engine.end();
  accepted.write(accepted.messages[0], 'still here');
  t.regex(accepted.output(), /^HTTP\/1\.1 200 OK\r\n\r\nstill here$/);
});
