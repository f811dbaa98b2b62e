/**
 * `Expect` (RFC 9110 section 10.1.1): the server asks for content when the application first reads, and not
 * earlier.
 */
import { request } from 'node:http';
import test from 'ava';
import { FileScope, type TestServer } from '../server/harness.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { message, RawClient } from './raw.ts';
import { startHttp1Server } from './server.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startHttp1Server(scope);
});
test.after.always(() => scope.end());

function expecting(path: string, ...more: string[]): string {
  return message([
    `POST ${path} HTTP/1.1`,
    'Host: a',
    'Content-Length: 4',
    'Expect: 100-continue',
    `${SIGNALS_FIELD}: ${server.signals.name}`,
    ...more,
  ]);
}

test('100 is sent when the application reads, and not while it does something else', async (t) => {
  const client = await RawClient.connect(t, server.port);
  const begun = server.signals.until('begun');
  client.send(expecting('/read-later'));
  await begun;
  t.is(client.text, '');
  server.signals.tell('go');
  // The head of the final response is written after the content has arrived, so this is the first response.
  t.is((await client.response()).status, 100);
  client.send('body');
  t.deepEqual((await client.response()).body, 'body');
});

test('100 is sent once, whoever asks for it', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(expecting('/invite-twice'));
  t.is((await client.response()).status, 100);
  client.send('body');
  t.is((await client.response()).body, 'body');
});

test('a final response without reading means no 100, and closes the connection because the body was not sent', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(expecting('/unread'));
  const { status, fields } = await client.response();
  t.deepEqual([status, fields.connection], [200, 'close']);
  t.is(await client.untilClosed(), '');
});

test('a path that no route matches means no 100 either', async (t) => {
  const routed = await startHttp1Server(t, { routes: [{ path: '/hello', pool: 'steps' }] });
  const client = await RawClient.connect(t, routed.port);
  client.send(expecting('/nowhere'));
  const { status, fields } = await client.response();
  t.deepEqual([status, fields.connection], [404, 'close']);
  t.is(await client.untilClosed(), '');
});

test('a client that does not wait gets no 100 for content that it has sent, and its connection persists', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(`${expecting('/describe')}body`);
  const { status, body, fields } = await client.response();
  t.deepEqual([status, JSON.parse(body).body, fields.connection], [200, 'body', 'keep-alive']);
});

test('the 100 of a pipelined request follows the earlier response', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send(message(['GET /hello HTTP/1.1', 'Host: a']) + expecting('/describe'));
  t.is((await client.response()).body, 'hello');
  t.is((await client.response()).status, 100);
  client.send('body');
  t.is(JSON.parse((await client.response()).body).body, 'body');
});

test("Node's client is told to go on, and uploads", async (t) => {
  const outgoing = request(`${server.origin}/describe`, {
    method: 'POST',
    agent: false,
    headers: { expect: '100-continue' },
  });
  outgoing.flushHeaders();
  await new Promise<void>((resolve) => outgoing.once('continue', () => resolve()));
  outgoing.end('body');
  const text = await new Promise<string>((resolve) => {
    outgoing.once('response', (response) => {
      let received = '';
      response.on('data', (piece) => {
        received += piece;
      });
      response.on('end', () => resolve(received));
    });
  });
  t.is(JSON.parse(text).body, 'body');
});

for (const value of ['101-continue', '100-continue, more', 'more, 100-continue']) {
  test(`417 and a closed connection: Expect: ${value}`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    client.send(message(['POST /describe HTTP/1.1', 'Host: a', 'Content-Length: 4', `Expect: ${value}`]));
    const { status, fields } = await client.response();
    t.deepEqual([status, fields.connection], [417, 'close']);
    t.is(await client.untilClosed(), '');
  });
}

for (const value of ['100-continue,', ', ,100-continue\t,,']) {
  test(`empty members of Expect are ignored (RFC 9110 section 5.6.1.2): "${value}"`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    client.send(message(['POST /describe HTTP/1.1', 'Host: a', 'Content-Length: 4', `Expect: ${value}`]));
    t.is((await client.response()).status, 100);
    client.send('body');
    t.is(JSON.parse((await client.response()).body).body, 'body');
  });
}

test('an expectation of an HTTP/1.0 client is ignored', async (t) => {
  const client = await RawClient.connect(t, server.port);
  const lines = ['POST /describe HTTP/1.0', 'Content-Length: 4'];
  for (const value of ['100-continue', 'more']) {
    const one = value === 'more' ? await RawClient.connect(t, server.port) : client;
    one.send(message([...lines, `Expect: ${value}`], 'body'));
    const { status, body } = await one.response();
    t.deepEqual([status, JSON.parse(body).body], [200, 'body']);
  }
});
