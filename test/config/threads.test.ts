/** How many threads a pool has, and what they are started with. */
import test from 'ava';
import { ConfigError } from '../../runtime/config/errors.ts';
import { parseConfig } from '../../runtime/config/load.ts';
import { findRefusedFlags } from '../../runtime/server/pool-flags.ts';

const parse = (pool: object) =>
  parseConfig(
    JSON.stringify({
      pools: { app: { application: './app.ts', ...pool } },
      routes: [{ path: '/*', pool: 'app' }],
    }),
    'runtime.config.json',
  );
const poolOf = (pool: object) => parse(pool).pools.app;

test('a number of threads is how many there always are', (t) => {
  t.deepEqual(poolOf({ threads: 4 })?.threads, { min: 4, max: 4 });
  t.deepEqual(poolOf({ threads: 1 })?.threads, { min: 1, max: 1 });
});

for (const [threads, where, expected] of [
  [0, '$.pools.app.threads', /a whole number from 1 to 1024/],
  [1_025, '$.pools.app.threads', /a whole number from 1 to 1024/],
  [1.5, '$.pools.app.threads', /a whole number from 1 to 1024/],
  ['4', '$.pools.app.threads', /a number of threads from 1 to 1024, or an object with min and max/],
  [null, '$.pools.app.threads', /a number of threads from 1 to 1024, or an object with min and max/],
  [[], '$.pools.app.threads', /a number of threads from 1 to 1024, or an object with min and max/],
  [{ min: '2' }, '$.pools.app.threads.min', /a whole number from 1 to 1024/],
  [{ min: 0 }, '$.pools.app.threads.min', /a whole number from 1 to 1024/],
  [{ mim: 2 }, '$.pools.app.threads.mim', /a known key/],
] as const) {
  test(`threads that are none are refused once, by their place: ${JSON.stringify(threads)}`, (t) => {
    const error = t.throws(() => parse({ threads }), { instanceOf: ConfigError });
    t.deepEqual(
      error?.problems.map((problem) => problem.where),
      [where],
    );
    t.regex(error?.problems[0]?.expected ?? '', expected);
  });
}

test('variables have names and are strings', (t) => {
  t.deepEqual(poolOf({ env: { MODE: 'fast', EMPTY: '' } })?.env, { MODE: 'fast', EMPTY: '' });
  for (const env of [{ 'A=B': 'c' }, { '': 'c' }, { A: 1 }, { A: 'b\0c' }, ['A=b'], 'A=b']) {
    t.throws(() => parse({ env }), { instanceOf: ConfigError }, JSON.stringify(env));
  }
});

test('flags are strings', (t) => {
  t.deepEqual(poolOf({ execArgv: ['--no-warnings'] })?.execArgv, ['--no-warnings']);
  for (const execArgv of ['--no-warnings', [1], { 0: '--no-warnings' }]) {
    t.throws(() => parse({ execArgv }), { instanceOf: ConfigError }, JSON.stringify(execArgv));
  }
});

test('flags that no thread takes are refused before one is started, each by its place', (t) => {
  t.deepEqual(findRefusedFlags(parse({ execArgv: ['--no-warnings', '--conditions=staging'] })), []);
  const config = parse({
    execArgv: ['--no-warnings', '--max-old-space-size=100', '--no-such-flag'],
    env: { NODE_OPTIONS: '--max-old-space-size=100 --no-such-flag' },
  });
  t.deepEqual(
    findRefusedFlags(config).map(({ where, received }) => [where, received]),
    [
      ['$.pools.app.execArgv[1]', '"--max-old-space-size=100"'],
      ['$.pools.app.execArgv[2]', '"--no-such-flag"'],
      ['$.pools.app.env.NODE_OPTIONS', '"--no-such-flag"'],
    ],
  );
});
