/** Input from an HTTP/1 client: requests in a row, some of them wrong, some mutated. */
import { readCorpus } from './corpus.ts';
import { spoil } from './mutation.ts';
import type { Random } from './random.ts';

const corpus = readCorpus('http1');

const FIELDS: readonly string[] = [
  'accept: */*',
  'x-empty:',
  'x-tab:\ta\t',
  'x-latin: \u00e9',
  'te: trailers',
  'connection: keep-alive',
  'connection: x-one, te',
  'x-one: 1',
  'cookie: a=1',
  'cookie: b=2',
  'expect: 100-continue',
];
/** What RFC 9112 forbids, or what two servers could read differently. */
const FAULTS: readonly string[] = [
  'host: elsewhere.test',
  'host:',
  'host: a b',
  'content-length: 3',
  'content-length: 3, 3',
  'content-length: +3',
  'content-length: 0x3',
  'content-length : 3',
  'transfer-encoding: chunked',
  'transfer-encoding: identity',
  'transfer-encoding: gzip, chunked',
  'transfer-encoding: chunked, chunked',
  'transfer-encoding: \u000bchunked',
  ' folded: a',
  'no-colon',
  'x-nul: a\0b',
  'x-cr: a\rb',
  'x space: a',
  'expect: 200-ok',
  'upgrade: h2c',
  'connection: close',
  'connection: upgrade',
];
const TARGETS: readonly string[] = [
  'http://fuzz.test/absolute',
  'https://fuzz.test/secure',
  '*',
  'fuzz.test:443',
  '//double',
  '/%zz',
  '/a b',
  'relative',
  '/\u00e9',
  '/#part',
];
/** They are judged after the parser has continued to the requests that follow. */
const TOO_MANY_TRAILERS = 'x: 1\r\n'.repeat(150);
const LINE_ENDS: readonly string[] = ['\n', '\r', '\r\r\n', ' \r\n'];

/** The requests of one connection, in pieces. `path` names them. */
export function http1Conversation(random: Random, path: () => string): Buffer[] {
  if (random.chance(2)) return [random.bytes(random.integer(1, 100))];
  if (random.chance(15)) return spoil(random, random.pick(corpus));
  const pieces = Array.from({ length: random.integer(1, 5) }, () => request(random, path())).flat();
  return spoil(random, pieces);
}

function request(random: Random, path: string): Buffer[] {
  const method = random.pick([
    'GET',
    'GET',
    'POST',
    'PUT',
    'HEAD',
    'OPTIONS',
    'DELETE',
    random.chance(20) ? 'BREW' : 'GET',
  ]);
  const target = random.chance(90) ? path : random.pick(TARGETS);
  const version = random.pick([
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    random.pick(['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1']),
  ]);
  const lines = [`${method} ${target} ${version}`, 'host: fuzz.test'];
  for (let count = random.pick([0, 0, 1, 3]); count > 0; count--) lines.push(random.pick(FIELDS));
  if (random.chance(10)) lines.push(random.pick(FAULTS));
  let content: string[] = [];
  if (method !== 'GET' && method !== 'HEAD' && random.chance(70)) content = addContent(random, lines);
  const end = random.chance(97) ? '\r\n' : random.pick(LINE_ENDS);
  return [lines.join(end) + end + end, ...content].map((text) => Buffer.from(text, 'latin1'));
}

/** Announces content in the head and gives its pieces. */
function addContent(random: Random, lines: string[]): string[] {
  const text = 'c'.repeat(random.pick([0, 1, 3, 100, 2000]));
  if (random.chance(50)) {
    lines.push(`content-length: ${text.length + (random.chance(5) ? 1 : 0)}`);
    return [text];
  }
  lines.push('transfer-encoding: chunked');
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const length = random.integer(1, text.length);
    const chunk = text.slice(at, at + length);
    const extension = random.pick([
      '',
      '',
      ';a',
      ';a=b',
      ';a="b c"',
      random.chance(20) ? ';'.repeat(500) : '',
    ]);
    pieces.push(`${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`);
    at += length;
  }
  const size = random.chance(95) ? '0' : random.pick(['00', '0x0', '-0', 'ffffffffffffffffff', ' 0', '0 ']);
  const trailers = random.chance(2)
    ? TOO_MANY_TRAILERS
    : random.pick(['', '', 'x-sum: 1\r\n', 'content-length: 1\r\n', 'bad trailer\r\n']);
  pieces.push(`${size}\r\n${trailers}\r\n`);
  return pieces;
}
