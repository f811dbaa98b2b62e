/** Every limit of a head, on its edge and beyond it. */
import { chunked, get, refuse, SMUGGLING_LIMITS, type SmugglingCase, take } from './case.ts';

const { maxTargetBytes, maxHeaderBytes, maxFieldLines } = SMUGGLING_LIMITS;
/** Of the head of a GET of `/a`: its target, and each line with its end. */
const headBytes = '/a'.length + 'Host: a\r\n'.length;

export const limits: readonly SmugglingCase[] = [
  take(
    'RFC 9110 section 15.5.15',
    'a target as long as may be',
    `GET /${'t'.repeat(maxTargetBytes - 1)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET /${'t'.repeat(maxTargetBytes - 1)}`,
  ),
  refuse(
    'RFC 9110 section 15.5.15',
    'a target longer by one',
    `GET /${'t'.repeat(maxTargetBytes)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    414,
  ),
  refuse('RFC 9110 section 15.5.15', 'a target that never ends', `GET /${'t'.repeat(100_000)}`, 414),
  take(
    'RFC 6585 section 5',
    'a head as large as may be',
    `${get}X: ${'y'.repeat(maxHeaderBytes - headBytes - 5)}\r\n\r\n`,
    'GET /a',
  ),
  refuse(
    'RFC 6585 section 5',
    'a head larger by one',
    `${get}X: ${'y'.repeat(maxHeaderBytes - headBytes - 4)}\r\n\r\n`,
    431,
  ),
  refuse('RFC 6585 section 5', 'a field name that never ends', `${get}${'x'.repeat(100_000)}`, 431),
  refuse('RFC 6585 section 5', 'a field value that never ends', `${get}X: ${'x'.repeat(100_000)}`, 431),
  refuse(
    'RFC 6585 section 5',
    'white space before a value that never ends',
    `${get}X:${' '.repeat(100_000)}`,
    431,
  ),
  refuse(
    'RFC 6585 section 5',
    'white space behind a value that never ends',
    `${get}X: y${'\t'.repeat(100_000)}`,
    431,
  ),
  take(
    'RFC 6585 section 5',
    'as many field lines as may be',
    `${get}${'X: y\r\n'.repeat(maxFieldLines - 1)}\r\n`,
    'GET /a',
  ),
  refuse('RFC 6585 section 5', 'one field line more', `${get}${'X: y\r\n'.repeat(maxFieldLines)}\r\n`, 431),
  take(
    'RFC 6585 section 5',
    'as many trailer lines as may be',
    `${chunked}0\r\n${'x: y\r\n'.repeat(maxFieldLines)}\r\n`,
    'POST /a',
  ),
  refuse(
    'RFC 6585 section 5',
    'one trailer line more',
    `${chunked}0\r\n${'x: y\r\n'.repeat(maxFieldLines + 1)}\r\n`,
    431,
  ),
  refuse('RFC 6585 section 5', 'a trailer that never ends', `${chunked}0\r\nx: ${'y'.repeat(100_000)}`, 431),
  refuse('RFC 9110 section 9.1', 'a method that never ends', 'M'.repeat(100_000), 501),
];
