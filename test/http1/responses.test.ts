/** The shape of responses on the wire: framing, interim responses, trailers, and clients of HTTP/1.0. */
import test from 'ava';
import { request as undiciRequest } from 'undici';
import { FileScope, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { message, RawClient } from './raw.ts';
import { startHttp1Server } from './server.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startHttp1Server(scope);
});
test.after.always(() => scope.end());

async function ask(
  t: Parameters<typeof RawClient.connect>[0],
  line: string,
  ...more: string[]
): Promise<RawClient> {
  const client = await RawClient.connect(t, server.port);
  client.send(message([line, 'Host: a', `${SIGNALS_FIELD}: ${server.signals.name}`, ...more]));
  return client;
}

test('a body of unknown length is chunked (RFC 9112 section 7.1)', async (t) => {
  const client = await ask(t, 'GET /stream HTTP/1.1');
  const { body, fields } = await client.response();
  t.deepEqual(
    [body, fields['transfer-encoding'], fields['content-length']],
    ['one two', 'chunked', undefined],
  );
});

test('to an HTTP/1.0 client a body of unknown length is neither chunked nor announced, and ends with the connection (RFC 9112 section 6.3)', async (t) => {
  const client = await ask(t, 'GET /stream HTTP/1.0', 'Connection: keep-alive');
  const { body, fields } = await client.response();
  t.deepEqual([body, fields['transfer-encoding'], fields.connection], ['one two', undefined, 'close']);
});

test('a response that is broken off is incomplete to an HTTP/1.1 client (RFC 9112 section 8)', async (t) => {
  const begun = server.signals.until('begun');
  const client = await ask(t, 'GET /cut HTTP/1.1');
  await begun;
  await client.until('one');
  server.signals.tell('go');
  t.false((await client.untilClosed()).includes('0\r\n\r\n'));
});

test('so it is to an HTTP/1.0 client, for whom only a reset differs from the end', async (t) => {
  const cut = await startHttp1Server(t);
  const begun = cut.signals.until('begun');
  const client = await RawClient.connect(t, cut.port);
  client.send(message(['GET /cut HTTP/1.0', `${SIGNALS_FIELD}: ${cut.signals.name}`]));
  await begun;
  await client.until('one');
  cut.signals.tell('go');
  await client.untilClosed();
  t.true(client.wasReset);
});

test('HEAD is answered with the head alone, and the connection persists (RFC 9110 section 9.3.2)', async (t) => {
  const client = await ask(t, 'HEAD /hello HTTP/1.1');
  t.is((await client.response('HEAD')).fields['content-length'], '5');
  for (const path of ['/stream', '/trailers', '/trailers?length=4']) {
    client.send(message([`HEAD ${path} HTTP/1.1`, 'Host: a']));
    const { status, fields } = await client.response('HEAD');
    t.deepEqual([status, fields.trailer], [200, undefined], path);
  }
  client.send(message(['GET /hello HTTP/1.1', 'Host: a']));
  t.is((await client.response()).body, 'hello');
});

test('204 has neither length nor content, 304 may have the length of the content that it replaces (RFC 9110 section 8.6)', async (t) => {
  const client = await ask(t, 'GET /status?code=204 HTTP/1.1');
  const noContent = await client.response();
  t.deepEqual(
    [noContent.status, noContent.fields['content-length'], noContent.fields['transfer-encoding']],
    [204, undefined, undefined],
  );
  client.send(message(['GET /status?code=304 HTTP/1.1', 'Host: a']));
  const notModified = await client.response();
  t.deepEqual(
    [notModified.status, notModified.fields['content-length'], notModified.fields['transfer-encoding']],
    [304, '4', undefined],
  );
  client.send(message(['GET /hello HTTP/1.1', 'Host: a']));
  t.is((await client.response()).body, 'hello');
});

test('trailers follow a chunked body (RFC 9112 section 7.1.2)', async (t) => {
  const client = await ask(t, 'GET /trailers HTTP/1.1', 'TE: trailers');
  const { body, fields, trailers } = await client.response();
  t.deepEqual([body, fields.trailer, trailers], ['body', 'x-sum', 'x-sum: 1']);
});

test('a body that is not chunked has no trailers, and none are announced (RFC 9112 section 7.1.2)', async (t) => {
  const client = await ask(t, 'GET /trailers?length=4 HTTP/1.1');
  const { body, fields, trailers } = await client.response();
  t.deepEqual([body, fields.trailer, trailers], ['body', undefined, '']);
  client.send(message(['GET /hello HTTP/1.1', 'Host: a']));
  t.is((await client.response()).body, 'hello');
  const old = await ask(t, 'GET /trailers HTTP/1.0');
  const answer = await old.response();
  t.deepEqual([answer.body, answer.fields.trailer], ['body', undefined]);
});

test('trailers reach other HTTP/1.1 clients', async (t) => {
  const { trailers } = await requestHttp1(`${server.origin}/trailers`);
  t.deepEqual({ ...trailers }, { 'x-sum': '1' });
  const answer = await undiciRequest(`${server.origin}/trailers`, { reset: true });
  await answer.body.text();
  t.deepEqual({ ...answer.trailers }, { 'x-sum': '1' });
});

test('an application learns that its client accepts trailers, as over HTTP/2, and of no other transfer coding (RFC 9110 section 10.1.4)', async (t) => {
  for (const [sent, told] of [
    ['TE: trailers', 'trailers'],
    ['TE: gzip;q=0.5, Trailers', 'trailers'],
    ['TE: gzip', undefined],
  ] as const) {
    const client = await ask(t, 'GET /describe HTTP/1.1', sent, 'Connection: TE');
    const { fields } = JSON.parse((await client.response()).body);
    t.is(fields.find(([name]: [string]) => name === 'te')?.[1], told, sent);
  }
});

test('fields that the client names in Connection are removed, and the connection persists (RFC 9110 section 7.6.1)', async (t) => {
  const lines = [
    'Connection: x-hop, content-length',
    'X-Hop: 1',
    'X-End: 2',
    'Keep-Alive: 5',
    'Proxy-Connection: x',
    'Content-Length: 0',
  ];
  const client = await ask(t, 'POST /describe HTTP/1.1', ...lines);
  const { fields } = JSON.parse((await client.response()).body);
  t.deepEqual(
    fields.filter(([name]: [string]) => name !== SIGNALS_FIELD),
    [
      ['x-end', '2'],
      ['content-length', '0'],
    ],
  );
});

test('any interim response comes before the final one, with its fields (RFC 9110 section 15.2)', async (t) => {
  const statuses = [102, 103, 104, 150, 199];
  const client = await ask(
    t,
    `GET /inform?${statuses.map((status) => `status=${status}`).join('&')} HTTP/1.1`,
  );
  for (const status of statuses) {
    const interim = await client.response();
    t.deepEqual([interim.status, interim.fields['x-step']], [status, String(status)]);
  }
  t.is((await client.response()).body, 'informed');
});

test("Node's client is told of each", async (t) => {
  const { interim, body } = await requestHttp1(`${server.origin}/inform?status=103&status=110&status=103`);
  t.deepEqual([interim, body.toString()], [[103, 110, 103], 'informed']);
});

test('interim responses of a pipelined request follow the earlier response', async (t) => {
  const { signals } = server;
  const begun = signals.until('begun');
  const client = await ask(t, 'GET /wait HTTP/1.1');
  await begun;
  client.send(message(['GET /inform?status=103&status=104 HTTP/1.1', 'Host: a']));
  const other = await ask(t, 'GET /hello HTTP/1.1');
  await other.response();
  signals.tell('go');
  t.is((await client.response()).body, 'waited');
  t.is((await client.response()).status, 103);
  t.is((await client.response()).status, 104);
  t.is((await client.response()).body, 'informed');
});

test('an HTTP/1.0 client gets no interim responses (RFC 9110 section 15.2)', async (t) => {
  const client = await ask(t, 'GET /inform?status=103 HTTP/1.0');
  const { status, body } = await client.response();
  t.deepEqual([status, body], [200, 'informed']);
});

test('a field that is not ASCII leaves unchanged, in any order of the fields', async (t) => {
  const client = await ask(t, 'GET /attachment HTTP/1.1');
  const { fields, body } = await client.response();
  t.deepEqual([fields['content-disposition'], body], ['attachment; filename="h\xe9.txt"', 'ok']);
});

test('it is also unchanged in a head that leaves before its content', async (t) => {
  const client = await ask(t, 'GET /attachment-later HTTP/1.1');
  await client.until('\r\n\r\n');
  server.signals.tell('go');
  const { fields, body, trailers } = await client.response();
  t.deepEqual([fields['x-name'], body, trailers], ['h\xe9', 'ok', 'x-last: \xe9']);
});
