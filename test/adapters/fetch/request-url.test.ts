/** The URL of a handler's request: what a URL parser makes of what the client asked for, or nothing. */

import test from 'ava';
import fc from 'fast-check';
import { urlOf } from '../../../workers/adapters/fetch/request-url.ts';
import type { ExchangeRequest } from '../../../workers/gateway.ts';

const urlFor = (scheme: string, authority: string, path: string): string | null =>
  urlOf({ scheme, authority, path } as ExchangeRequest);

const cases: readonly (readonly [scheme: string, authority: string, path: string, url: string | null])[] = [
  ['http', 'example.org', '/a?b=c', 'http://example.org/a?b=c'],
  ['https', 'example.org:443', '/', 'https://example.org/'],
  ['http', 'example.org:443', '/', 'http://example.org:443/'],
  ['http', 'EXAMPLE.org:080', '/', 'http://example.org/'],
  ['http', '127.0.0.1:8080', '/', 'http://127.0.0.1:8080/'],
  ['http', '127.1', '/', 'http://127.0.0.1/'],
  ['http', '0x7f000001', '/', 'http://127.0.0.1/'],
  ['http', '[::0001]:80', '/', 'http://[::1]/'],
  ['http', 'a', '*', 'http://a/'],
  ['http', 'a', '//b.example/c', 'http://a//b.example/c'],
  ['http', 'a', '/b/../c', 'http://a/c'],
  ['http', 'a', '/b/%2e%2e/c', 'http://a/c'],
  ['http', 'a', '/ä b', 'http://a/%C3%A4%20b'],
  ['http', 'a', '/b\\c', 'http://a/b/c'],
  ['http', '', '/', null],
  ['http', 'user@a', '/', null],
  ['http', 'a/b', '/', null],
  ['http', 'a?b', '/', null],
  ['http', 'a b', '/', null],
  ['http', '256.0.0.1', '/', null],
  ['http', 'a:99999', '/', null],
];

for (const [scheme, authority, path, url] of cases) {
  test(`${scheme}, '${authority}', '${path}': ${url}`, (t) => {
    t.is(urlFor(scheme, authority, path), url);
  });
}

test('whoever asked before, a request has the URL that a parser makes of it', (t) => {
  const scheme = fc.constantFrom('http', 'https');
  const authority = fc.constantFrom(
    'a',
    'A',
    'a:80',
    'a:443',
    'b.example',
    '127.0.0.1',
    '127.1',
    '[::1]:443',
  );
  const segment = fc.constantFrom('a', '.', '..', '%2e', 'ü', '', '\\', '%', ';', '{', '?', '#x', '&', '=');
  const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`);
  fc.assert(
    fc.property(fc.array(fc.tuple(scheme, authority, path), { minLength: 1, maxLength: 20 }), (asked) => {
      for (const [ofScheme, ofAuthority, ofPath] of asked)
        t.is(urlFor(ofScheme, ofAuthority, ofPath), new URL(`${ofScheme}://${ofAuthority}${ofPath}`).href);
    }),
  );
});
