/** The reader of requests alone: what it reports for given bytes, and that splitting them changes nothing. */
import test from 'ava';
import fc from 'fast-check';
import { ContentPieces } from '../../runtime/http1/content-pieces.ts';
import { FieldSections } from '../../runtime/http1/field-sections.ts';
import { RequestReader } from '../../runtime/http1/request-reader.ts';
import { message } from './raw.ts';

const options = {
  maxTargetBytes: 60,
  maxHeaderBytes: 200,
  maxFieldLines: 8,
  smallChunks: { burst: 1_000_000, perSecond: 0 },
};

/** What the reader reports for the pieces, one line for each event; consecutive content is one event. */
function read(pieces: readonly string[], limits = options, sections = new FieldSections()): string[] {
  const events: string[] = [];
  let content = '';
  const flush = (): void => {
    if (content !== '') events.push(`content ${JSON.stringify(content)}`);
    content = '';
  };
  const reader = new RequestReader(
    {
      onHead(method, { scheme, authority, path }, version, section) {
        const { fields, host, contentLength, persists, awaitsInvitation, upgrade } = section;
        events.push(
          JSON.stringify([method, scheme, authority, path, version, host, fields, contentLength, persists]),
        );
        if (awaitsInvitation) events.push('awaits invitation');
        if (upgrade !== null) events.push(`upgrade ${JSON.stringify(upgrade)}`);
      },
      onContent(bytes, start, end, last) {
        content += Buffer.from(bytes).toString('latin1', start, end);
        if (!last) return;
        flush();
        events.push('end');
      },
      onTrailers(fields) {
        flush();
        events.push(`trailers ${JSON.stringify(fields)}`);
      },
      onReadFault({ status, why }) {
        flush();
        events.push(`${status} ${why}`);
      },
    },
    limits,
    sections,
    new ContentPieces(),
  );
  for (const piece of pieces) reader.read(Buffer.from(piece, 'latin1'));
  flush();
  if (reader.isWithinMessage) events.push('unfinished');
  return events;
}

const get = 'GET /a HTTP/1.1\r\nHost: h\r\n';
const chunked = 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n';

/** The bytes sent, and the status that refuses them; 200: they are accepted. */
const cases: readonly (readonly [sent: string, status: number])[] = [
  [`${get}\r\n`, 200],
  [`\r\n\r\n${get}\r\n`, 200],
  [`\n${get}\r\n`, 400],
  [`\r\r\n${get}\r\n`, 400],
  [`${get}X-One: 1\r\nx-two:2 \r\nX-Empty:\r\nX-Tab:\t a\tb \t\r\n\r\n`, 200],
  [`${get}X: \xe9\r\nX-${'n'.repeat(60)}: v\r\n\r\n`, 200],
  ['GET http://b:80/c?d HTTP/1.1\r\nHost: h\r\n\r\n', 200],
  ['OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n', 200],
  ['CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n', 200],
  ['GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 200],
  ['GET / HTTP/1.7\r\nHost: h\r\n\r\n', 200],
  ['GET / HTTP/2.0\r\nHost: h\r\n\r\n', 505],
  ['GET / HTTP/1.11\r\nHost: h\r\n\r\n', 400],
  ['GET / http/1.1\r\nHost: h\r\n\r\n', 400],
  ['GET / RTSP/1.1\r\nHost: h\r\n\r\n', 400],
  ['GETGET / HTTP/1.1\r\nHost: h\r\n\r\n', 501],
  [`${'G'.repeat(40)} / HTTP/1.1\r\nHost: h\r\n\r\n`, 501],
  ['GET /\r\n\r\n', 505],
  ['GET /\rX HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  [`${get}Connection: closete\r\nclosete: x\r\n\r\n`, 200],
  [`${get}Connection: TE, close ,\r\nTE: gzip trailers\r\n\r\n`, 200],
  [`${get}Content-Length: 0000000000000003\r\n\r\nabc`, 200],
  ['GET HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['GET  / HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['GET /  HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['GET /#f HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  [`GET /${'x'.repeat(59)} HTTP/1.1\r\nHost: h\r\n\r\n`, 200],
  [`GET /${'x'.repeat(60)} HTTP/1.1\r\nHost: h\r\n\r\n`, 414],
  [`${get} folded\r\n\r\n`, 400],
  [`${get}X : y\r\n\r\n`, 400],
  [`${get}X\r\n\r\n`, 400],
  [`${get}: y\r\n\r\n`, 400],
  [`${get}X: a\rb\r\n\r\n`, 400],
  [`${get}X: a\nY: b\r\n\r\n`, 400],
  [`${get}X: a\0\r\n\r\n`, 400],
  [`${get}\n`, 400],
  [`${get}\r\r\n`, 400],
  [`${get}${'X: y\r\n'.repeat(7)}\r\n`, 200],
  [`${get}${'X: y\r\n'.repeat(8)}\r\n`, 431],
  [`${get}X: ${'y'.repeat(184)}\r\n\r\n`, 200],
  [`${get}X: ${'y'.repeat(185)}\r\n\r\n`, 431],
  [`${get}X:${'y'.repeat(185)}\r\n\r\n`, 431],
  [`${get}X:${' '.repeat(400)}\r\n\r\n`, 431],
  [`${get}${'x'.repeat(400)}: y\r\n\r\n`, 431],
  [`${get}Host: h\r\n\r\n`, 400],
  ['GET / HTTP/1.1\r\n\r\n', 400],
  [`${get}Expect: 100-continue\r\n\r\n`, 200],
  [`${get}Expect: 200\r\n\r\n`, 417],
  [`${get}Connection: close\r\n\r\n`, 200],
  [`${get}Connection: x-one, te\r\nX-One: 1\r\nTE: trailers\r\n\r\n`, 200],
  [`${get}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n`, 200],
  [`${get}Content-Length: 3\r\n\r\nabc${get}\r\n`, 200],
  [`${get}Content-Length: 3\r\n\r\nab`, 200],
  [`${get}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`, 400],
  [`${get}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc`, 400],
  [`${get}Content-Length: 1234567890123456\r\n\r\nabc`, 413],
  [`${get}Content-Length: 1,1\r\n\r\nabc`, 400],
  [`${get}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`, 501],
  [`${get}Transfer-Encoding: chunked,\r\n\r\n`, 400],
  [`${get}Transfer-Encoding: ,chunked\r\n\r\n`, 400],
  [`${get}Transfer-Encoding: chunked \r\n\r\n`, 400],
  [`${get}Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`, 200],
  ['GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  [`${chunked}5;a;b=c;d="e;\\"\\\\f";g\r\nabcde\r\n00\r\n\r\n${get}\r\n`, 200],
  [`${chunked}A\r\n0123456789\r\na\r\n0123456789\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n${get}\r\n`, 200],
  ...[
    '5;a=',
    '5;x=;y',
    '5;q=_"r"',
    '5;',
    '5 ;a',
    '5; a',
    '5;a="',
    '5;a="\0"',
    '5;a="b"c',
    'x',
    '',
    ' 5',
    '-5',
  ].map((size) => [`${chunked}${size}\r\nabcde\r\n0\r\n\r\n`, 400] as const),
  [`${chunked}${'F'.repeat(17)}\r\n`, 400],
  [`${chunked}${'0'.repeat(16)}1\r\na\r\n`, 400],
  [`${chunked}1;${'x'.repeat(20_000)}\r\na\r\n`, 400],
  [`${chunked}1\r\nab\r\n`, 400],
  [`${chunked}1\r\na\n0\r\n\r\n`, 400],
  [`${chunked}1\na\r\n`, 400],
  [`${chunked}0\r\nContent-Length: 1\r\n\r\n`, 400],
  [`${chunked}0\r\n${'x: y\r\n'.repeat(8)}\r\n`, 200],
  [`${chunked}0\r\n${'x: y\r\n'.repeat(9)}\r\n`, 431],
  [`${chunked}0\r\nx: ${'y'.repeat(300)}\r\n\r\n`, 431],
  [`${chunked}0\r\nx: a\r\n b\r\n\r\n`, 400],
  ['\x16\x03\x01\x02\0\x01', 400],
];

for (const [index, [sent, status]] of cases.entries()) {
  test(`in one piece and byte by byte, ${index}: ${JSON.stringify(sent).slice(0, 140)}`, (t) => {
    const whole = read([sent]);
    t.deepEqual(read([...sent]), whole);
    const refused = /^\d+/.exec(whole.at(-1) ?? '')?.[0];
    t.is(Number(refused ?? 200), status);
  });
}

const part = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...cases.map(([sent]) => sent)) },
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
  fc.constantFrom('\r\n', '\r', '\n', ' ', ':', ';', '"', '0\r\n\r\n', 'X: y\r\n', 'HTTP/1.1'),
);

test('property: the outcome does not depend on how the input is cut', (t) => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 8 }), (parts, cuts) => {
      const text = parts.join('');
      if (text === '') return;
      const places = [...new Set(cuts.map((cut) => cut % text.length))].sort((one, other) => one - other);
      const pieces = [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length));
      t.deepEqual(read(pieces), read([text]));
    }),
    { numRuns: 2_000 },
  );
});

test('a field that Connection names is left out, and only a member of TE is one', (t) => {
  const fields = (...lines: string[]) => {
    const [event = ''] = read([message(['GET / HTTP/1.1', 'Host: h', ...lines])]);
    return JSON.parse(event)[6];
  };
  t.deepEqual(fields('Connection: closete', 'closete: x'), []);
  t.deepEqual(fields('Connection: upgrade,x-a ,te', 'x-a: 1', 'x-b: 2'), ['x-b', '2']);
  for (const value of ['gzip trailers', 'trailerTE: trailers', 'trailersx', 'xtrailers']) {
    t.deepEqual(fields(`TE: ${value}`), [], value);
  }
  for (const value of ['trailers', 'gzip;q=0.5 , Trailers', 'trailers;q=1,gzip', ',, trailers\t,'])
    t.deepEqual(fields(`TE: ${value}`), ['te', 'trailers'], value);
});

test('property: a target with a character outside the URI syntax is refused', (t) => {
  const char = fc.constantFrom('\0', '\t', '\n', '\r', '#', '\x7f', '\x80', '\xff');
  const path = fc.webPath().filter((text) => text.length < 20);
  fc.assert(
    fc.property(path, char, path, (before, wrong, after) => {
      const [event] = read([`GET /${before}${wrong}${after} HTTP/1.1\r\nHost: h\r\n\r\n`]);
      t.regex(event ?? '', /^(400|505) /);
    }),
  );
});

test('property: a section that was read before is read the same', (t) => {
  const field = fc.constantFrom(
    'X-One: 1',
    'Content-Length: 2',
    'Connection: close',
    'Expect: 100-continue',
    'X: \xe9',
  );
  fc.assert(
    fc.property(fc.uniqueArray(field), fc.nat(3), (fields, count) => {
      const content = fields.includes('Content-Length: 2') ? 'ab' : '';
      const one = message(['POST / HTTP/1.1', 'Host: h', ...fields], content);
      const sections = new FieldSections();
      const alone = read([one]);
      const all = read([one.repeat(count + 1)], options, sections);
      t.deepEqual(all, Array.from({ length: count + 1 }, () => alone).flat());
      t.deepEqual(read([one], options, sections), alone);
    }),
  );
});

test('a field section is never mistaken for one that is longer, shorter or spelled differently', (t) => {
  const sections = new FieldSections();
  const first = 'GET / HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n';
  for (const second of [
    'GET / HTTP/1.1\r\nHost: h\r\nX: 2\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: h\r\nX: 1\r\nY: 2\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: h\r\n\r\n',
    'GET / HTTP/1.0\r\nHost: h\r\nX: 1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: h\r\nx: 1\r\n\r\n',
  ]) {
    t.deepEqual(read([first + second], options, sections), [...read([first]), ...read([second])], second);
  }
});

test('a cached section counts towards the limit of the head like one that is read', (t) => {
  const fields = `Host: h\r\nX: ${'y'.repeat(150)}\r\n\r\n`;
  const near = (path: string): string => `GET ${path} HTTP/1.1\r\n${fields}`;
  t.deepEqual(read([near('/') + near(`/${'z'.repeat(40)}`)]), [
    ...read([near('/')]),
    ...read([near(`/${'z'.repeat(40)}`)]),
  ]);
});

test('content in one-byte chunks is delivered in as few pieces as it was read in', (t) => {
  const pieces: number[] = [];
  const reader = new RequestReader(
    {
      onHead: () => {},
      onContent: (_bytes, start, end) => pieces.push(end - start),
      onTrailers: () => {},
      onReadFault: ({ why }) => t.fail(why),
    },
    options,
    new FieldSections(),
    new ContentPieces(),
  );
  reader.read(Buffer.from(`${chunked}${'1\r\nx\r\n'.repeat(10_000)}`));
  reader.read(Buffer.from(`${'1\r\nx\r\n'.repeat(10_000)}0\r\n\r\n`));
  t.deepEqual(pieces, [10_000, 10_000]);
});

/** How much content of a chunked request is read before it is refused, and why it is refused. */
function readChunks(
  reads: readonly { readonly text: string; readonly seconds?: number }[],
): [number, string | null] {
  let bytes = 0;
  let refusal: string | null = null;
  const reader = new RequestReader(
    {
      onHead: () => {},
      onContent: (_bytes, start, end) => {
        bytes += end - start;
      },
      onTrailers: () => {},
      onReadFault: ({ status, why }) => {
        refusal = `${status} ${why}`;
      },
    },
    { ...options, smallChunks: { burst: 100, perSecond: 10 } },
    new FieldSections(),
    new ContentPieces(),
  );
  for (const { text, seconds = 0 } of reads) {
    reader.advance(seconds * 1_000);
    reader.read(Buffer.from(text));
  }
  return [bytes, refusal];
}

const TOO_MANY = '400 there are too many small chunks';
const crumb = '1\r\nx\r\n';

test('small chunks are accepted up to the budget, and their content earns part of it back', (t) => {
  // Each of n chunks spends one and earns a quarter.
  t.deepEqual(readChunks([{ text: `${chunked}${crumb.repeat(133)}` }]), [133, null]);
  t.deepEqual(readChunks([{ text: `${chunked}${crumb.repeat(1_000)}` }]), [133, TOO_MANY]);
});

test('chunks of four bytes or more never exhaust the budget', (t) => {
  t.deepEqual(readChunks([{ text: `${chunked}${'4\r\nxxxx\r\n'.repeat(10_000)}` }]), [40_000, null]);
});

test('the budget belongs to the connection, and its requests share it', (t) => {
  const request = `${chunked}${crumb.repeat(100)}0\r\n\r\n`;
  t.deepEqual(readChunks([{ text: request.repeat(2) }]), [133, TOO_MANY]);
});

test('the budget refills with time and never above its burst', (t) => {
  const typing = { text: crumb.repeat(10), seconds: 1 };
  t.is(readChunks([{ text: chunked }, ...Array.from({ length: 200 }, () => typing)])[1], null);
  t.is(readChunks([{ text: chunked }, { text: crumb.repeat(134), seconds: 1_000 }])[1], TOO_MANY);
});

test('a large chunk is passed on in place', (t) => {
  const sent = Buffer.from(`${chunked}8000\r\n${'x'.repeat(32_768)}\r\n1\r\ny\r\n0\r\n\r\n`);
  const seen: [boolean, number, boolean][] = [];
  const reader = new RequestReader(
    {
      onHead: () => {},
      onContent: (bytes, start, end, last) => seen.push([bytes === sent, end - start, last]),
      onTrailers: () => {},
      onReadFault: ({ why }) => t.fail(why),
    },
    options,
    new FieldSections(),
    new ContentPieces(),
  );
  reader.read(sent);
  t.deepEqual(seen, [
    [true, 32_768, false],
    [true, 1, true],
  ]);
});
