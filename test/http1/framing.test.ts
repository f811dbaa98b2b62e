/**
 * Messages whose end two tiers could see in different places, or whose lines they could read differently.
 * Each is answered once with a response that announces the close, and the connection is closed. The bytes
 * that follow are never taken for a request.
 */
import test from 'ava';
import { FileScope, type TestServer } from '../server/harness.ts';
import { RawClient } from './raw.ts';
import { startHttp1Server } from './server.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startHttp1Server(scope);
});
test.after.always(() => scope.end());

const get = 'GET /hello HTTP/1.1\r\nHost: a\r\n';
const post = 'POST /describe HTTP/1.1\r\nHost: a\r\n';
const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`;
/** What an attacker wants the server to take for a separate request. */
const smuggled = 'GET /hello HTTP/1.1\r\nHost: smuggled\r\n\r\n';

interface Case {
  readonly title: string;
  readonly sent: string;
  readonly status: number;
}

const refused = (title: string, sent: string, status = 400): Case => ({ title, sent, status });

const cases: readonly Case[] = [
  // Lengths.
  refused(
    'both Content-Length and Transfer-Encoding (RFC 9112 section 6.3)',
    `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
  refused(
    'both Transfer-Encoding and Content-Length (RFC 9112 section 6.3)',
    `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  ),
  refused(
    'two Content-Length fields that differ (RFC 9112 section 6.3)',
    `${post}Content-Length: 1\r\nContent-Length: 0\r\n\r\na`,
  ),
  refused(
    'two Content-Length fields that agree (RFC 9112 section 6.3)',
    `${post}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`,
  ),
  ...['1, 1', '+1', '-1', '', '1 1', '0x1', '1;', '1.0', '١', `${'1'.repeat(15)}x`].map((value) =>
    refused(
      `Content-Length ${JSON.stringify(value)} (RFC 9110 section 8.6)`,
      `${post}Content-Length: ${Buffer.from(value).toString('latin1')}\r\n\r\na`,
    ),
  ),
  ...['18446744073709551615', '18446744073709551616', '1'.repeat(16)].map((value) =>
    refused(
      `a Content-Length that cannot be counted exactly: ${value} (RFC 9110 section 8.6)`,
      `${post}Content-Length: ${value}\r\n\r\na`,
      413,
    ),
  ),
  // Transfer codings.
  refused(
    'a transfer coding that nobody decodes (RFC 9112 section 6.1)',
    `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    501,
  ),
  refused(
    'a transfer coding that nobody decodes, in two lines (RFC 9112 section 6.1)',
    `${post}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    501,
  ),
  ...[
    'chunked, gzip',
    'chunked, chunked',
    'chunked, identity',
    'identity',
    'xchunked',
    'chunkedx',
    'chunked;q=1',
    '"chunked"',
    'chunked,',
    ',chunked',
    'chunked,,chunked',
    '',
    'chunked \t',
    '\x0bchunked',
    'chun\tked',
  ].map((value) =>
    refused(
      `a last transfer coding that is not chunked: ${JSON.stringify(value)} (RFC 9112 section 6.3)`,
      `${post}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`,
    ),
  ),
  refused(
    'two Transfer-Encoding fields (RFC 9112 section 6.3)',
    `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
  refused(
    'Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)',
    'POST /describe HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ),
  // Chunks.
  ...['0x1', '+1', '-1', '', ' 1', '1 ', '1\t', 'g', '1\0', 'FFFFFFFFFFFFFFFFF', '1_0'].map((size) =>
    refused(
      `a chunk size of ${JSON.stringify(size)} (RFC 9112 section 7.1)`,
      `${chunked}${size}\r\na\r\n0\r\n\r\n`,
    ),
  ),
  ...[
    ';a b',
    ';a\rb',
    ';a\nb',
    ';a=\0',
    ';',
    ';a="\x01"',
    ';a="\n"',
    ' ;a',
    '; a',
    ';a=',
    ';a=;b',
    ';a;',
    ';=a',
    ';a=b=c',
    ';a=_"b"',
    ';a="b"c',
    ';a="\\\x01"',
  ].map((extension) =>
    refused(
      `a chunk extension of ${JSON.stringify(extension)} (RFC 9112 section 7.1.1)`,
      `${chunked}1${extension}\r\na\r\n0\r\n\r\n`,
    ),
  ),
  refused(
    'a chunk extension without end (RFC 9112 section 7.1.1)',
    `${chunked}1;a=${'x'.repeat(20_000)}\r\na\r\n0\r\n\r\n`,
  ),
  refused('a bare LF behind a chunk size (RFC 9112 section 2.2)', `${chunked}1\na\r\n0\r\n\r\n`),
  refused('a bare LF behind chunk data (RFC 9112 section 2.2)', `${chunked}1\r\na\n0\r\n\r\n`),
  refused('chunk data longer than its size (RFC 9112 section 7.1)', `${chunked}1\r\nab\r\n0\r\n\r\n`),
  refused('chunk data without a line end (RFC 9112 section 7.1)', `${chunked}1\r\na0\r\n\r\n`),
  refused('a last chunk that ends in bare LF (RFC 9112 section 2.2)', `${chunked}1\r\na\r\n0\r\n\n`),
  // Trailers.
  refused(
    'Content-Length among the trailers (RFC 9110 section 6.5.1)',
    `${chunked}0\r\nContent-Length: 5\r\n\r\n`,
  ),
  refused(
    'Transfer-Encoding among the trailers (RFC 9110 section 6.5.1)',
    `${chunked}0\r\nTransfer-Encoding: chunked\r\n\r\n`,
  ),
  refused('a folded trailer (RFC 9112 section 5.2)', `${chunked}0\r\nX: a\r\n b\r\n\r\n`),
  refused('a trailer name with a space behind it (RFC 9112 section 5.1)', `${chunked}0\r\nX : a\r\n\r\n`),
  refused('NUL in a trailer (RFC 9110 section 5.5)', `${chunked}0\r\nX: \0\r\n\r\n`),
  // Lines.
  refused('a bare LF behind the request line (RFC 9112 section 2.2)', 'GET /hello HTTP/1.1\nHost: a\r\n\r\n'),
  refused('a bare LF behind a field (RFC 9112 section 2.2)', 'GET /hello HTTP/1.1\r\nHost: a\nX: y\r\n\r\n'),
  refused('a head that ends in a bare LF (RFC 9112 section 2.2)', 'GET /hello HTTP/1.1\r\nHost: a\r\n\n'),
  refused('a bare CR within a field (RFC 9112 section 2.2)', `${get}X: a\rY: b\r\n\r\n`),
  refused('a folded field (RFC 9112 section 5.2)', `${get}X: a\r\n b\r\n\r\n`),
  refused('a field folded by a tab (RFC 9112 section 5.2)', `${get}X: a\r\n\tb\r\n\r\n`),
  refused('an empty field that is folded (RFC 9112 section 5.2)', `${get}X:\r\n b\r\n\r\n`),
  refused(
    'white space before the first field (RFC 9112 section 2.2)',
    'GET /hello HTTP/1.1\r\n Host: a\r\n\r\n',
  ),
  ...[' ', '\t'].map((space) =>
    refused(
      `${JSON.stringify(space)} between a field name and its colon (RFC 9112 section 5.1)`,
      `${get}X${space}: a\r\n\r\n`,
    ),
  ),
  refused('a field without a name (RFC 9110 section 5.1)', `${get}: a\r\n\r\n`),
  refused('a field without a colon (RFC 9112 section 5)', `${get}Xa\r\n\r\n`),
  ...['\0', '(', ',', '/', '@', '\x7f', '\xe9'].map((char) =>
    refused(`${JSON.stringify(char)} in a field name (RFC 9110 section 5.6.2)`, `${get}X${char}: a\r\n\r\n`),
  ),
  ...['\0', '\x01', '\x0b', '\x0c', '\x1f', '\x7f'].map((char) =>
    refused(`${JSON.stringify(char)} in a field value (RFC 9110 section 5.5)`, `${get}X: a${char}b\r\n\r\n`),
  ),
  // The request line.
  refused('a space before the method (RFC 9112 section 3)', ` ${get}\r\n`),
  refused('two spaces before the target (RFC 9112 section 3)', 'GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('two spaces before the version (RFC 9112 section 3)', 'GET /hello  HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a bare LF before the request line (RFC 9112 section 2.2)', `\n${get}\r\n`),
  refused('a bare CR before the request line (RFC 9112 section 2.2)', `\r${get}\r\n`),
  refused('the name of RTSP (RFC 9112 section 2.3)', 'GET /hello RTSP/1.1\r\nHost: a\r\n\r\n'),
  refused('a space in the target (RFC 9112 section 3.2)', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a tab behind the method (RFC 9112 section 3)', 'GET\t/hello HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a space behind the version (RFC 9112 section 3)', 'GET /hello HTTP/1.1 \r\nHost: a\r\n\r\n'),
  refused('no target (RFC 9112 section 3)', 'GET HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a version in lower case (RFC 9112 section 2.3)', 'GET /hello http/1.1\r\nHost: a\r\n\r\n'),
  refused('a version of two digits (RFC 9112 section 2.3)', 'GET /hello HTTP/1.11\r\nHost: a\r\n\r\n'),
  refused('HTTP/0.9 by name (RFC 9110 section 15.6.6)', 'GET /hello HTTP/0.9\r\nHost: a\r\n\r\n', 505),
  refused('HTTP/0.9 as it was (RFC 9110 section 15.6.6)', 'GET /hello\r\n\r\n', 505),
  refused(
    'HTTP/2.0 without its preface (RFC 9110 section 15.6.6)',
    'GET /hello HTTP/2.0\r\nHost: a\r\n\r\n',
    505,
  ),
  refused('HTTP/3.1 (RFC 9110 section 15.6.6)', 'GET /hello HTTP/3.1\r\nHost: a\r\n\r\n', 505),
  refused('a method that is no token (RFC 9110 section 9.1)', 'G@T /hello HTTP/1.1\r\nHost: a\r\n\r\n', 400),
  refused('a method with a colon (RFC 9110 section 9.1)', 'GE:T /hello HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused(
    'a method that is not known (RFC 9110 section 9.1)',
    'BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n',
    501,
  ),
  refused(
    'a method in lower case, as it is another (RFC 9110 section 9.1)',
    'get /hello HTTP/1.1\r\nHost: a\r\n\r\n',
    501,
  ),
  refused('a method of RTSP (RFC 9110 section 9.1)', 'DESCRIBE /hello RTSP/1.0\r\nHost: a\r\n\r\n', 501),
  refused('TLS to a cleartext port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
];

for (const { title, sent, status } of cases) {
  test(`${status}, and the connection closed: ${title}`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    client.send(sent + smuggled);
    const response = await client.response();
    t.is(response.status, status);
    t.is(response.fields.connection, 'close');
    t.is(await client.untilClosed(), '', 'nothing follows');
  });
}

test('the HTTP/2 preface later on a connection is no request (RFC 9113 section 3.4)', async (t) => {
  const client = await RawClient.connect(t, server.port);
  client.send('GET /hello HTTP/1.1\r\nHost: a\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  t.is((await client.response()).body, 'hello');
  const { status, fields } = await client.response();
  t.deepEqual([status, fields.connection], [501, 'close']);
  t.is(await client.untilClosed(), '', 'nothing follows');
});

test('a head that ends with the connection is answered 400 (RFC 9112 section 8)', async (t) => {
  const client = await RawClient.connect(t, server.port);
  await client.sendAll('GET /hello HTTP/1.1\r\nHost: a\r\n');
  client.end();
  t.is((await client.response()).status, 400);
  t.is(await client.untilClosed(), '');
});

const accepted: readonly (readonly [title: string, sent: string, body: string])[] = [
  [
    'empty lines before the request line (RFC 9112 section 2.2)',
    `\r\n\r\n${post}Content-Length: 1\r\n\r\na`,
    'a',
  ],
  ['a length with leading zeros (RFC 9110 section 8.6)', `${post}Content-Length: 0001\r\n\r\na`, 'a'],
  [
    'chunks in upper and lower case (RFC 9112 section 7.1)',
    `${chunked}A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n`,
    '01234567890123456789',
  ],
  ['a chunk size with leading zeros (RFC 9112 section 7.1)', `${chunked}0001\r\na\r\n000\r\n\r\n`, 'a'],
  ['chunk extensions (RFC 9112 section 7.1.1)', `${chunked}1;a;b=c;d="e;\\"f"\r\na\r\n0;last\r\n\r\n`, 'a'],
  [
    'the coding in capitals (RFC 9112 section 7)',
    `${post}Transfer-Encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    'a',
  ],
  [
    'white space around values (RFC 9112 section 5)',
    `${post}X-Tab:\t a\t\r\nContent-Length:\t 1 \r\n\r\na`,
    'a',
  ],
  ['a tab behind Content-Length (RFC 9112 section 5)', `${post}Content-Length: 1\t\r\n\r\na`, 'a'],
  [
    'content of GET (RFC 9110 section 9.3.1)',
    'GET /describe HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na',
    'a',
  ],
];

for (const [title, sent, body] of accepted) {
  test(`accepted, and the connection persists: ${title}`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    client.send(sent + smuggled);
    const response = await client.response();
    t.is(response.status, 200);
    t.is(JSON.parse(response.body).body, body);
    t.is((await client.response()).body, 'hello');
  });
}

for (const minor of [2, 7, 9]) {
  test(`HTTP/1.${minor} is taken for HTTP/1.1 (RFC 9110 section 2.5)`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    client.send(`GET /hello HTTP/1.${minor}\r\nHost: a\r\n\r\n${smuggled}`);
    const { statusLine, body } = await client.response();
    t.deepEqual([statusLine, body], ['HTTP/1.1 200 OK', 'hello']);
    t.is((await client.response()).body, 'hello');
  });
}

test('trailers of a chunked request reach the application, without forbidden fields (RFC 9110 section 6.5.1)', async (t) => {
  const client = await RawClient.connect(t, server.port);
  const trailers =
    'X-Sum: 1\r\nx-sum: 2\r\nHost: b\r\nAuthorization: me\r\nCookie: c\r\nConnection: x\r\nExpect: y\r\n';
  client.send(`${chunked}1\r\na\r\n0\r\n${trailers}\r\n`);
  const { trailers: seen } = JSON.parse((await client.response()).body);
  t.deepEqual(seen, [
    ['x-sum', '1'],
    ['x-sum', '2'],
  ]);
});

test('what is accepted in one piece is accepted byte by byte as well', async (t) => {
  const sent = `${chunked}1;a=b\r\na\r\n2\r\nbc\r\n0\r\nX-Sum: 1\r\n\r\n`;
  const client = await RawClient.connect(t, server.port);
  for (const byte of sent) await client.sendAll(byte);
  const { body, trailers } = JSON.parse((await client.response()).body);
  t.deepEqual([body, trailers], ['abc', [['x-sum', '1']]]);
});
