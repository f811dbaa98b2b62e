import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { StaticConfig } from '../../runtime/config/config.ts';
import { ConfigError, ConfigErrorCode } from '../../runtime/config/errors.ts';
import { findMissingApplications, parseConfig } from '../../runtime/config/load.ts';
import type { StaticOptions } from '../../workers/static/options.ts';
import { makeDirectory } from './directory.ts';

const parse = (input: object) => parseConfig(JSON.stringify(input), '/srv/runtime.config.json');

function problemsOf(input: object): readonly (readonly [ConfigErrorCode, string])[] {
  const error = errorOf(() => parse(input));
  return error.problems.map(({ code, where }) => [code, where] as const);
}

function errorOf(action: () => unknown): ConfigError {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

test('the files of a route have every option that the application reads, with its default', (t) => {
  const { pools } = parse({ routes: [{ path: '/assets/*', static: { root: './public' } }] });
  const config = pools['static /assets/*'].applicationOptions as StaticConfig;
  // If this compiles, both sides of the thread agree on the type.
  const options: StaticOptions = config;
  t.deepEqual(options as unknown, {
    root: '/srv/public',
    path: '/assets/*',
    where: '$.routes[0].static',
    index: ['index.html'],
    dotfiles: 'hide',
    symlinks: 'inside',
    precompressed: ['br', 'zstd', 'gzip'],
    recheckMs: 1_000,
    etag: 'mtime',
    cacheControl: 'no-cache',
    maxRanges: 16,
    readBytes: 65_536,
  });
});

test('each route with files has a pool of its own with the built-in application', (t) => {
  const { pools, routes } = parse({
    pools: { app: { application: './app.ts' } },
    routes: [
      { path: '/*', pool: 'app' },
      { path: '/a/*', static: { root: 'a', threads: 3, exchangesPerThread: 7 } },
      { host: 'B.example', path: '/a/*', static: { root: 'b' } },
    ],
  });
  t.deepEqual(
    routes.map(({ pool }) => pool),
    ['static b.example/a/*', 'static /a/*', 'app'],
  );
  const { threads, exchangesPerThread, application } = pools['static /a/*'];
  t.deepEqual([threads, exchangesPerThread], [{ min: 1, max: 3 }, 7]);
  t.true(existsSync(application));
});

test('the flag for pool threads does not affect those of files', (t) => {
  const input = JSON.stringify({ routes: [{ path: '/*', static: { root: 'a' } }] });
  const threads = { value: { min: 5, max: 6 }, source: '--threads' };
  t.deepEqual(parseConfig(input, 'a.json', { threads }).pools['static /*'].threads, { min: 1, max: 4 });
});

test('the ring to files has room for the largest head, since its size cannot be configured', (t) => {
  const { pools } = parse({
    http2: { maxFieldListBytes: 1_048_576 },
    routes: [{ path: '/*', static: { root: 'a' } }],
  });
  t.is(pools['static /*'].ringBytes, 8_388_608);
});

for (const [says, route, problems] of [
  [
    'a pool beside files',
    { pool: 'app', static: { root: '.' } },
    [['SLUICE_CONFIG_CONFLICT', '$.routes[0].pool']],
  ],
  ['neither', {}, [['SLUICE_CONFIG_MISSING_KEY', '$.routes[0].pool']]],
  ['files without a root', { static: {} }, [['SLUICE_CONFIG_MISSING_KEY', '$.routes[0].static.root']]],
  ['an empty root', { static: { root: '' } }, [['SLUICE_CONFIG_WRONG_VALUE', '$.routes[0].static.root']]],
  [
    'WebSockets to files',
    { static: { root: '.' }, websocket: true },
    [['SLUICE_CONFIG_CONFLICT', '$.routes[0].websocket']],
  ],
  [
    'an index file elsewhere',
    { static: { root: '.', index: ['../index.html'] } },
    [['SLUICE_CONFIG_WRONG_VALUE', '$.routes[0].static.index[0]']],
  ],
  [
    'a coding that is not known',
    { static: { root: '.', precompressed: ['deflate'] } },
    [['SLUICE_CONFIG_WRONG_VALUE', '$.routes[0].static.precompressed[0]']],
  ],
  [
    'a field injected with the cache control',
    { static: { root: '.', cacheControl: 'no-cache\r\nx: y' } },
    [['SLUICE_CONFIG_WRONG_VALUE', '$.routes[0].static.cacheControl']],
  ],
  [
    'a misspelt option',
    { static: { root: '.', dotFiles: 'hide' } },
    [['SLUICE_CONFIG_UNKNOWN_KEY', '$.routes[0].static.dotFiles']],
  ],
] as const) {
  test(`a route with ${says} is refused at its place`, (t) => {
    const input = { pools: { app: { application: './app.ts' } }, routes: [{ path: '/*', ...route }] };
    t.deepEqual(problemsOf(input), problems as never);
  });
}

test('a root that is missing, or not a directory, is reported with its place in the configuration', (t) => {
  const directory = makeDirectory(t);
  directory.write('a', 'a file');
  const roots = [directory.root, join(directory.root, 'a'), join(directory.root, 'missing')];
  const config = parse({ routes: roots.map((root, index) => ({ path: `/${index}/*`, static: { root } })) });
  t.deepEqual(
    findMissingApplications(config).map(({ code, where }) => [code, where]),
    [
      [ConfigErrorCode.RootMissing, '$.routes[1].static.root'],
      [ConfigErrorCode.RootMissing, '$.routes[2].static.root'],
    ],
  );
});

test('start exits with 3 and check with 2 if a root is missing', (t) => {
  const directory = makeDirectory(t);
  const file = join(directory.outside, 'c.json');
  writeFileSync(file, JSON.stringify({ routes: [{ path: '/*', static: { root: './missing' } }] }));
  const cli = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));
  for (const [command, status] of [
    ['start', 3],
    ['check', 2],
  ] as const) {
    const run = spawnSync(process.execPath, [cli, command, '--config', file], { encoding: 'utf8' });
    t.is(run.status, status);
    t.regex(
      run.stderr,
      /\$\.routes\[0\]\.static\.root: expected a directory .* \[SLUICE_CONFIG_ROOT_MISSING\]/,
    );
  }
});
