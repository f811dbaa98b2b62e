import test from 'ava';
import { AcceptedCodings } from '../../workers/static/content-coding.ts';
import type { ContentCoding } from '../../workers/static/options.ts';

const all: readonly ContentCoding[] = ['br', 'zstd', 'gzip'];

function order(value: string | readonly string[], codings = all): string {
  const accepted = new AcceptedCodings(typeof value === 'string' ? [value] : value);
  return accepted
    .order(codings.map((coding) => ({ coding })))
    .map(({ coding }) => coding)
    .join(' ');
}

for (const [says, value, expected] of [
  ['without the field nothing is encoded', [], ''],
  ['an empty field wants nothing encoded', '', ''],
  ['of equal weights the order of the server counts', 'gzip, deflate, br, zstd', 'br zstd gzip'],
  ['the weight of the client counts first', 'br;q=0.5, gzip;q=0.9, zstd;q=0.7', 'gzip zstd br'],
  ['a weight of zero refuses', 'br;q=0, gzip', 'gzip'],
  ['zero has up to three decimals', 'br;q=0.000, gzip', 'gzip'],
  ['an asterisk stands for what is not named', '*', 'br zstd gzip'],
  ['what is named counts before the asterisk', 'br;q=0, *;q=0.5', 'zstd gzip'],
  ['a client that would rather have it unencoded gets it so', 'identity;q=1, *;q=0.5', ''],
  ['as a browser asks for ranges of a video', 'identity;q=1, *;q=0', ''],
  ['encoded is preferred to unencoded of equal weight', 'identity, gzip', 'gzip'],
  ['names are compared without case', 'GZip;Q=0.5', 'gzip'],
  ['x-gzip is gzip (RFC 9110 section 8.4.1.3)', 'x-gzip', 'gzip'],
  ['white space may stand around', ' gzip ; q=0.5 ,br', 'br gzip'],
  ['several fields are one list', ['gzip', 'br'], 'br gzip'],
  ['a malformed weight says nothing', 'br;q=2, zstd;q=0.1234, gzip;q=1.000', 'gzip'],
  ['a malformed member says nothing', 'b r, gzip', 'gzip'],
] as const) {
  test(`RFC 9110 12.5.3: ${says}`, (t) => {
    t.is(order(value), expected);
  });
}

test('unencoded content is acceptable unless explicitly refused', (t) => {
  const takesIdentity = (value: string) => new AcceptedCodings([value]).takesIdentity;
  t.true(takesIdentity(''));
  t.true(takesIdentity('gzip'));
  t.true(takesIdentity('identity;q=0.001, *;q=0'));
  t.false(takesIdentity('identity;q=0'));
  t.false(takesIdentity('gzip, *;q=0'));
});

test('members after the 32nd are not read', (t) => {
  const many = (count: number) =>
    `${Array.from({ length: count }, (_, index) => `x${index}`).join(',')},gzip`;
  t.is(order(many(31)), 'gzip');
  t.is(order(many(32)), '');
});
