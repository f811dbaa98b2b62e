/** Content-Length: what a length is, that there is one, and what it frames. */
import { each, post, refuse, SMUGGLED, type SmugglingCase, take } from './case.ts';

export const lengths: readonly SmugglingCase[] = [
  ...each(
    [
      ...['1, 1', '1,1', '1,2', '1 1', '1\t1', '+1', '-1', '-0', '', ' ', ',1', '1,', '1;'],
      ...['1;a', '.1', '1.0', '1.', '0x1', '0X1', '0b1', '0o1', '1_0', '1e1', '1L', 'NaN'],
      ...['Infinity', '"1"', "'1'", '(1)', 'one', '1\xa0', '\xa01', '\xb9', '\xb2', '\xd9\xa1'],
      ...['\xef\xbc\x91', '\x0b1', '1\x0b', '1\x0c', '\x001', '1\0', '1\r', '1\n'],
    ],
    (value) =>
      refuse('RFC 9110 section 8.6', 'a Content-Length of', `${post}Content-Length: ${value}\r\n\r\na`),
  ),
  ...each(
    ['9007199254740993', '4294967296000001', '18446744073709551615', '18446744073709551617', '9'.repeat(100)],
    (value) =>
      refuse(
        'RFC 9110 section 8.6',
        'a Content-Length that cannot be counted,',
        `${post}Content-Length: ${value}\r\n\r\na`,
        413,
      ),
  ),
  ...each(['1', '01', '0001', '000000000000001'], (value) =>
    take(
      'RFC 9110 section 8.6',
      'a Content-Length of',
      `${post}Content-Length:\t ${value} \t\r\n\r\na`,
      'POST /a a',
    ),
  ),
  ...each(['1', '2', '01', ''], (value) =>
    refuse(
      'RFC 9112 section 6.3',
      'Content-Length: 1 and a second one of',
      `${post}Content-Length: 1\r\nContent-Length: ${value}\r\n\r\na`,
    ),
  ),
  refuse(
    'RFC 9112 section 6.3',
    'a second Content-Length in other letters',
    `${post}Content-Length: 1\r\ncONTENT-lENGTH: 1\r\n\r\na`,
  ),
  refuse(
    'RFC 9112 section 6.3',
    'Content-Length twice with fields between',
    `${post}Content-Length: 0\r\nX: y\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n`,
  ),
  ...each(
    [
      ...['Content-Length ', 'Content-Length\t', ' Content-Length', '\tContent-Length'],
      ...['Content-Length\0', 'Content-Length\xa0', 'Content Length', 'Content-Length\x0b'],
      ...['\xefContent-Length', 'Content-Length\r', '\0Content-Length'],
    ],
    (name) => refuse('RFC 9112 section 5.1', 'a length by a field name of', `${post}${name}: 1\r\n\r\na`),
  ),
  refuse(
    'RFC 9112 section 5.2',
    'a Content-Length in two lines',
    `${post}Content-Length: 1\r\n 0\r\n\r\n${'a'.repeat(10)}`,
  ),
  refuse(
    'RFC 9112 section 5.2',
    'a Content-Length whose value is folded',
    `${post}Content-Length:\r\n 1\r\n\r\na`,
  ),
  refuse(
    'RFC 9112 section 2.2',
    'a Content-Length behind a bare CR',
    `${post}X: y\rContent-Length: 1\r\n\r\na`,
  ),
  refuse(
    'RFC 9112 section 2.2',
    'a Content-Length behind a bare LF',
    `${post}X: y\nContent-Length: 1\r\n\r\na`,
  ),
  ...each(['Content_Length', 'Content-Length-', 'XContent-Length', 'Content--Length'], (name) =>
    take('RFC 9112 section 6.3', 'no length is', `${post}${name}: ${SMUGGLED.length}\r\n\r\n`, 'POST /a'),
  ),
  take('RFC 9112 section 6.3', 'no content without a length', `${post}\r\n`, 'POST /a'),
  ...each(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE'], (method) =>
    take(
      'RFC 9112 section 6.3',
      'a length frames the content of',
      `${method} /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nGET /b HTT`,
      `${method} /a GET /b HTT`,
    ),
  ),
  take(
    'RFC 9112 section 9.3',
    'content that is a request is content',
    `${post}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    `POST /a ${SMUGGLED}`,
  ),
  take(
    'RFC 9110 section 7.6.1',
    'Connection takes no length away',
    `${post}Connection: content-length\r\nContent-Length: 1\r\n\r\na`,
    'POST /a a',
  ),
];
