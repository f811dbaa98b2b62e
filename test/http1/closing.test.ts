/**
 * An application that ends the connection after its response (RFC 9112 section 9.6, docs/sgi.md rule 5.11).
 */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { UpgradeVerdict } from '../../runtime/http1/events.ts';
import { TunnelPhase } from '../../runtime/http1/message.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { Driver } from './driver.ts';
import { message, RawClient } from './raw.ts';
import { startHttp1Server } from './server.ts';

const scope = new FileScope();
let native: TestServer;
let node: TestServer;

test.before(async () => {
  native = await startHttp1Server(scope);
  const application = fileURLToPath(new URL('applications/closing.ts', import.meta.url));
  node = await startServer(scope, {
    pools: { closing: { application, kind: 'node', threads: { min: 1, max: 1 } } },
  });
});
test.after.always(() => scope.end());

function request(path: string, method = 'GET', version = '1.1', ...more: string[]): string {
  return message([
    `${method} ${path} HTTP/${version}`,
    'Host: a',
    `${SIGNALS_FIELD}: ${native.signals.name}`,
    ...more,
  ]);
}

for (const path of ['/field', '/list', '/write-head', '/raw-head', '/property']) {
  test(`a Node response that asks for it ends the connection: ${path}`, async (t) => {
    const client = await RawClient.connect(t, node.port);
    client.send(request(path));
    const { body, fields } = await client.response();
    t.deepEqual([body, fields.connection], ['answered', 'close']);
    t.is(await client.untilClosed(), '');
  });
}

for (const path of ['/nothing', '/closed-door', '/kept']) {
  test(`a Node response that does not ask for it leaves the connection open: ${path}`, async (t) => {
    const client = await RawClient.connect(t, node.port);
    for (const version of ['1.1', '1.0']) {
      client.send(request(path, 'GET', version, 'Connection: keep-alive'));
      const { body, fields } = await client.response();
      t.deepEqual([body, fields.connection], ['answered', 'keep-alive']);
    }
  });
}

test('over HTTP/2 the request to close has no effect', async (t) => {
  for (const [port, path] of [
    [node.port, '/field'],
    [native.port, '/close-late'],
  ] as const) {
    const session = connect(`http://127.0.0.1:${port}`);
    t.teardown(() => session.destroy());
    for (let count = 0; count < 2; count++) {
      const stream = session.request({ ':path': path, [SIGNALS_FIELD]: native.signals.name });
      const [headers] = await once(stream, 'response');
      t.deepEqual([headers[':status'], headers.connection], [200, undefined]);
      stream.resume();
      await once(stream, 'end');
    }
  }
});

test('a request to close after the head has no effect', async (t) => {
  const client = await RawClient.connect(t, native.port);
  for (let count = 0; count < 2; count++) {
    client.send(request('/close-late'));
    t.is((await client.response()).body, 'late');
  }
});

test('no request that waits behind another begins if that response ends the connection', async (t) => {
  const { signals } = native;
  const begun = signals.until('beguna');
  const client = await RawClient.connect(t, native.port);
  client.send(request('/wait-and-close?id=a', 'POST', '1.1', 'Content-Length: 0'));
  client.send(request('/wait?id=b'));
  await begun;
  signals.tell('goa');
  const { body, fields } = await client.response();
  t.deepEqual([body, fields.connection], ['waiteda', 'close']);
  t.is(await client.untilClosed(), '');
  t.is(signals.heard('begunb'), 0);
});

test('requests that have begun beside it are answered, and the last response says that it is the last', async (t) => {
  const { signals } = native;
  const begun = Promise.all([signals.until('begunc'), signals.until('begund')]);
  const client = await RawClient.connect(t, native.port);
  client.send(request('/wait-and-close?id=c') + request('/wait?id=d') + request('/wait?id=e', 'DELETE'));
  await begun;
  signals.tell('goc');
  const first = await client.response();
  t.deepEqual([first.body, first.fields.connection], ['waitedc', 'keep-alive']);
  signals.tell('god');
  const last = await client.response();
  t.deepEqual([last.body, last.fields.connection], ['waitedd', 'close']);
  t.is(await client.untilClosed(), '');
  t.is(signals.heard('begune'), 0);
});

test('an engine that must end after a response reports no further request', (t) => {
  const driver = new Driver();
  driver.receive(
    'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1GET /b HTTP/1.1\r\nHost: a\r\n\r\nPOST /c HT',
  );
  const [first] = driver.messages;
  driver.engine.endBehind(first!);
  driver.answer(first!, 'answer');
  t.regex(driver.output(), /connection: close\r\n\r\nanswer$/);
  t.is(driver.engine.state, 'closing');
  driver.receive('TP/1.1\r\nHost: a\r\n\r\n');
  t.deepEqual(driver.events, [
    'request 0 POST /a',
    'start 0',
    'data 0 "1" last',
    'request 1 GET /b',
    'close 1 engine 8',
    'close 0 complete 0',
  ]);
});

test('a refusal of input that waits behind is not sent', (t) => {
  const driver = new Driver();
  driver.receive('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1GET /b HTTP/2.0\r\n\r\n');
  const [first] = driver.messages;
  driver.engine.endBehind(first!);
  driver.answer(first!, 'answer');
  t.regex(driver.output(), /connection: close\r\n\r\nanswer$/);
});

test('a FIN follows the last response although the owner still reads its request', (t) => {
  const driver = new Driver();
  driver.receive('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1');
  const [first] = driver.messages;
  driver.engine.endBehind(first!);
  t.false(driver.engine.hasSaidAll);
  driver.answer(first!, 'answer');
  t.regex(driver.output(), /connection: close\r\n\r\nanswer$/);
  t.true(driver.engine.hasSaidAll);
  driver.receive('2');
  t.deepEqual(driver.events.slice(-2), ['data 0 "2" last', 'close 0 complete 0']);
  t.false(driver.engine.hasSaidAll);
  t.is(driver.engine.state, 'closing');
});

test('a client that leaves during the response to a refused upgrade has left', (t) => {
  const driver = new Driver();
  driver.verdict = UpgradeVerdict.Tunnel;
  driver.receive('GET /a HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [first] = driver.messages;
  t.is(first!.tunnel, TunnelPhase.Asked);
  driver.engine.respond(first!, 403, [], false);
  driver.write(first!, 'a piece');
  t.regex(driver.output(), /^HTTP\/1\.1 403 /);
  t.false(driver.engine.hasOpenTunnel);
  t.false(driver.engine.halfClose(), 'its response has begun');
  driver.engine.end();
  t.is(driver.events.at(-1), 'close 0 engine 8');
  t.is(driver.engine.state, 'aborted');
});
