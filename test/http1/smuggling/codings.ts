/** Transfer-Encoding: which codings there are, and that a length does not stand beside them. */
import { each, empty, get, post, refuse, type SmugglingCase, take, te } from './case.ts';

export const codings: readonly SmugglingCase[] = [
  refuse(
    'RFC 9112 section 6.3',
    'CL.TE: a length, then chunked',
    `${post}Content-Length: 6\r\n${te}\r\n0\r\n\r\nG`,
  ),
  refuse(
    'RFC 9112 section 6.3',
    'TE.CL: chunked, then a length',
    `${post}${te}Content-Length: 4\r\n\r\n5c\r\n`,
  ),
  ...each(['0', '5', 'x', ''], (value) =>
    refuse(
      'RFC 9112 section 6.3',
      'chunked with a Content-Length of',
      `${post}${te}Content-Length: ${value}\r\n\r\n${empty}`,
    ),
  ),
  refuse(
    'RFC 9112 section 6.3',
    'a coding that is none with a length',
    `${post}Content-Length: 1\r\nTransfer-Encoding: x\r\n\r\na`,
  ),
  ...each(
    [
      ...['xchunked', 'chunkedx', 'x-chunked', 'chunke', 'chunk', 'chunked;', 'chunked;q=1'],
      ...['chunked ;a=b', 'chunked a', '"chunked"', "'chunked'", '(chunked)', '[chunked]'],
      ...['chunked,', 'chunked, ', ',chunked', ', chunked', ',,chunked', 'chunked,,'],
      ...['chunked, chunked', 'chunked,chunked', 'chunked, identity', 'chunked, gzip'],
      ...['chunked, x', 'identity', 'identity;chunked', 'gzip', '', ',', ' ', 'chunked '],
      ...['chunked\t', 'chunked  \t', 'ch unked', 'chun\tked', 'chunk\xe5d'],
      ...['chun\xe2\x84\xaaed', 'chunked\xa0', '\xa0chunked', '%63hunked', 'chunked='],
      ...['chunked/1', 'gzip, chunked,', 'gzip,,chunked'],
    ],
    (value) =>
      refuse(
        'RFC 9112 section 6.3',
        'a Transfer-Encoding of',
        `${post}Transfer-Encoding: ${value}\r\n\r\n${empty}`,
      ),
  ),
  ...each(
    [
      ...['\x0bchunked', 'chunked\x0b', '\x0cchunked', 'chunked\0', '\0chunked', 'chun\0ked'],
      ...['chunked\x7f', 'chunked\x08', 'chunked\r', '\nchunked', 'chunked\n'],
    ],
    (value) =>
      refuse(
        'RFC 9110 section 5.5',
        'a Transfer-Encoding of',
        `${post}Transfer-Encoding: ${value}\r\n\r\n${empty}`,
      ),
  ),
  ...each(
    [
      ...['gzip, chunked', 'identity, chunked', 'x,chunked', 'deflate , chunked'],
      ...['x;a="b", chunked', 'x;a="b,chunked", chunked'],
    ],
    (value) =>
      refuse(
        'RFC 9112 section 6.1',
        'a Transfer-Encoding of',
        `${post}Transfer-Encoding: ${value}\r\n\r\n${empty}`,
        501,
      ),
  ),
  ...each(['chunked', 'x', 'identity', ''], (value) =>
    refuse(
      'RFC 9112 section 6.3',
      'chunked, and a second Transfer-Encoding of',
      `${post}${te}Transfer-Encoding: ${value}\r\n\r\n${empty}`,
    ),
  ),
  refuse(
    'RFC 9112 section 6.1',
    'Transfer-Encoding in two lines',
    `${post}Transfer-Encoding: x\r\n${te}\r\n${empty}`,
    501,
  ),
  refuse(
    'RFC 9112 section 6.1',
    'an empty Transfer-Encoding before another',
    `${post}Transfer-Encoding:\r\n${te}\r\n${empty}`,
  ),
  ...each(
    [
      ...['Transfer-Encoding ', 'Transfer-Encoding\t', ' Transfer-Encoding'],
      ...['\tTransfer-Encoding', 'Transfer-Encoding\0', '\0Transfer-Encoding'],
      ...['Transfer-Encoding\x0b', 'Transfer Encoding', 'Transfer-\tEncoding'],
      ...['Transfer-Encoding\xa0', '\x85Transfer-Encoding', 'Transfer-Encoding\r\n '],
    ],
    (name) =>
      refuse(
        'RFC 9112 section 5.1',
        'a coding by a field name of',
        `${post}${name}: chunked\r\n\r\n${empty}`,
      ),
  ),
  refuse(
    'RFC 9112 section 5.2',
    'a Transfer-Encoding whose value is folded',
    `${post}Transfer-Encoding:\r\n chunked\r\n\r\n${empty}`,
  ),
  refuse(
    'RFC 9112 section 5.2',
    'a Transfer-Encoding that is folded behind its value',
    `${post}Transfer-Encoding: chunked\r\n , x\r\n\r\n${empty}`,
  ),
  refuse(
    'RFC 9112 section 2.2',
    'a Transfer-Encoding behind a bare CR',
    `${post}X: y\rTransfer-Encoding: chunked\r\n\r\n${empty}`,
  ),
  refuse(
    'RFC 9112 section 2.2',
    'a Transfer-Encoding behind a bare LF',
    `${post}X: y\nTransfer-Encoding: chunked\r\n\r\n${empty}`,
  ),
  ...each(['Transfer_Encoding', 'Transfer-Encodings', 'X-Transfer-Encoding'], (name) =>
    refuse('RFC 9112 section 6.3', 'nothing is chunked by', `${get}${name}: chunked\r\n\r\n0\r\n\r\n`),
  ).map((refused) => ({ ...refused, seen: ['GET /a'] })),
  ...each(['HTTP/1.0'], (version) =>
    refuse(
      'RFC 9112 section 6.1',
      'chunked in',
      `POST /a ${version}\r\nHost: a\r\nConnection: keep-alive\r\n${te}\r\n${empty}`,
    ),
  ),
  ...each(['chunked', 'CHUNKED', 'cHuNkEd'], (value) =>
    take(
      'RFC 9112 section 7',
      'a Transfer-Encoding of',
      `${post}Transfer-Encoding:\t ${value}\r\n\r\n1\r\na\r\n${empty}`,
      'POST /a a',
    ),
  ),
  take(
    'RFC 9110 section 7.6.1',
    'Connection takes no coding away',
    `${post}Connection: transfer-encoding\r\n${te}\r\n1\r\na\r\n${empty}`,
    'POST /a a',
  ),
  take(
    'RFC 9112 section 6.3',
    'the content of GET may be chunked',
    `${get}${te}\r\n1\r\na\r\n${empty}`,
    'GET /a a',
  ),
];
