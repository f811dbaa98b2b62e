/** Hosts and targets: whom a request is for. */
import { each, get, refuse, type SmugglingCase, take } from './case.ts';

export const hostsAndTargets: readonly SmugglingCase[] = [
  refuse('RFC 9112 section 3.2', 'no Host', 'GET /a HTTP/1.1\r\n\r\n'),
  refuse('RFC 9112 section 3.2', 'no Host with an absolute target', 'GET http://a/a HTTP/1.1\r\n\r\n'),
  ...each(['Host: a', 'Host: b', 'hOST: b', 'Host:', 'X: y\r\nHost: a'], (line) =>
    refuse('RFC 9112 section 3.2', 'a second Host,', `${get}${line}\r\n\r\n`),
  ),
  ...each(
    [
      ...['a b', 'a, b', 'a@b', 'a/b', 'a?b', 'a#b', 'a\\b', 'a"b', 'a<b', 'a%', 'a%g0', 'a:b'],
      ...['a:1:2', 'a:65536', 'a:999999', ':80', 'http://a', '[a]', '[::1', '::1', '[::1]x'],
      ...['[1.2.3.4]', '[fe80::1%25eth0]', '\xe9', 'a\tb', 'a; b', `${'a'.repeat(150)}^`],
    ],
    (value) => refuse('RFC 9112 section 3.2', 'a Host of', `GET /a HTTP/1.1\r\nHost: ${value}\r\n\r\n`),
  ),
  ...each(['Host : a', 'Host\t: a', 'Host\0: a', 'Host\r\n : a', 'Host:\r\n a'], (line) =>
    refuse('RFC 9112 section 5.1', 'a Host field of', `GET /a HTTP/1.1\r\n${line}\r\n\r\n`),
  ),
  ...each(
    [
      ...['a', 'a:80', 'a:', '1.2.3.4:0', '[::1]', '[::ffff:1.2.3.4]:65535', 'a_b', 'a%41'],
      ...["!$&'()*+;=~", 'a,b', 'a,'],
    ],
    (value) =>
      take('RFC 9112 section 3.2', 'a Host of', `GET /a HTTP/1.1\r\nHost: ${value}\r\n\r\n`, 'GET /a'),
  ),
  ...each(['GET /a', 'OPTIONS *'], (line) =>
    refuse('RFC 9112 section 3.3', 'an empty Host with', `${line} HTTP/1.1\r\nHost:\r\n\r\n`),
  ),
  take(
    'RFC 9112 section 3.3',
    'an absolute target with an empty Host',
    'GET http://b/a HTTP/1.1\r\nHost:\r\n\r\n',
    'GET /a',
  ),
  {
    ...refuse(
      'RFC 9112 section 3.3',
      'an empty Host behind the same with an absolute target',
      'GET http://b/a HTTP/1.1\r\nHost:\r\n\r\nGET /a HTTP/1.1\r\nHost:\r\n\r\n',
    ),
    seen: ['GET /a'],
  },
  take(
    'RFC 9112 section 3.2.2',
    'an absolute target whose Host is another',
    'GET http://b/a HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /a',
  ),
  take(
    'RFC 9112 section 3.2.2',
    'an absolute target in capitals, with nothing behind its host',
    'GET HTTP://b HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /',
  ),
  take('RFC 9112 section 3.2.4', 'OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'OPTIONS *'),
  take(
    'RFC 9112 section 3.2.4',
    'OPTIONS of an absolute target with nothing behind its host',
    'OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n',
    'OPTIONS *',
  ),
  ...each(
    [
      ...['*', 'a', 'a:80', '?a', 'http:/a', 'http:///a', 'http://', 'http://@a/', 'http://u@a/'],
      ...['http://u:p@a/', 'http://a:x/', 'http://a:65536/', 'http://[::1/', 'http://a b/'],
      ...['http://a,b\\c/', 'ftp://a/', 'ws://a/', 'javascript:1', '\\a', 'http:a', 'http//a'],
    ],
    (target) => refuse('RFC 9112 section 3.2', 'GET of', `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`),
  ),
  ...each(
    [
      ...['/a', '*', 'a', 'a:', ':80', 'a:b', 'u@a:80', 'a:80/', 'a:80?b', 'http://a:80'],
      ...['a:65536', 'a:80:80', '[::1'],
    ],
    (target) =>
      refuse('RFC 9110 section 9.3.6', 'CONNECT to', `CONNECT ${target} HTTP/1.1\r\nHost: a\r\n\r\n`),
  ),
  ...each(
    [
      ...['//b/a', '/a//b', '/../a', '/%2e%2e/a', '/%00', '/%0d%0aX:y', '/a;b', '/a\\b'],
      ...['/"<>^`{|}', '/a?b?c', '/:80', '/http://b/'],
    ],
    (target) =>
      take(
        'RFC 9112 section 3.2.1',
        'a path is handed on as it is written,',
        `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`,
        `GET ${target}`,
      ),
  ),
];
