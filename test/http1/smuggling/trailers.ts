/** Trailers: how they are written, and that they change nothing. */
import { chunked, each, refuse, type SmugglingCase, take } from './case.ts';

export const trailers: readonly SmugglingCase[] = [
  ...each(
    ['Content-Length: 5', 'Transfer-Encoding: chunked', 'tRANSFER-eNCODING: x', 'content-length:'],
    (line) => refuse('RFC 9110 section 6.5.1', 'a trailer that frames,', `${chunked}0\r\n${line}\r\n\r\n`),
  ),
  ...each(
    [
      ...['X : y', 'X\t: y', ' X: y', '\tX: y', 'X', ': y', 'X: \0', 'X: a\rb', 'X: a\nb'],
      ...['X\0: y', 'X(: y', 'X: a\r\n b', 'X: \x7f', 'X: y\n'],
    ],
    (line) => refuse('RFC 9112 section 7.1.2', 'a trailer of', `${chunked}0\r\n${line}\r\n\r\n`),
  ),
  ...each(
    [
      ...['Host: b', 'Authorization: b', 'Cookie: b', 'Connection: close', 'Expect: x'],
      ...['Trailer: x', 'TE: x', 'Content-Type: x', 'X-Forwarded-For: b', 'Upgrade: h2c'],
    ],
    (line) =>
      take(
        'RFC 9110 section 6.5.1',
        'a trailer changes nothing of the request,',
        `${chunked}1\r\na\r\n0\r\n${line}\r\n\r\n`,
        'POST /a a',
      ),
  ),
  take(
    'RFC 9112 section 7.1.2',
    'trailers end the content',
    `${chunked}1\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n`,
    'POST /a a',
  ),
];
