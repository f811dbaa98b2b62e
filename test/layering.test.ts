/** Who may import whom, held against every import statement of the sources. */
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Import {
  readonly file: string;
  /** Path from the project's root, or a package's or built-in module's name. */
  readonly target: string;
  readonly isTypeOnly: boolean;
}

interface Rule {
  readonly title: string;
  /** The sources that it holds for; of several rules the first counts. */
  readonly from: (file: string) => boolean;
  /** What of the project they may import. */
  readonly may: readonly string[];
}

const under = (prefix: string) => (file: string) => file.startsWith(prefix);

/** What package.json exports to applications. */
const published = [
  'runtime/testing/testing.ts',
  'workers/actors/actors.ts',
  'workers/adapters/fetch/fetch.ts',
  'workers/adapters/node/node.ts',
  'workers/extensions.ts',
  'workers/faces/faces.ts',
  'workers/gateway.ts',
  'workers/middleware/compose.ts',
  'workers/validator/validate.ts',
  'workers/websocket/accept.ts',
];

const rules: readonly Rule[] = [
  { title: 'wire imports nothing of the project', from: under('wire/'), may: ['wire/'] },
  {
    title: 'runtime/bytes imports nothing but itself',
    from: under('runtime/bytes/'),
    may: ['runtime/bytes/'],
  },
  {
    title: "runtime/http2 imports wire's window and marks, bytes, and itself",
    from: under('runtime/http2/'),
    may: ['runtime/http2/', 'runtime/bytes/', 'wire/field-marks.ts', 'wire/window.ts'],
  },
  {
    title: "runtime/http1 imports wire's marks, bytes, and itself",
    from: under('runtime/http1/'),
    may: ['runtime/http1/', 'runtime/bytes/', 'wire/field-marks.ts'],
  },
  {
    title: 'runtime/pools sees no HTTP: it imports wire and itself',
    from: under('runtime/pools/'),
    may: ['runtime/pools/', 'wire/'],
  },
  {
    title: 'runtime/deadlines sees no pools and no HTTP: it imports itself',
    from: under('runtime/deadlines/'),
    may: ['runtime/deadlines/'],
  },
  {
    title:
      'runtime/exchange stands between connections and pools: it imports pools, deadlines and wire, and no protocol',
    from: under('runtime/exchange/'),
    may: ['runtime/exchange/', 'runtime/pools/', 'runtime/deadlines/', 'wire/'],
  },
  {
    title:
      'runtime/connections stands above the engines and the exchange, and below the server: it imports those, deadlines, bytes and wire',
    from: under('runtime/connections/'),
    may: [
      'runtime/connections/',
      'runtime/http1/',
      'runtime/http2/',
      'runtime/exchange/',
      'runtime/deadlines/',
      'runtime/bytes/',
      'wire/',
    ],
  },
  {
    title: 'runtime/config imports itself, and from wire and the protocols only what bounds its values',
    from: under('runtime/config/'),
    may: [
      'runtime/config/',
      'runtime/http1/host.ts',
      'runtime/http2/options.ts',
      'wire/actors/bounds.ts',
      'wire/error-report.ts',
      'wire/layout.ts',
      'wire/payload/forms.ts',
    ],
  },
  {
    title: 'what is published for tests is of the embedded server, and of actors',
    from: (file) => file === 'runtime/testing/testing.ts',
    may: ['runtime/testing/', 'runtime/embedding/'],
  },
  {
    title:
      'testing puts both sides of actors into one thread: it imports them, and what checks their settings',
    from: under('runtime/testing/'),
    may: [
      'runtime/testing/',
      'wire/',
      'runtime/actors/',
      'runtime/config/actor-schema.ts',
      'runtime/config/errors.ts',
      'runtime/config/schema-issues.ts',
      'runtime/config/shape.ts',
      'runtime/config/topics-schema.ts',
      'workers/actors/',
      'workers/topics/',
    ],
  },
  { title: 'runtime imports itself and wire', from: under('runtime/'), may: ['runtime/', 'wire/'] },
  {
    title: 'workers/exchange knows no thread: it imports wire, fields, the public types and itself',
    from: under('workers/exchange/'),
    may: ['workers/exchange/', 'workers/fields/', 'workers/extensions.ts', 'workers/gateway.ts', 'wire/'],
  },
  {
    title: 'workers import wire and themselves, never runtime',
    from: under('workers/'),
    may: ['workers/', 'wire/'],
  },
  {
    title: 'apps import what is published for applications, and themselves',
    from: under('apps/'),
    may: ['apps/', ...published],
  },
  {
    title:
      'applications of the tests import what is published for them, the gallery, and what they share with the tests',
    from: (file) => /^test\/[^/]+\/applications\//.test(file),
    may: ['test/', 'apps/middleware/', ...published],
  },
];

/** Built-in modules that a part must do without. */
const forbidden: readonly {
  readonly title: string;
  readonly from: string;
  readonly modules: RegExp;
  /** Their types as well. */
  readonly withTypes?: true;
}[] = [
  {
    title: 'wire knows no sockets and no HTTP',
    from: 'wire/',
    modules: /^node:(net|tls|http|https|http2|dgram)$/,
  },
  {
    title: 'runtime/http2 does no I/O: no socket, clock, timer or thread',
    from: 'runtime/http2/',
    modules: /^node:(?!buffer$)/,
  },
  {
    title: 'runtime/http1 does no I/O: no socket, clock, timer or thread',
    from: 'runtime/http1/',
    modules: /^node:(?!buffer$|net$)/,
  },
  {
    title: 'the reactor serves HTTP by its own engines: node:http stays where applications live',
    from: 'runtime/',
    modules: /^node:https?$/,
    withTypes: true,
  },
  {
    title: 'runtime/pools knows no sockets and no HTTP',
    from: 'runtime/pools/',
    modules: /^node:(net|tls|http|https|http2)$/,
  },
  { title: 'workers own no socket', from: 'workers/', modules: /^node:(net|tls|http|https|http2)$/ },
];

/**
 * Node's classes without its sockets: what legacy code is given, and what keeps it from listening. `bound-server.ts` has sockets where a
 * pool says so: of a server beside the application, which gets none of Sluice's requests.
 */
const withoutSockets = [/^workers\/adapters\/node\//, /^workers\/loading\/(?:listening|bound-server)\.ts$/];

/** A statement from its start, or a call; what stands in a comment starts with an asterisk or slashes. */
const statement =
  /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{][^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

function importsOf(file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8');
  return [...source.matchAll(statement)].map(([, type, named, called]) => {
    const specifier = named ?? called;
    const target = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier;
    return { file, target, isTypeOnly: type !== undefined };
  });
}

const sources: string[] = [];
const ours = glob('{wire,runtime,workers,apps,bench,test}/**/*.ts', {
  cwd: root,
  exclude: (path) => path.endsWith('node_modules'),
});
for await (const file of ours) sources.push(file);
const imports = sources.flatMap(importsOf);

/** Of two rules that hold for a file the first one counts: the list is in that order. */
const ruleOf = (file: string) => rules.find(({ from }) => from(file));

for (const rule of rules) {
  test(rule.title, (t) => {
    const judged = imports.filter(({ file }) => ruleOf(file) === rule);
    t.true(judged.length > 0, 'the rule holds for something');
    const ofProject = judged.filter(({ target }) => /^(wire|runtime|workers|apps|bench|test)\//.test(target));
    const wrong = ofProject.filter(({ target }) => !rule.may.some((prefix) => target.startsWith(prefix)));
    t.deepEqual(wrong, []);
  });
}

for (const { title, from, modules, withTypes = false } of forbidden) {
  test(title, (t) => {
    const wrong = imports.filter(
      ({ file, target, isTypeOnly }) =>
        file.startsWith(from) &&
        modules.test(target) &&
        (withTypes || !isTypeOnly) &&
        !withoutSockets.some((exempt) => exempt.test(file)),
    );
    t.deepEqual(wrong, []);
  });
}

test('the engines and pools meet in the exchange alone, which is where a pool is given HTTP', (t) => {
  const both = sources.filter((file) => {
    const targets = importsOf(file).filter(({ file: from }) => from.startsWith('runtime/'));
    const has = (prefix: string) => targets.some(({ target }) => target.startsWith(prefix));
    return (has('runtime/http1/') || has('runtime/http2/')) && has('runtime/pools/');
  });
  t.deepEqual(both, []);
});

test('of node:net the HTTP/1.1 engine has only what tells an IPv6 address, in one file', (t) => {
  const users = imports.filter(
    ({ file, target }) => file.startsWith('runtime/http1/') && target === 'node:net',
  );
  t.deepEqual(
    users.map(({ file }) => file),
    ['runtime/http1/host.ts'],
  );
  t.regex(
    readFileSync(join(root, 'runtime/http1/host.ts'), 'utf8'),
    /^import \{ isIPv6 \} from 'node:net';$/m,
  );
});

test('only the reactor side opens the sockets: node:net is imported by listeners and connections alone', (t) => {
  const users = new Set(
    imports
      .filter(({ target, isTypeOnly }) => /^node:(net|tls)$/.test(target) && !isTypeOnly)
      .map(({ file }) => file)
      .filter((file) => !/^(?:test|bench|workers)\//.test(file)),
  );
  const allowed = [...users].filter((file) =>
    /^runtime\/(listeners|tls|connections|http1|config|cli|clinic|profiling)\//.test(file),
  );
  t.deepEqual([...users], allowed);
});

/** Files that import each other, directly or through others: the strongly connected parts of the graph (Tarjan). */
function circlesAmong(files: readonly string[]): string[][] {
  const targets = new Map(files.map((file) => [file, importsOf(file).map(({ target }) => target)]));
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    low.set(file, order.get(file) as number);
    open.push(file);
    for (const target of targets.get(file) ?? []) {
      if (!targets.has(target)) continue;
      if (!order.has(target)) visit(target);
      if (open.includes(target)) low.set(file, Math.min(low.get(file) as number, low.get(target) as number));
    }
    if (low.get(file) !== order.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const file of files) if (!order.has(file)) visit(file);
  return circles;
}

test('there is no import circle, types included', (t) => {
  const files = [...sources].sort();
  for (const part of ['wire', 'runtime', 'workers', 'apps', 'bench', 'test']) {
    t.true(
      files.some((file) => file.startsWith(`${part}/`)),
      part,
    );
  }
  t.deepEqual(circlesAmong(files), []);
});
