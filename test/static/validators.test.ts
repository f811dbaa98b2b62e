import test from 'ava';
import { contentTypeOf } from '../../workers/static/content-type.ts';
import type { FileStats } from '../../workers/static/disk.ts';
import { validatorFields, validatorsOf } from '../../workers/static/validators.ts';

const NOW = Date.UTC(2026, 10, 22);

function statsOf(mtimeMs: number, { size = 5n, ctimeMs = mtimeMs, extraNs = 0n } = {}): FileStats {
  return {
    size,
    mtimeNs: BigInt(mtimeMs) * 1_000_000n + extraNs,
    ctimeNs: BigInt(ctimeMs) * 1_000_000n,
    isFile: () => true,
    isDirectory: () => false,
  };
}

test('a tag depends on the size, on each nanosecond of the time, and on the coding', (t) => {
  const tags = [
    validatorsOf(statsOf(0), null, 'mtime', NOW),
    validatorsOf(statsOf(0, { size: 6n }), null, 'mtime', NOW),
    validatorsOf(statsOf(0, { extraNs: 1n }), null, 'mtime', NOW),
    validatorsOf(statsOf(0), 'br', 'mtime', NOW),
    validatorsOf(statsOf(0), 'gzip', 'mtime', NOW),
  ].map(({ etag }) => etag);
  t.is(new Set(tags).size, tags.length);
  for (const tag of tags) t.regex(tag ?? '', /^"[\w-]+"$/);
});

test('RFC 9110 8.8.1: a file that was written less than two seconds ago has a weak tag', (t) => {
  t.regex(validatorsOf(statsOf(NOW - 1_999), null, 'mtime', NOW).etag ?? '', /^W\/"/);
  t.regex(validatorsOf(statsOf(NOW - 2_000), null, 'mtime', NOW).etag ?? '', /^"/);
});

test('ctime distinguishes states whose modification time was set', (t) => {
  const tagOf = (ctimeMs: number, kind: 'mtime' | 'ctime') =>
    validatorsOf(statsOf(1_000, { ctimeMs }), null, kind, NOW).etag;
  t.is(tagOf(5_000, 'mtime'), tagOf(6_000, 'mtime'));
  t.not(tagOf(5_000, 'ctime'), tagOf(6_000, 'ctime'));
});

test('without tags only the date is sent', (t) => {
  const fields = validatorFields(validatorsOf(statsOf(784_111_777_123), null, 'none', NOW));
  t.deepEqual(fields, [['last-modified', 'Sun, 06 Nov 1994 08:49:37 GMT']]);
});

test('RFC 9110 8.8.2.1: a future date is sent as now', (t) => {
  t.is(validatorsOf(statsOf(NOW + 60_000), null, 'mtime', NOW).modifiedSeconds, NOW / 1000);
});

test('a date that HTTP cannot write is not sent', (t) => {
  t.is(validatorsOf(statsOf(-1_000), null, 'mtime', NOW).modifiedSeconds, null);
  t.is(validatorsOf(statsOf(253_402_300_800_000), null, 'mtime', NOW).modifiedSeconds, null);
});

test('the last extension decides the media type, ignoring case; text is UTF-8', (t) => {
  t.deepEqual(
    [
      'a.html',
      'A.HTML',
      'a.mjs',
      'a.json',
      'a.svg',
      'a.wasm',
      'a.woff2',
      'a.tar.gz',
      'a.ico',
      'a',
      'a.unheard-of',
    ].map(contentTypeOf),
    [
      'text/html; charset=utf-8',
      'text/html; charset=utf-8',
      'text/javascript; charset=utf-8',
      'application/json',
      'image/svg+xml',
      'application/wasm',
      'font/woff2',
      'application/gzip',
      'image/vnd.microsoft.icon',
      'application/octet-stream',
      'application/octet-stream',
    ],
  );
});
