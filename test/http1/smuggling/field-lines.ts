/** Lines of a head: how they end, and what may stand in them. */
import { each, get, refuse, type SmugglingCase, take } from './case.ts';

export const lines: readonly SmugglingCase[] = [
  ...each(['\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\0\r\n', '\x0b\r\n'], (end) =>
    refuse('RFC 9112 section 2.2', 'a request line that ends in', `GET /a HTTP/1.1${end}Host: a\r\n\r\n`),
  ),
  ...each(['\n', '\r', '\r\r\n', '\n\r'], (end) =>
    refuse(
      'RFC 9112 section 2.2',
      'a field line that ends in',
      `GET /a HTTP/1.1\r\nHost: a${end}X: y\r\n\r\n`,
    ),
  ),
  ...each(['\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\t\r\n', '\0\r\n'], (end) =>
    refuse('RFC 9112 section 2.2', 'a head that ends in', `${get}${end}`),
  ),
  ...each([' b', '\tb', ' ', '\t', ' Host: b', '  : '], (line) =>
    refuse('RFC 9112 section 5.2', 'a folded field,', `${get}X: a\r\n${line}\r\n\r\n`),
  ),
  ...each([' Host: a', '\tHost: a', ' ', '\t', ' X: y\r\nHost: a'], (line) =>
    refuse(
      'RFC 9112 section 2.2',
      'white space behind the request line,',
      `GET /a HTTP/1.1\r\n${line}\r\n\r\n`,
    ),
  ),
  ...each(
    [
      ...['X : y', 'X\t: y', 'X  : y', ': y', 'X', 'X y', 'X;: y', 'X\0: y', 'X\x01: y'],
      ...['X\x7f: y', 'X\x80: y', 'X\xff: y', 'X(: y', 'X"y": z', 'X/y: z', 'X@y: z', 'X[y]: z'],
      ...['X{y}: z', 'X\\y: z', 'X=y', 'X,Y: z', 'X\ty: z', 'X<y>: z', 'X?y: z'],
    ],
    (line) => refuse('RFC 9112 section 5.1', 'a field line of', `${get}${line}\r\n\r\n`),
  ),
  ...each(
    ['\0', '\x01', '\x07', '\x08', '\x0a', '\x0b', '\x0c', '\x0d', '\x0e', '\x1b', '\x1f', '\x7f'],
    (char) => refuse('RFC 9110 section 5.5', 'a field value with', `${get}X: a${char}b\r\n\r\n`),
  ),
  refuse(
    'RFC 9112 section 2.2',
    'a whole request within a field value behind a bare CR',
    `${get}X: y\r\rGET /smuggled HTTP/1.1\r\n\r\n`,
  ),
  refuse(
    'RFC 9112 section 2.2',
    'a whole request within a field value behind a bare LF',
    `${get}X: y\n\nGET /smuggled HTTP/1.1\r\n\r\n`,
  ),
  take('RFC 9110 section 5.5', 'obs-text in a field value', `${get}X: \x80\xff\r\n\r\n`, 'GET /a'),
  take(
    'RFC 9112 section 5',
    'white space around a field value',
    `${get}X:\t \ty z\t \r\nY:\r\nZ: \t\r\n\r\n`,
    'GET /a',
  ),
  take(
    'RFC 9110 section 5.6.2',
    'every character of a token in a field name',
    `${get}!#$%&'*+-.^_|~09azAZ: x\r\n\r\n`,
    'GET /a',
  ),
];
