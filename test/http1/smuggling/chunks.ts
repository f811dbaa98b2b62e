/** Chunks: sizes, extensions, data, and their end. */
import { chunked, each, empty, refuse, type SmugglingCase, take } from './case.ts';

export const chunks: readonly SmugglingCase[] = [
  ...each(
    [
      ...['', ' ', ' 1', '1 ', '\t1', '1\t', '+1', '-1', '-0', '0x1', '0X1', 'x', 'g', 'G', '1g'],
      ...['1_0', '_1', '1,0', '1.0', '"1"', '1\0', '\x001', '1\x0b', '\xb9', '1\xa0'],
      ...['\xef\xbc\x91', '1h', '1 1', '#1', '1#'],
    ],
    (size) => refuse('RFC 9112 section 7.1', 'a chunk size of', `${chunked}${size}\r\na\r\n${empty}`),
  ),
  ...each(
    [
      ...['10000000000000001', '00000000000000001', '100000000000000000', 'fffffffffffffffff'],
      ...['20000000000000', 'FFFFFFFFFFFFFFFF', '8000000000000000'],
    ],
    (size) =>
      refuse(
        'RFC 9112 section 7.1',
        'a chunk size that cannot be counted,',
        `${chunked}${size}\r\na\r\n${empty}`,
      ),
  ),
  ...each(['1', '01', '0000000000000001'], (size) =>
    take('RFC 9112 section 7.1', 'a chunk size of', `${chunked}${size}\r\na\r\n${empty}`, 'POST /a a'),
  ),
  ...each(['a', 'A', '00a', '00A'], (size) =>
    take(
      'RFC 9112 section 7.1',
      'a chunk size of',
      `${chunked}${size}\r\n0123456789\r\n${empty}`,
      'POST /a 0123456789',
    ),
  ),
  ...each(['000', '0000000000000000'], (size) =>
    take('RFC 9112 section 7.1', 'a last chunk of', `${chunked}1\r\na\r\n${size}\r\n\r\n`, 'POST /a a'),
  ),
  ...each(
    [
      ...[';', ';;', ';a=', ';a;', ';=', ';=b', ';a=;b', ';a==b', ';a=b=c', ';a=b;', ';a=_"r"'],
      ...[';a="r', ';a="r"s', ';a="r" ', ';a="', ';a="\\', ';a="r\\"', ';"a"', ';a=b"c"', ';a@b'],
      ...[';a=(b)', ';a,b'],
    ],
    (extension) =>
      refuse('RFC 9112 section 7.1.1', 'a chunk extension of', `${chunked}1${extension}\r\na\r\n${empty}`),
  ),
  ...each(
    [' ;a', ';a ', '; a', ';a =b', ';a= b', '\t;a', ';\ta', ' ; a = b', ';a b', ';a=b c'],
    (extension) =>
      refuse(
        'RFC 9112 section 7.1.1',
        'white space in a chunk extension,',
        `${chunked}1${extension}\r\na\r\n${empty}`,
      ),
  ),
  ...each(
    [
      ...[';\n', ';a\n', ';a=b\n', ';a="\n"', ';\r', ';a\r', ';a=b\rc', ';a="\r"', ';a=\0'],
      ...[
        ';\0',
        ';a="\0"',
        ';a="\x01"',
        ';a="\\\0"',
        ';a="\\\n"',
        ';a="\\\r"',
        ';a="\\\x7f"',
        ';a=\x7f',
        ';a="\x7f"',
        ';a=\x1b',
        ';\xff',
        ';a=\xff',
      ],
      ...[';\nGET /smuggled HTTP/1.1'],
    ],
    (extension) =>
      refuse('RFC 9112 section 7.1.1', 'a chunk extension of', `${chunked}1${extension}\r\na\r\n${empty}`),
  ),
  ...each(
    [
      ...[';a', ';a=b', ';a;b;c', ';a="b"', ';a=""', ';a="b;c=\\"d\\\\"', ';a="\t \xff"'],
      ...[';a="\\\xe9";b=c', ';!#$=%&'],
    ],
    (extension) =>
      take(
        'RFC 9112 section 7.1.1',
        'a chunk extension of',
        `${chunked}1${extension}\r\na\r\n0${extension}\r\n\r\n`,
        'POST /a a',
      ),
  ),
  refuse(
    'RFC 9112 section 7.1.1',
    'a chunk extension without end',
    `${chunked}1;a=${'x'.repeat(20_000)}\r\na\r\n${empty}`,
  ),
  refuse(
    'RFC 9112 section 7.1.1',
    'a long chunk extension at each of many chunks',
    `${chunked}${`1;${'x'.repeat(1_000)}\r\na\r\n`.repeat(20)}${empty}`,
  ),
  ...each(
    [
      ...[
        '1\rXa\r\n',
        '1\r\na\rX',
        '1\r\na\r\0',
        '1\r\naX\n',
        '1\na\r\n',
        '1\r\na\n',
        '1\ra\r\n',
        '1\r\na\r',
        '1\n\na\r\n',
        '1\r\r\na\r\n',
      ],
      ...['1\n\ra\r\n', '1\r\na\r\r\n', '1\r\na\n\r'],
    ],
    (text) => refuse('RFC 9112 section 2.2', 'a chunk whose line ends are', `${chunked}${text}${empty}`),
  ),
  ...each(
    [
      ...['1\r\nab\r\n', '1\r\na', '1\r\na0\r\n', '2\r\na\r\n', '1\r\naX\r\n', '1\r\na;\r\n'],
      ...['1\r\n\r\n\r\n', '3\r\nab\r\n'],
    ],
    (text) =>
      refuse('RFC 9112 section 7.1', 'a chunk that is not as long as it says,', `${chunked}${text}${empty}`),
  ),
  ...each(
    [
      ...[
        '0\n\r\n',
        '0\r\n\n',
        '0\r\r\n\r\n',
        '0\r\n\r\r\n',
        '0\r\nX',
        '0\r\nXX\r\n\r\n',
        '0\r\n\rX',
        '0\rX\r\n',
      ],
      ...['0\r\n\0\r\n', '0\rX', '0\n\n', '0\r\n \r\n\r\n', '0 \r\n\r\n', '0_0\r\n\r\n'],
      ...['\r0\r\n\r\n', '\r\n0\r\n\r\n'],
    ],
    (text) => refuse('RFC 9112 section 7.1', 'chunks that end in', `${chunked}1\r\na\r\n${text}`),
  ),
  take(
    'RFC 9112 section 7.1',
    'chunk data that looks like the end',
    `${chunked}5\r\n${empty}\r\n${empty}`,
    `POST /a ${empty}`,
  ),
];
