/** The parts of a head, checked one by one, and whole connections however their bytes are split. */
import test from 'ava';
import fc from 'fast-check';
import { isHost, isHttpAuthority } from '../../runtime/http1/host.ts';
import { refusalMessage } from '../../runtime/http1/refusal.ts';
import { interimMessage } from '../../runtime/http1/response-writer.ts';
import { parseTarget } from '../../runtime/http1/target.ts';
import { FileScope, type TestServer } from '../server/harness.ts';
import { message, RawClient } from './raw.ts';
import { startHttp1Server } from './server.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startHttp1Server(scope);
});
test.after.always(() => scope.end());

const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);

test('property: every host with or without a port is valid, and not with anything before it', (t) => {
  fc.assert(
    fc.property(host, fc.option(fc.nat(65_535)), (name, port) => {
      const authority = port === null ? name : `${name}:${port}`;
      t.true(isHost(authority) && isHttpAuthority(authority), authority);
      for (const wrong of [
        `user@${authority}`,
        `http://${authority}`,
        `${authority}/`,
        `${authority} `,
        `${name}:65536`,
      ])
        t.false(isHost(wrong), wrong);
    }),
  );
});

test('property: an absolute target is read as URL reads it', (t) => {
  const path = fc.webPath().filter((text) => !/[^!-~]/.test(text) && text !== '');
  fc.assert(
    fc.property(fc.constantFrom('http', 'https'), fc.domain(), path, (scheme, name, rest) => {
      const target = parseTarget('GET', `${scheme}://${name}${rest}`);
      t.deepEqual([target?.scheme, target?.authority], [scheme, name]);
      // URL resolves dot segments; a server passes them on.
      t.is(target?.path, rest);
      t.is(new URL(`${scheme}://${name}${rest}`).host, name.toLowerCase());
    }),
  );
});

test('a refusal is a complete response that ends the connection', (t) => {
  const text = refusalMessage({ status: 400, why: 'h\u00e4?' }, 'now');
  const [head = '', body = ''] = text.split('\r\n\r\n');
  t.regex(head, /^HTTP\/1\.1 400 Bad Request\r\n/);
  t.regex(head, /\r\nconnection: close/);
  t.is(Number(/content-length: (\d+)/.exec(head)?.[1]), Buffer.byteLength(body));
});

test('an interim response without a known phrase keeps the space before it (RFC 9112 section 4)', (t) => {
  t.is(interimMessage(199, ['x-a', 'b', 'x-a', 'c']), 'HTTP/1.1 199 \r\nx-a: b\r\nx-a: c\r\n\r\n');
});

/** Valid and invalid requests with their answers, in sequence on one connection. */
const good = fc.constantFrom(
  message(['GET /hello HTTP/1.1', 'Host: a']),
  message(['HEAD /hello HTTP/1.1', 'Host: a']),
  message(['GET http://a/stream HTTP/1.1', 'Host: b']),
  message(['POST /describe HTTP/1.1', 'Host: a', 'Content-Length: 3'], 'abc'),
  message(
    ['POST /describe HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked'],
    '3;x=y\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n',
  ),
  message(['POST /unread HTTP/1.1', 'Host: a', 'Content-Length: 3'], 'abc'),
);
const bad = fc.constantFrom(
  message(['GET /hello HTTP/1.1']),
  message(['GET /hello HTTP/1.1', 'Host: a', 'Connection: close']),
  message(['GET /hello HTTP/1.1', 'Host: a', 'X : y']),
  message(['POST /describe HTTP/1.1', 'Host: a', 'Content-Length: 3', 'Transfer-Encoding: chunked'], 'abc'),
  message(['POST /describe HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked'], 'x\r\n'),
  message(['POST /describe HTTP/1.1', 'Host: a', 'Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'),
  message(['BREW /hello HTTP/1.1', 'Host: a']),
);

test('property: the responses are the same however the bytes are cut', async (t) => {
  const answers = async (pieces: readonly string[]): Promise<string> => {
    const client = await RawClient.connect(t, server.port);
    for (const piece of pieces) await client.sendAll(piece);
    // How content is split into chunks depends on when it arrives from the application.
    return (await client.untilClosed())
      .replaceAll(/date: [^\r]*/gi, 'date')
      .replaceAll('4\r\none \r\n3\r\ntwo\r\n', '7\r\none two\r\n');
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(good, { maxLength: 4 }),
      bad,
      fc.array(fc.nat(), { maxLength: 6 }),
      async (first, last, cuts) => {
        const text = first.join('') + last + message(['GET /hello HTTP/1.1', 'Host: smuggled']);
        const places = [...new Set(cuts.map((cut) => cut % text.length))].sort((one, other) => one - other);
        const pieces = [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length));
        t.is(await answers(pieces), await answers([text]));
      },
    ),
    { numRuns: 60 },
  );
});
