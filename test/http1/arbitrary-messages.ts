/**
 * Valid requests in every form that RFC 9112 allows a client to write, each with the expected reading. The
 * expectation is generated with the message and not from its text, so it depends on no parser.
 */
import fc from 'fast-check';
import { METHODS } from '../../runtime/http1/methods.ts';
import type { ReadRequest } from './reading.ts';

export interface Written {
  readonly text: string;
  readonly request: ReadRequest;
}

const TCHAR = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const range = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCharCode(from + index)).join('');
/** field-vchar: visible ASCII and obs-text (RFC 9110 section 5.5). */
const FIELD_VCHAR = range(0x21, 0x7e) + range(0x80, 0xff);
const TARGET = range(0x21, 0x7e).replace('#', '');
const QDTEXT = `\t !${range(0x23, 0x5b)}${range(0x5d, 0x7e)}${range(0x80, 0xff)}`;

const stringOf = (characters: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength });
const ows = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', ' ') },
  { weight: 1, arbitrary: stringOf(' \t', 0, 5) },
);

/** Mixes upper and lower case. */
const anyCase = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => [...text].map((char, at) => (upper[at] ? char.toUpperCase() : char)).join(''));

/** A field name without a meaning to the server. */
const name = fc
  .oneof(
    fc.constantFrom('Accept', 'X-A', 'x-b', 'Cookie', 'User-Agent', 'Content-Type', 'X_Under', '!#$%'),
    stringOf(TCHAR, 1, 60),
  )
  .filter(
    (text) =>
      !/^(?:host|content-length|transfer-encoding|connection|upgrade|te|expect|http2-settings|keep-alive|proxy-connection)$/i.test(
        text,
      ),
  );
const value = fc.oneof(
  fc.constantFrom('', '*/*', 'a, b', 'a:b', '"quoted\\""', 'GET / HTTP/1.1'),
  fc
    .tuple(stringOf(FIELD_VCHAR, 1, 40), stringOf(`${FIELD_VCHAR} \t`, 0, 20), stringOf(FIELD_VCHAR, 1, 4))
    .map((parts) => parts.join('')),
);

interface Line {
  readonly text: string;
  /** The request as the application sees it. */
  readonly seen: readonly string[];
}

const plainLine: fc.Arbitrary<Line> = fc.tuple(name, ows, value, ows).map(([of, before, what, behind]) => ({
  text: `${of}:${before}${what}${behind}\r\n`,
  seen: [of.toLowerCase(), what],
}));

const host = fc.constantFrom('', 'a', 'a.example:8080', '[::1]:80', 'A-b_c~1', '127.0.0.1', 'a%41');
const authority = fc.constantFrom('a', 'a.example:8080', '[::1]', '127.0.0.1:65535', 'B.Example');

interface TargetText {
  readonly text: string;
  readonly scheme: string | null;
  readonly authority: string | null;
  readonly path: string;
}

const originForm: fc.Arbitrary<TargetText> = stringOf(TARGET, 0, 40).map((rest) => ({
  text: `/${rest}`,
  scheme: null,
  authority: null,
  path: `/${rest}`,
}));
const absoluteForm: fc.Arbitrary<TargetText> = fc
  .tuple(
    fc.constantFrom('http', 'https').chain((scheme) => fc.tuple(fc.constant(scheme), anyCase(scheme))),
    authority,
  )
  .chain(([[scheme, written], of]) =>
    fc
      .oneof(
        stringOf(TARGET, 0, 20).map((rest) => ({ rest: `/${rest}`, path: `/${rest}` })),
        stringOf(TARGET, 0, 10).map((rest) => ({ rest: `?${rest}`, path: `/?${rest}` })),
      )
      .map(({ rest, path }) => ({ text: `${written}://${of}${rest}`, scheme, authority: of, path })),
  );

const start = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(
      fc.constantFrom(...[...METHODS].filter((method) => method !== 'CONNECT')),
      fc.oneof({ weight: 3, arbitrary: originForm }, absoluteForm),
    ),
  },
  fc.tuple(
    fc.constant('OPTIONS'),
    fc.constantFrom(
      { text: '*', scheme: null, authority: null, path: '*' },
      { text: 'http://a.example', scheme: 'http', authority: 'a.example', path: '*' },
    ),
  ),
  fc.tuple(
    fc.constant('CONNECT'),
    fc.constantFrom('a:1', '[::1]:443', 'a.example:65535').map((text) => ({
      text,
      scheme: null,
      authority: text,
      path: '',
    })),
  ),
);

/** chunk-ext (RFC 9112 section 7.1.1), without surrounding white space. */
const extension = fc
  .array(
    fc.tuple(
      stringOf(TCHAR, 1, 8),
      fc.oneof(
        fc.constant(''),
        stringOf(TCHAR, 1, 8).map((text) => `=${text}`),
        fc
          .array(
            fc.oneof(
              fc.constantFrom(...QDTEXT),
              fc.constantFrom(...QDTEXT, '"', '\\').map((char) => `\\${char}`),
            ),
            { maxLength: 12 },
          )
          .map((parts) => `="${parts.join('')}"`),
      ),
    ),
    { maxLength: 2 },
  )
  .map((extensions) => extensions.map(([of, what]) => `;${of}${what}`).join(''));

const sizeText = (size: number): fc.Arbitrary<string> =>
  fc
    .tuple(anyCase(size.toString(16)), fc.integer({ min: 0, max: 5 }))
    .map(([digits, zeros]) => '0'.repeat(zeros) + digits);

/** Any octets, including line ends and requests. */
const octets = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 40 }) },
  fc.constantFrom('\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', '0\r\n\r\n', '\xff'.repeat(300)),
);

interface Content {
  readonly lines: readonly Line[];
  readonly length: number;
  readonly text: string;
  readonly content: string;
  readonly trailers: readonly string[] | null;
}

const none: Content = { lines: [], length: 0, text: '', content: '', trailers: null };

const withLength: fc.Arbitrary<Content> = fc
  .tuple(octets, anyCase('content-length'), ows, ows, fc.integer({ min: 0, max: 3 }))
  .map(([content, of, before, behind, zeros]) => {
    const digits = '0'.repeat(zeros) + content.length;
    const line = { text: `${of}:${before}${digits}${behind}\r\n`, seen: ['content-length', digits] };
    return { lines: [line], length: content.length, text: content, content, trailers: null };
  });

const chunk = octets
  .filter((data) => data !== '')
  .chain((data) => fc.tuple(fc.constant(data), sizeText(data.length), extension));

/** RFC 9110 section 6.5.1: the reader refuses these two; other forbidden trailers are removed after it. */
const trailerLine = plainLine;

const withChunks: fc.Arbitrary<Content> = fc
  .tuple(
    fc.array(chunk, { maxLength: 4 }),
    fc.tuple(sizeText(0), extension),
    fc.array(trailerLine, { maxLength: 3 }),
    fc.tuple(anyCase('transfer-encoding'), ows, anyCase('chunked')),
  )
  .map(([chunks, [last, lastExtension], trailers, [of, before, coding]]) => ({
    lines: [{ text: `${of}:${before}${coding}\r\n`, seen: [] }],
    length: -1,
    text: `${chunks.map(([data, size, extensions]) => `${size}${extensions}\r\n${data}\r\n`).join('')}${last}${lastExtension}\r\n${trailers.map(({ text }) => text).join('')}\r\n`,
    content: chunks.map(([data]) => data).join(''),
    trailers: trailers.length === 0 ? null : trailers.flatMap(({ seen }) => seen),
  }));

const persistence = fc.constantFrom(
  { value: null, persists: null },
  { value: 'close', persists: false },
  { value: 'Close, x-none', persists: false },
  { value: 'keep-alive', persists: true },
  { value: ' ,, Keep-Alive ,', persists: true },
  { value: 'x-none', persists: null },
);

/** One request, in `HTTP/1.1` or another supported version. */
export const writtenRequest: fc.Arbitrary<Written> = fc
  .record({
    start,
    version: fc.oneof(
      { weight: 6, arbitrary: fc.constant('1') },
      { weight: 1, arbitrary: fc.constantFrom('0', '2', '9') },
    ),
    emptyLines: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 3 })),
    lines: fc.array(plainLine, { maxLength: 5 }),
    host: fc.tuple(anyCase('host'), ows, host, ows, fc.nat()),
    content: fc.oneof(fc.constant(none), withLength, withChunks),
    contentPlace: fc.nat(),
    persistence,
    expects: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
    takesTrailers: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
  })
  .map((drawn): Written => {
    const [method, target] = drawn.start;
    const isOld = drawn.version === '0';
    // HTTP/1.0 has no chunks (RFC 9112 section 6.1).
    const content = isOld && drawn.content.length === -1 ? none : drawn.content;
    const lines = [...drawn.lines];
    const put = (place: number, line: Line): void => {
      lines.splice(place % (lines.length + 1), 0, line);
    };
    const [hostName, before, drawnHost, behind, hostPlace] = drawn.host;
    // An empty Host is valid with a target that names the host.
    const hostValue = target.authority === null && !isOld ? drawnHost || 'a' : drawnHost;
    for (const line of content.lines) put(drawn.contentPlace, line);
    put(hostPlace, { text: `${hostName}:${before}${hostValue}${behind}\r\n`, seen: [] });
    const { value: options, persists } = drawn.persistence;
    if (options !== null) put(hostPlace + 1, { text: `Connection: ${options}\r\n`, seen: [] });
    if (drawn.expects)
      put(hostPlace + 2, { text: 'Expect: 100-Continue\r\n', seen: ['expect', '100-Continue'] });
    if (drawn.takesTrailers) put(hostPlace + 3, { text: 'TE: gzip, trailers\r\n', seen: [] });
    const fields = lines.flatMap(({ seen }) => seen);
    if (drawn.takesTrailers) fields.push('te', 'trailers');
    return {
      text: `${'\r\n'.repeat(drawn.emptyLines)}${method} ${target.text} HTTP/1.${drawn.version}\r\n${lines.map(({ text }) => text).join('')}\r\n${content.text}`,
      request: {
        method,
        scheme: target.scheme,
        authority: target.authority,
        path: target.path,
        version: isOld ? '1.0' : '1.1',
        host: hostValue,
        fields,
        contentLength: content.length,
        persists: persists ?? !isOld,
        awaitsInvitation: drawn.expects && !isOld,
        upgrade: null,
        content: content.content,
        trailers: content.trailers,
        isWhole: true,
      },
    };
  });
