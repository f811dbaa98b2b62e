/** What stands behind a request; and requests that hold their content back. */
import { each, empty, get, post, refuse, type SmugglingCase, take, te } from './case.ts';

export const behind: readonly SmugglingCase[] = [
  ...each(
    ['X', '\0', ' ', '\xff\xfe', '}', 'HTTP/1.1 200 OK\r\n\r\n', '\x16\x03\x01', '0', '"', '\n'],
    (garbage) => refuse('RFC 9112 section 9.3', 'a request, and behind it', `${get}\r\n${garbage}\r\n\r\n`),
  ).map((refused) => ({ ...refused, seen: ['GET /a'] })),
  ...each(['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'XXGET /b HTTP/1.1\r\nHost: a\r\n\r\n'], (garbage) =>
    refuse('RFC 9110 section 9.1', 'a request, and behind it', `${get}\r\n${garbage}`, 501),
  ).map((refused) => ({ ...refused, seen: ['GET /a'] })),
  ...each(['X', '\r', '\n', '0\r\n\r\n'], (more) =>
    refuse(
      'RFC 9112 section 9.3',
      'content, and behind it',
      `${post}Content-Length: 1\r\n\r\na${more}GET /b HTTP/1.1\r\n`,
    ),
  ).map((refused) => ({
    ...refused,
    seen: ['POST /a a'],
    refused: refused.what.endsWith('"X"') ? 501 : 400,
  })),
  take(
    'RFC 9112 section 2.2',
    'content with a line end behind it',
    `${post}Content-Length: 1\r\n\r\na\r\n`,
    'POST /a a',
  ),
  ...each(
    ['200-ok', '100-continue, x', '100-continue;q=1', '"100-continue"', '100-continue\t100-continue'],
    (value) =>
      refuse(
        'RFC 9110 section 10.1.1',
        'an expectation of',
        `${post}Expect: ${value}\r\nContent-Length: 1\r\n\r\na`,
        417,
      ),
  ),
  refuse(
    'RFC 9110 section 10.1.1',
    'two expectations',
    `${post}Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n`,
    417,
  ),
  ...each(['', ',', ' ,, ', '100-continue,', ',100-continue', ', ,100-continue ,,'], (value) =>
    take(
      'RFC 9110 section 5.6.1.2',
      'an expectation of',
      `${post}Expect: ${value}\r\nContent-Length: 1\r\n\r\na`,
      'POST /a a',
    ),
  ),
  take(
    'RFC 9110 section 10.1.1',
    '100-continue with the content sent at once',
    `${post}Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na`,
    'POST /a a',
  ),
  take(
    'RFC 9110 section 10.1.1',
    '100-continue with content in chunks sent at once',
    `${post}Expect: 100-continue\r\n${te}\r\n1\r\na\r\n${empty}`,
    'POST /a a',
  ),
];
