import test from 'ava';
import fc from 'fast-check';
import { formatHttpDate, parseHttpDate } from '../../workers/static/http-date.ts';

const NOW = Date.UTC(2026, 10, 22);

test('RFC 9110 5.6.7: the three forms of a date are read alike', (t) => {
  const seconds = Date.UTC(1994, 10, 6, 8, 49, 37) / 1000;
  for (const text of [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ]) {
    t.is(parseHttpDate(text, NOW), seconds, text);
  }
  t.is(parseHttpDate('Wed Nov 16 08:49:37 1994', NOW), Date.UTC(1994, 10, 16, 8, 49, 37) / 1000);
});

test('RFC 9110 5.6.7: a two-digit year more than 50 years ahead means the past', (t) => {
  const yearOf = (digits: string) =>
    new Date((parseHttpDate(`Sunday, 06-Nov-${digits} 08:49:37 GMT`, NOW) ?? 0) * 1000).getUTCFullYear();
  t.deepEqual(['26', '76', '77', '99', '00'].map(yearOf), [2026, 2076, 1977, 1999, 2000]);
});

for (const text of [
  '',
  'now',
  '0',
  '1994-11-06T08:49:37Z',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 06 Nov 1994 08:49:37 +0000',
  'sun, 06 nov 1994 08:49:37 gmt',
  'Sun, 06 Nov 1994 08:49:37 GMT ',
  'Sun, 31 Feb 1994 08:49:37 GMT',
  'Sun, 00 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 24:00:00 GMT',
  'Sun, 06 Nov 1994 08:60:00 GMT',
  'Sun, 06 Nov 1994 08:49:61 GMT',
  'Sun, 06 Nov 1994 08:49:37 GMT, Mon, 07 Nov 1994 08:49:37 GMT',
]) {
  test(`${JSON.stringify(text)} is no HTTP-date`, (t) => {
    t.is(parseHttpDate(text, NOW), null);
  });
}

test('any date that is written is read back', (t) => {
  const second = fc.integer({ min: 0, max: 253_402_300_799 });
  fc.assert(fc.property(second, (seconds) => parseHttpDate(formatHttpDate(seconds), NOW) === seconds));
  t.pass();
});
