/** Links that stand for a push that is not possible, and those that become one. */
import test from 'ava';
import {
  associatedTargets,
  preloadLink,
  preloadTargets,
  sameOriginPath,
} from '../../workers/adapters/preload.ts';

for (const [path, link] of [
  ['/style.css', '</style.css>; rel=preload; as=style'],
  ['/app.MJS?v=2', '</app.MJS?v=2>; rel=preload; as=script'],
  ['/text.woff2', '</text.woff2>; rel=preload; as=font; crossorigin'],
  ['/data.json', '</data.json>; rel=preload'],
  ['/plain', '</plain>; rel=preload'],
  // Names of members that every object has.
  ['/a.constructor', '</a.constructor>; rel=preload'],
  ['/a.__proto__', '</a.__proto__>; rel=preload'],
] as const) {
  test(`${path} is announced as ${link}`, (t) => {
    t.is(preloadLink(path), link);
  });
}

test('a preload link without nopush names a target, whatever else its line has', (t) => {
  const lines = [
    '</a.css>; rel=preload; as=style, </b.css>; rel="alternate preload"',
    '</c.css>; rel=preload; nopush',
    '</d.css>; rel=stylesheet, </e.js>;rel=preload;as=script',
  ];
  t.deepEqual(preloadTargets(lines), ['/a.css', '/b.css', '/e.js']);
});

test('associated content names targets in quotes, with or without a priority', (t) => {
  t.deepEqual(associatedTargets(['"/a.css":1, "/b.js"', '"https://host.example/c"']), [
    '/a.css',
    '/b.js',
    'https://host.example/c',
  ]);
});

test('only a target of the origin of the request has a path', (t) => {
  t.is(sameOriginPath('/a?b', 'https', 'host.example'), '/a?b');
  t.is(sameOriginPath('https://HOST.example:443/a', 'https', 'host.example'), '/a');
  for (const target of [
    'http://host.example/a',
    '//other.example/a',
    'https://host.example:444/a',
    'http://[',
  ]) {
    t.is(sameOriginPath(target, 'https', 'host.example'), null, target);
  }
});
