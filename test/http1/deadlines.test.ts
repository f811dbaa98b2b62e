/**
 * The response to a client that is too slow to send a head (RFC 9110 section 15.5.9). The deadlines are
 * short; the tests wait until they expire.
 */
import test from 'ava';
import { message, RawClient } from './raw.ts';
import { startHttp1Server } from './server.ts';

/**
 * Long enough for a busy machine to get from connecting to the first byte. Before that byte there is no
 * request to answer.
 */
const short = { limits: { headerTimeoutMs: 500 } };

test('a head that does not end is answered 408, and the connection is closed', async (t) => {
  const server = await startHttp1Server(t, short);
  const client = await RawClient.connect(t, server.port);
  client.send('GET /hello HTTP/1.1\r\nHost: a\r\n');
  const { status, fields } = await client.response();
  t.deepEqual([status, fields.connection], [408, 'close']);
  t.is(await client.untilClosed(), '');
});

test('so is a head that follows an answered request', async (t) => {
  const server = await startHttp1Server(t, short);
  const client = await RawClient.connect(t, server.port);
  client.send(`${message(['GET /hello HTTP/1.1', 'Host: a'])}GET /hello HTTP/1.1\r\n`);
  t.is((await client.response()).body, 'hello');
  t.is((await client.response()).status, 408);
  t.is(await client.untilClosed(), '');
});

test('a head that arrives one byte at a time has the same deadline', async (t) => {
  const server = await startHttp1Server(t, short);
  const client = await RawClient.connect(t, server.port);
  client.send('GET /hello HTTP/1.1\r\nX: ');
  const dripping = setInterval(() => client.send('x'), 20);
  t.teardown(() => clearInterval(dripping));
  t.is((await client.response()).status, 408);
});

test('an application and a body may take longer than that', async (t) => {
  const server = await startHttp1Server(t, short);
  const client = await RawClient.connect(t, server.port);
  client.send(message(['POST /describe HTTP/1.1', 'Host: a', 'Content-Length: 2'], 'a'));
  const late = await RawClient.connect(t, server.port);
  // This connection's deadline is later than one for the other connection would have been.
  late.send('GET /hello HTTP/1.1\r\n');
  t.is((await late.response()).status, 408);
  client.send('b');
  t.is(JSON.parse((await client.response()).body).body, 'ab');
});
