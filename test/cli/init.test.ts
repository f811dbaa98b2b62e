/** `sluice init`: what it writes where, and what it leaves alone. What it writes is run by `test/package/`. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { init } from '../../runtime/cli/init.ts';

function emptyFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-init-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

test('an empty folder becomes a project of ES modules', (t) => {
  const folder = emptyFolder(t);
  const { exitCode, text } = init([], folder);
  t.is(exitCode, 0, text);
  t.deepEqual(readdirSync(folder).sort(), [
    'app.test.ts',
    'app.ts',
    'package.json',
    'runtime.config.json',
    'tsconfig.json',
  ]);
  t.like(manifestOf(folder), {
    private: true,
    type: 'module',
    scripts: { start: 'sluice start', test: 'node --test' },
  });
  t.is(manifestOf(folder).dependencies, undefined, 'another package may have the name');
});

test('package.json keeps its contents, except npm’s failing test script', (t) => {
  const folder = emptyFolder(t);
  const own = {
    name: 'mine',
    type: 'commonjs',
    scripts: { test: 'echo "Error: no test specified" && exit 1', start: 'node mine.js' },
    dependencies: { express: '5' },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(own));
  t.is(init(['--javascript'], folder).exitCode, 0);
  t.deepEqual(manifestOf(folder), {
    ...own,
    scripts: {
      start: 'node mine.js',
      dev: 'sluice start --watch',
      check: 'sluice check',
      test: 'node --test',
    },
  });
  // Its modules are CommonJS unless they say otherwise.
  t.true(readdirSync(folder).includes('app.mjs'));
});

test('init writes nothing if one of its files exists or package.json cannot be read', (t) => {
  const folder = emptyFolder(t);
  writeFileSync(join(folder, 'app.ts'), 'mine');
  const inTheWay = init([], folder);
  t.is(inTheWay.exitCode, 2);
  t.regex(inTheWay.complaints?.join() ?? '', /found app\.ts; nothing was written/);
  t.deepEqual(readdirSync(folder), ['app.ts']);
  for (const text of ['{', '[]', 'null']) {
    const broken = emptyFolder(t);
    writeFileSync(join(broken, 'package.json'), text);
    t.is(init([], broken).exitCode, 2);
    t.deepEqual(readdirSync(broken), ['package.json']);
    t.is(readFileSync(join(broken, 'package.json'), 'utf8'), text);
  }
});

test('init creates the folder, and refuses invalid arguments with the valid ones', (t) => {
  const folder = emptyFolder(t);
  t.regex(init(['a/b', '--kind', 'fetch'], folder).text, /cd a\/b/);
  t.true(readdirSync(join(folder, 'a/b')).includes('app.ts'));
  t.regex(
    init(['--kind', 'fetsh'], folder).complaints?.join() ?? '',
    /expected one of native, fetch, node .*did you mean fetch\?/,
  );
  t.regex(init(['--typescript'], folder).complaints?.join() ?? '', /usage: sluice init/);
  t.regex(init(['a', 'b'], folder).complaints?.join() ?? '', /expected one folder/);
  t.like(init(['--help'], folder), { exitCode: 0 });
});
