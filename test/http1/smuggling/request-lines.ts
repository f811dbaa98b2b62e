/** Request lines, and what stands before them. */
import { each, empty, get, refuse, type SmugglingCase, take, te } from './case.ts';

export const requestLines: readonly SmugglingCase[] = [
  ...each([' ', '\t', '\0', '\n', '\r', '\x0b', '\xef\xbb\xbf', '\xff', '{', ':', '/', '"'], (char) =>
    refuse('RFC 9112 section 3', 'a request that begins with', `${char}${get}\r\n`),
  ),
  ...each(
    [
      ...['GET  /a HTTP/1.1', 'GET /a  HTTP/1.1', 'GET\t/a HTTP/1.1', 'GET /a\tHTTP/1.1'],
      ...['GET /a HTTP/1.1\t', 'GET\xa0/a HTTP/1.1', 'GET /a\x0bHTTP/1.1', 'GET\x0c/a HTTP/1.1'],
      ...['GET /a HTTP/1.1 HTTP/1.1', 'GET /a b HTTP/1.1', 'GET /a\0 HTTP/1.1'],
      ...['GET /a\nb HTTP/1.1', 'GET /a\xe9 HTTP/1.1'],
      ...['GET /a\x7f HTTP/1.1', 'GET /a\x01 HTTP/1.1', 'GET /a#b HTTP/1.1', 'GET HTTP/1.1'],
      ...['GET  HTTP/1.1', 'GET', 'GET '],
    ],
    (line) => refuse('RFC 9112 section 3', 'a request line of', `${line}\r\nHost: a\r\n\r\n`),
  ),
  ...each(
    [
      'GETGET /a HTTP/1.1',
      'get /a HTTP/1.1',
      'Get /a HTTP/1.1',
      'GE /a HTTP/1.1',
      'BREW /a HTTP/1.1',
      'DESCRIBE /a RTSP/1.0',
      'GETPOST /a HTTP/1.1',
      'M-SEARCHX /a HTTP/1.1',
      `${'G'.repeat(33)} /a HTTP/1.1`,
      "!#$%&'*+-.^_|~ /a HTTP/1.1",
      'HTTP /a HTTP/1.1',
    ],
    (line) =>
      refuse('RFC 9110 section 9.1', 'a method that is not known,', `${line}\r\nHost: a\r\n\r\n`, 501),
  ),
  ...each(
    [
      ...['G@T /a HTTP/1.1', 'GE:T /a HTTP/1.1', 'GET, /a HTTP/1.1', '"GET" /a HTTP/1.1'],
      ...['G\xcbT /a HTTP/1.1', 'G\0T /a HTTP/1.1', 'HTTP/1.1 200 OK', 'GET/a HTTP/1.1'],
      ...['/a HTTP/1.1'],
    ],
    (line) => refuse('RFC 9110 section 9.1', 'a method that is no token,', `${line}\r\nHost: a\r\n\r\n`),
  ),
  ...each(
    [
      ...['http/1.1', 'Http/1.1', 'HTTP/1', 'HTTP/1.', 'HTTP/.1', 'HTTP/01.1', 'HTTP/1.01'],
      ...['HTTP/1.10', 'HTTP/11.1', 'HTTP/1,1', 'HTTP/1 1', 'HTTP /1.1', 'HTTP/ 1.1'],
      ...['HTTP/1.1.1', 'HTTP/1.1a', 'HTTP/x.y', 'HTTP/-1.1', 'HTTP/+1.1', 'HTTP/1.x', 'HTTP1.1'],
      ...['HTTP//1.1', 'HTTP\\1.1', 'HTTPS/1.1', 'XHTTP/1.1', 'RTSP/1.0', 'ICE/1.0', 'ICY/1.0'],
      ...['SIP/2.0', 'HTTP', 'HTTP/', '1.1', 'HTTP/\xb9.1'],
    ],
    (version) => refuse('RFC 9112 section 2.3', 'a version of', `GET /a ${version}\r\nHost: a\r\n\r\n`),
  ),
  ...each(['HTTP/0.9', 'HTTP/0.0', 'HTTP/2.0', 'HTTP/2.1', 'HTTP/3.0', 'HTTP/9.9'], (version) =>
    refuse('RFC 9110 section 15.6.6', 'a version of', `GET /a ${version}\r\nHost: a\r\n\r\n`, 505),
  ),
  refuse('RFC 9110 section 15.6.6', 'a request of HTTP/0.9', 'GET /a\r\n', 505),
  refuse('RFC 9112 section 2.2', 'a bare CR behind the target', 'GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n'),
  ...each(['HTTP/1.2', 'HTTP/1.9'], (version) =>
    take(
      'RFC 9110 section 2.5',
      'a minor version that is not known is taken for 1.1,',
      `POST /a ${version}\r\nHost: a\r\n${te}\r\n1\r\na\r\n${empty}`,
      'POST /a a',
    ),
  ),
  ...each(['\r\n', '\r\n\r\n', '\r\n'.repeat(100)], (before) =>
    take('RFC 9112 section 2.2', 'empty lines before the request line,', `${before}${get}\r\n`, 'GET /a'),
  ),
  ...each(['\n\n', '\r\r\n', '\n\r\n', '\r\n\n', ' \r\n', '\r\n \r\n', '\0\r\n', '\r\n\r'], (before) =>
    refuse(
      'RFC 9112 section 2.2',
      'something like an empty line before the request line,',
      `${before}${get}\r\n`,
    ),
  ),
];
