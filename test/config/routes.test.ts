import test from 'ava';
import fc from 'fast-check';
import { parseConfig } from '../../runtime/config/load.ts';
import { compareRoutes } from '../../runtime/config/routes.ts';
import { Router } from '../../runtime/server/router.ts';

const routes = [
  { path: '/*', pool: 'rest' },
  { path: '/api/*', pool: 'api' },
  { path: '/api/v2/*', pool: 'api-v2' },
  { path: '/api/health', pool: 'health' },
  { host: '*.example.org', path: '/*', pool: 'sub' },
  { host: '*.eu.example.org', path: '/*', pool: 'eu' },
  { host: 'WWW.example.org', path: '/shop/*', pool: 'shop' },
];

function routerOf(inOrder: readonly object[]): Router<string> {
  const names = ['rest', 'api', 'api-v2', 'health', 'sub', 'eu', 'shop'];
  const pools = Object.fromEntries(names.map((name) => [name, { application: './app.ts' }]));
  const config = parseConfig(JSON.stringify({ pools, routes: inOrder }), 'test.json');
  return new Router(config.routes.map(({ host, path, pool }) => ({ host, path, target: pool })));
}

const requests: readonly [authority: string, path: string, pool: string][] = [
  ['localhost:8080', '/', 'rest'],
  ['localhost', '/apis', 'rest'],
  ['localhost', '/api', 'api'],
  ['localhost', '/api/x?y=/api/v2/', 'api'],
  ['localhost', '/api/v2/x', 'api-v2'],
  ['localhost', '/api/health', 'health'],
  ['localhost', '/api/health/', 'api'],
  ['a.example.org', '/api/health', 'sub'],
  ['a.eu.example.org:443', '/', 'eu'],
  ['example.org', '/', 'rest'],
  ['www.example.org', '/shop/1', 'shop'],
  // Nothing under its exact host matches: on to the patterns.
  ['www.Example.org', '/other', 'sub'],
];

test('the most specific route answers, in whatever order the file has them', (t) => {
  const property = fc.property(fc.shuffledSubarray(routes, { minLength: routes.length }), (shuffled) => {
    const router = routerOf(shuffled);
    for (const [authority, path, pool] of requests)
      t.is(router.find(authority, path), pool, `${authority}${path}`);
  });
  fc.assert(property, { numRuns: 30 });
});

test('the order of routes is total: sorting any arrangement gives the same list', (t) => {
  const route = fc.record({
    host: fc.constantFrom('*', '*.b', '*.a.b', 'a.b', 'b.a'),
    path: fc.constantFrom('/*', '/a/*', '/b/*', '/a', '/b', '/a/b/*'),
    pool: fc.constant('p'),
  });
  const unique = fc.uniqueArray(route, { selector: ({ host, path }) => `${host} ${path}` });
  const arrangements = unique.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  );
  fc.assert(
    fc.property(arrangements, ([one, other]) => {
      t.deepEqual([...one].sort(compareRoutes), [...other].sort(compareRoutes));
    }),
  );
  t.pass();
});
