/**
 * Requests sent before earlier ones are answered: their order, what runs in parallel, and how many are
 * accepted (RFC 9112 section 9.3.2).
 */
import test from 'ava';
import { FileScope, type TestServer } from '../server/harness.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { message, RawClient } from './raw.ts';
import { startHttp1Server } from './server.ts';

const scope = new FileScope();
test.after.always(() => scope.end());

function requestLines({ signals }: TestServer, method: string, path: string, ...more: string[]): string[] {
  return [`${method} ${path} HTTP/1.1`, 'Host: a', `${SIGNALS_FIELD}: ${signals.name}`, ...more];
}

test('responses arrive in the order of the requests, whichever is ready first', async (t) => {
  const server = await startHttp1Server(t);
  const client = await RawClient.connect(t, server.port);
  const begun = ['one', 'two', 'three'].map((id) => server.signals.until(`begun${id}`));
  for (const id of ['one', 'two', 'three'])
    client.send(message(requestLines(server, 'GET', `/wait?id=${id}`)));
  await Promise.all(begun);
  server.signals.tell('gothree');
  server.signals.tell('gotwo');
  server.signals.tell('goone');
  for (const id of ['one', 'two', 'three']) t.is((await client.response()).body, `waited${id}`);
});

test('a request that is not safe waits for earlier ones, and later ones wait for it', async (t) => {
  const server = await startHttp1Server(t);
  const { signals } = server;
  const client = await RawClient.connect(t, server.port);
  const first = signals.until('begunfirst');
  const second = signals.until('begunsecond');
  client.send(message(requestLines(server, 'GET', '/wait?id=first')));
  client.send(message(requestLines(server, 'DELETE', '/wait?id=second')));
  client.send(message(requestLines(server, 'GET', '/wait?id=third')));
  await first;
  t.is(signals.heard('begunsecond'), 0);
  signals.tell('gofirst');
  t.is((await client.response()).body, 'waitedfirst');
  await second;
  t.is(signals.heard('begunthird'), 0);
  const third = signals.until('begunthird');
  signals.tell('gosecond');
  t.is((await client.response()).body, 'waitedsecond');
  await third;
  signals.tell('gothird');
  t.is((await client.response()).body, 'waitedthird');
});

test('no more run side by side than maxParallelRequests', async (t) => {
  const server = await startHttp1Server(t, { http1: { maxParallelRequests: 2 } });
  const { signals } = server;
  const client = await RawClient.connect(t, server.port);
  const two = Promise.all([signals.until('begun1'), signals.until('begun2')]);
  for (const id of [1, 2, 3]) client.send(message(requestLines(server, 'GET', `/wait?id=${id}`)));
  await two;
  // The third was parsed with the first two, so it would have begun before a request of another connection.
  const other = await RawClient.connect(t, server.port);
  other.send(message(requestLines(server, 'GET', '/hello')));
  await other.response();
  t.is(signals.heard('begun3'), 0);
  const third = signals.until('begun3');
  signals.tell('go1');
  t.is((await client.response()).body, 'waited1');
  await third;
  signals.tell('go2');
  signals.tell('go3');
  t.is((await client.response()).body, 'waited2');
  t.is((await client.response()).body, 'waited3');
});

test('of more than maxPipelinedRequests the first are answered, and the connection is closed', async (t) => {
  const server = await startHttp1Server(t, { http1: { maxPipelinedRequests: 3 } });
  const client = await RawClient.connect(t, server.port);
  const hello = message(requestLines(server, 'GET', '/hello'));
  client.send(hello.repeat(10));
  const answers = [await client.response(), await client.response(), await client.response()];
  t.deepEqual(
    answers.map(({ body, fields }) => [body, fields.connection]),
    [
      ['hello', 'keep-alive'],
      ['hello', 'keep-alive'],
      ['hello', 'close'],
    ],
  );
  t.is(await client.untilClosed(), '');
});

test('a client that pipelines without end costs no more than that', async (t) => {
  const server = await startHttp1Server(t, { http1: { maxPipelinedRequests: 4 } });
  const client = await RawClient.connect(t, server.port);
  const begun = server.signals.until('begun');
  client.send(message(requestLines(server, 'GET', '/wait')));
  await begun;
  // The server stops reading, so some of it stays unsent.
  client.send(message(requestLines(server, 'GET', '/hello')).repeat(50_000));
  const other = await RawClient.connect(t, server.port);
  other.send(message(requestLines(server, 'GET', '/hello')));
  t.is((await other.response()).body, 'hello');
  server.signals.tell('go');
  t.is((await client.response()).body, 'waited');
  for (let left = 3; left > 0; left--) t.is((await client.response()).body, 'hello');
  t.is(await client.untilClosed(), '');
});

test('a refusal follows the responses to earlier requests', async (t) => {
  const server = await startHttp1Server(t);
  for (const bad of [
    'GET /hello HTTP/1.1\r\n\r\n',
    'GET /hello HTTP/1.1\nbad\r\n\r\n',
    'G@T / HTTP/1.1\r\n\r\n',
  ]) {
    const client = await RawClient.connect(t, server.port);
    const begun = server.signals.until('begun', server.signals.heard('begun') + 1);
    client.send(
      message(requestLines(server, 'GET', '/wait')) + message(requestLines(server, 'GET', '/hello')) + bad,
    );
    await begun;
    server.signals.tell('go');
    const answers = [await client.response(), await client.response(), await client.response()];
    t.deepEqual(
      answers.map(({ status, fields }) => [status, fields.connection]),
      [
        [200, 'keep-alive'],
        [200, 'keep-alive'],
        [400, 'close'],
      ],
      bad,
    );
    t.is(await client.untilClosed(), '');
  }
});

test('malformed content ends its own exchange, after the earlier responses', async (t) => {
  const server = await startHttp1Server(t);
  const { signals } = server;
  const client = await RawClient.connect(t, server.port);
  const begun = signals.until('begun');
  const closed = signals.until('closed reset by server code 1');
  client.send(message(requestLines(server, 'GET', '/hello')));
  client.send(message(requestLines(server, 'POST', '/read', 'Transfer-Encoding: chunked'), '1\r\na\r\n'));
  t.is((await client.response()).body, 'hello');
  await begun;
  client.send('no size\r\n');
  t.is((await client.response()).status, 400);
  t.is(await client.untilClosed(), '');
  await closed;
});

test('malformed content breaks its response off if the head has left', async (t) => {
  const server = await startHttp1Server(t);
  const client = await RawClient.connect(t, server.port);
  client.send(message(requestLines(server, 'POST', '/echo', 'Transfer-Encoding: chunked'), '3\r\nabc\r\n'));
  await client.until('abc');
  client.send('no size\r\n');
  const text = await client.untilClosed();
  t.false(text.includes('400'));
  t.false(text.endsWith('0\r\n\r\n'), 'the client sees that it is not whole');
});

test('requests that wait on a connection end when its peer goes away', async (t) => {
  const server = await startHttp1Server(t);
  const { signals } = server;
  const client = await RawClient.connect(t, server.port);
  const begun = signals.until('begun');
  const closed = signals.until('closed reset by peer code 8');
  client.send(message(requestLines(server, 'POST', '/read', 'Content-Length: 10'), 'abc'));
  await begun;
  client.end();
  await closed;
  await client.untilClosed();
  // Nothing holds up the drain.
  await server.server.drain();
  t.pass();
});
