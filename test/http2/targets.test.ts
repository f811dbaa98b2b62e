/** Targets are checked over HTTP/2 as over HTTP/1.1, so that each request has only one reading. */
import test from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { RawClient } from '../http1/raw.ts';
import { startHttp1Server } from '../http1/server.ts';
import { FileScope, type TestServer } from '../server/harness.ts';
import { errorCode, headers, RawHttp2 } from '../server/raw-http2.ts';
import { fieldBlock } from './frames.ts';

const PROTOCOL_ERROR = 1;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startHttp1Server(scope);
});
test.after.always(() => scope.end());

async function statusOver1(t: Parameters<typeof RawClient.connect>[0], authority: string): Promise<number> {
  const client = await RawClient.connect(t, server.port);
  client.send(`GET /hello HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  return (await client.response()).status;
}

async function statusOver2(t: Parameters<typeof RawHttp2.connect>[0], fields: string[]): Promise<number> {
  const client = await RawHttp2.connect(t, server.port);
  client.send(headers(1, fieldBlock(fields), true));
  return Number(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'));
}

for (const [authority, status] of [
  ['a', 200],
  ['a:80', 200],
  ['[::1]:80', 200],
  ['a%20b', 200],
  [':80', 400],
  ['a:65536', 400],
  ['a:80:80', 400],
  ['[', 400],
  ['[::1', 400],
  ['[::g]', 400],
  ['[:::::]', 400],
  ['a%2', 400],
] as const) {
  test(`RFC 9110 section 7.2: the authority ${authority} is answered ${status}, whatever the version`, async (t) => {
    const request = [':method', 'GET', ':scheme', 'http', ':authority', authority, ':path', '/hello'];
    t.is(await statusOver2(t, request), status);
    t.is(await statusOver1(t, authority), status);
  });
}

test('RFC 9113 section 8.5: CONNECT without a port is answered 400', async (t) => {
  t.is(await statusOver2(t, [':method', 'CONNECT', ':authority', 'a']), 400);
});

test('RFC 3986 section 2: a path outside US-ASCII is refused, whatever the version', async (t) => {
  const second = await RawHttp2.connect(t, server.port);
  second.send(
    headers(1, fieldBlock([':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/\xe9']), true),
  );
  t.is(errorCode(await second.untilFrame(FrameType.RstStream, 1)), PROTOCOL_ERROR);
  const first = await RawClient.connect(t, server.port);
  first.send('GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n');
  t.is((await first.response()).status, 400);
});
