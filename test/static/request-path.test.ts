import { posix, win32 } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { prefixOf, readRequestPath } from '../../workers/static/request-path.ts';

const read = (target: string, pattern = '/*', platform: NodeJS.Platform = 'linux') =>
  readRequestPath(target, prefixOf(pattern), platform);

/** The segments, with a slash at the end for a directory; a status if the path is refused. */
function segmentsOf(target: string, pattern?: string, platform?: NodeJS.Platform): string | number {
  const path = read(target, pattern, platform);
  return typeof path === 'number' ? path : path.segments.join('|') + (path.isDirectory ? '/' : '');
}

test('the path after the prefix of a pattern names the file', (t) => {
  t.is(segmentsOf('/'), '/');
  t.is(segmentsOf('/a/b.css?v=1'), 'a|b.css');
  t.is(segmentsOf('/assets/a/b.css', '/assets/*'), 'a|b.css');
  t.is(segmentsOf('/assets/a/', '/assets/*'), 'a/');
  t.is(segmentsOf('/assets', '/assets/*'), '');
  t.is(segmentsOf('/assets/', '/assets/*'), '/');
});

test('for an exact path the last segment names the file', (t) => {
  t.is(segmentsOf('/favicon.ico', '/favicon.ico'), 'favicon.ico');
  t.is(segmentsOf('/site/robots.txt', '/site/robots.txt'), 'robots.txt');
  t.is(segmentsOf('/', '/'), '/');
});

test('a path outside the prefix names nothing', (t) => {
  t.is(segmentsOf('/assetsx/a', '/assets/*'), 404);
  t.is(segmentsOf('/other', '/assets/*'), 404);
});

test('escapes are decoded once, as UTF-8', (t) => {
  t.is(segmentsOf('/caf%C3%A9/%E2%82%AC%20100%25'), 'café|€ 100%');
  t.is(segmentsOf('/%2561'), '%61');
});

for (const [name, target, status] of [
  ['an escape that is cut off', '/a%2', 400],
  ['an escape that is none', '/a%zz', 400],
  ['octets that are not UTF-8', '/%ff', 400],
  ['an overlong encoding of a dot', '/%c0%ae%c0%ae/a', 400],
  ['an encoded surrogate', '/%ed%a0%80', 400],
  ['raw octets above US-ASCII', '/caf\u00e9', 400],
  ['a NUL', '/a%00.txt', 400],
  ['a dot segment', '/a/./b', 400],
  ['a parent segment', '/a/../b', 400],
  ['a parent segment at the end', '/a/..', 400],
  ['an encoded parent segment', '/%2e%2e/a', 400],
  ['a half encoded parent segment', '/.%2E/a', 400],
  ['an encoded slash', '/a%2fb', 404],
  ['an encoded parent with an encoded slash', '/..%2fa', 404],
  ['an encoded backslash', '/..%5ca', 404],
  ['a backslash', '/..\\a', 404],
  ['an empty segment', '/a//b', 404],
  ['an empty segment at the start', '//a', 404],
] as const) {
  test(`${name} is refused with ${status}`, (t) => {
    t.is(segmentsOf(target), status);
  });
}

test('three dots, and dots within a name, are ordinary names', (t) => {
  t.is(segmentsOf('/.../a..b/..c'), '...|a..b|..c');
});

test('names that Windows maps to others are refused on Windows only', (t) => {
  for (const name of [
    'c:',
    'a.txt::$DATA',
    'a.txt.',
    'a.txt%20',
    'con',
    'NUL.txt',
    'Com1',
    'lpt9.x.y',
    'aux%20.c',
    'GIT~1',
    'a%3Fb',
  ]) {
    t.is(segmentsOf(`/${name}`, '/*', 'win32'), 404, name);
    t.not(segmentsOf(`/${name}`, '/*', 'linux'), 404, name);
  }
  t.is(segmentsOf('/console.log/com10', '/*', 'win32'), 'console.log|com10');
});

/** Paths made of the parts used for traversal, and of anything else. */
const piece = fc.oneof(
  fc.constantFrom(
    '..',
    '.',
    '%2e',
    '%2E%2e',
    '/',
    '%2f',
    '%5c',
    '\\',
    '%00',
    '%252e',
    'a',
    'c:',
    '~',
    '%c0%ae',
    '//',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const anyPath = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);

for (const [platform, path, root] of [
  ['linux', posix, '/srv/files'],
  ['win32', win32, 'C:\\srv\\files'],
] as const) {
  test(`no path leads out of the root on ${platform}`, (t) => {
    const property = fc.property(anyPath, fc.constantFrom('/*', '/a/*', '/a'), (target, pattern) => {
      const found = read(target, pattern, platform);
      if (typeof found === 'number') return;
      const { segments } = found;
      const joined = path.join(root, ...segments);
      // The result is not just inside the root: it has exactly the names, none of them resolved away or taken
      // for a separator.
      t.is(joined, [root, ...segments].join(path.sep));
      t.is(path.resolve(root, ...segments), joined);
    });
    fc.assert(property, { numRuns: 3_000 });
    t.pass();
  });
}

test('a redirect keeps the last name and the query', (t) => {
  for (const [target, pattern, lastName, query] of [
    ['/a/b%20c?x=/../', '/*', 'b c', '?x=/../'],
    ['/assets', '/assets/*', 'assets', ''],
    ['/assets?', '/assets/*', 'assets', '?'],
  ]) {
    const path = read(target as string, pattern);
    t.like(path, { lastName, query });
  }
});
