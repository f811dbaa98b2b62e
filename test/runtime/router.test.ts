import test from 'ava';
import fc from 'fast-check';
import { compareRoutes } from '../../runtime/config/routes.ts';
import { hostOf, Router } from '../../runtime/server/router.ts';

/** Routes as the configuration orders them; each leads to its own text. */
function router(...routes: [host: string, path: string][]) {
  const sorted = routes
    .map(([host, path]) => ({ host, path, pool: `${host}${path}`, websocket: false, connect: false }))
    .sort(compareRoutes);
  return new Router(sorted.map(({ host, path, pool }) => ({ host, path, target: pool })));
}

test('an exact path comes before prefixes, and longer prefixes before shorter ones', (t) => {
  const routes = router(['*', '/*'], ['*', '/a/*'], ['*', '/a/b/*'], ['*', '/a/b']);
  t.is(routes.find('', '/a/b'), '*/a/b');
  t.is(routes.find('', '/a/b/c'), '*/a/b/*');
  t.is(routes.find('', '/a/bc'), '*/a/*');
  t.is(routes.find('', '/a'), '*/a/*');
  t.is(routes.find('', '/a/'), '*/a/*');
  t.is(routes.find('', '/ab'), '*/*');
  t.is(routes.find('', '/'), '*/*');
});

test('the server as a whole belongs to the route for everything, and to no other', (t) => {
  t.is(router(['*', '/*'], ['*', '/a/*']).find('', '*'), '*/*');
  t.is(router(['*', '/a/*'], ['*', '/']).find('', '*'), null);
});

test('the host decides before the path, and a host without the path leaves it to the others', (t) => {
  const routes = router(
    ['*', '/x'],
    ['*.example.org', '/*'],
    ['a.example.org', '/a'],
    ['*.b.example.org', '/*'],
  );
  t.is(routes.find('a.example.org', '/a'), 'a.example.org/a');
  t.is(routes.find('a.example.org', '/x'), '*.example.org/*');
  t.is(routes.find('c.b.example.org', '/x'), '*.b.example.org/*');
  t.is(routes.find('other', '/x'), '*/x');
  t.is(routes.find('other', '/y'), null);
});

test('a host pattern takes every name below its suffix and not the suffix itself', (t) => {
  const routes = router(['*.example.org', '/*']);
  t.is(routes.find('a.example.org', '/'), '*.example.org/*');
  t.is(routes.find('a.b.example.org', '/'), '*.example.org/*');
  for (const host of ['example.org', '.example.org', 'badexample.org', 'a.example.org.evil', '']) {
    t.is(routes.find(host, '/'), null, host);
  }
});

test('case and port of the authority do not matter', (t) => {
  const routes = router(['example.org', '/*'], ['[::1]', '/*']);
  t.is(routes.find('EXAMPLE.org:8080', '/'), 'example.org/*');
  t.is(routes.find('[::1]:80', '/'), '[::1]/*');
  t.is(hostOf('Example.org'), 'example.org');
  t.is(hostOf('[FE80::1]'), '[fe80::1]');
  t.is(hostOf(''), '');
  t.is(hostOf('[broken'), '[broken');
});

test('the query does not take part, and the path is taken as it came', (t) => {
  const routes = router(['*', '/a'], ['*', '/a/*']);
  t.is(routes.find('', '/a?b=/c'), '*/a');
  t.is(routes.find('', '/a/?'), '*/a/*');
  for (const path of ['/A', '/%61', '//a', '*', '', '/?/a']) t.is(routes.find('', path), null, path);
});

test('an answer is the same the second time, and beyond what is remembered', (t) => {
  const routes = router(['*', '/a/*']);
  for (let pass = 0; pass < 2; pass++) {
    for (let i = 0; i < 1500; i++) {
      t.is(routes.find('', `/a/${i}`), '*/a/*');
      t.is(routes.find('', `/b/${i}`), null);
    }
  }
});

test('property: the first route that matches is the most specific one', (t) => {
  const host = fc.constantFrom('*', 'a.org', 'b.a.org', '*.a.org', '*.b.a.org');
  const path = fc.constantFrom('/*', '/x', '/x/*', '/x/y', '/x/y/*');
  const asked = fc.tuple(
    fc.constantFrom('a.org', 'b.a.org', 'c.b.a.org', 'd'),
    fc.constantFrom('/', '/x', '/x/y', '/x/y/z'),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(host, path), { selector: String }),
        asked,
        (routes, [authority, at]) => {
          const matching = routes.filter(
            ([name, pattern]) =>
              (name === '*' ||
                name === authority ||
                (name.startsWith('*') && authority.endsWith(name.slice(1)))) &&
              (pattern === at || (pattern.endsWith('/*') && `${at}/`.startsWith(pattern.slice(0, -1)))),
          );
          const weight = (pattern: string, exact: boolean) => (exact ? 1000 : pattern.length);
          matching.sort(
            ([host1, path1], [host2, path2]) =>
              weight(host2, !host2.startsWith('*')) - weight(host1, !host1.startsWith('*')) ||
              weight(path2, !path2.endsWith('*')) - weight(path1, !path1.endsWith('*')),
          );
          const best = matching[0];
          return router(...routes).find(authority, at) === (best === undefined ? null : best.join(''));
        },
      ),
    ),
  );
});
