/** `--again`: files that failed run once more by themselves, which decides, and the log names them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { filesToRunAgain } from './again.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const steady = `test('one', (t) => t.pass());`;
/** Fails when it is run for the first time. */
const unsteady = `
import { existsSync, writeFileSync } from 'node:fs';
test('two › parts', (t) => { const ran = existsSync('ran'); writeFileSync('ran', ''); t.true(ran); });
test('three', (t) => t.pass());`;
const broken = `test('four', (t) => t.fail());`;

/** Runs a project of these test files and reads its log as CI does. @returns CI's lines, and how often the second file ran */
function runAgain(t: ExecutionContext, files: { readonly [name: string]: string }) {
  const project = mkdtempSync(join(tmpdir(), 'sluice-again-'));
  t.teardown(() => rmSync(project, { recursive: true }));
  mkdirSync(join(project, 'test/deep'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  writeFileSync(
    join(project, 'package.json'),
    '{ "type": "module", "ava": { "files": ["test/**/*.test.js"], "workerThreads": false } }',
  );
  for (const [name, tests] of Object.entries(files))
    writeFileSync(join(project, 'test', name), `import test from 'ava';\n${tests}`);
  const { AVA_PATH: _ava, ...env } = process.env;
  const options = { cwd: project, encoding: 'utf8', env } as const;
  const run = spawnSync(
    process.execPath,
    [join(root, 'test/runner/run.ts'), '--again', '--verbose'],
    options,
  );
  const summary = spawnSync(join(root, '.ci/summary'), [String(run.status)], {
    input: run.stdout,
    encoding: 'utf8',
  });
  return { status: run.status, lines: summary.stdout.trimEnd().split('\n'), output: run.stdout };
}

test('a test that passes the second time passes, and is named', (t) => {
  const { status, lines, output } = runAgain(t, {
    'steady.test.js': steady,
    'deep/unsteady.test.js': unsteady,
  });
  t.is(status, 0, output);
  t.regex(output, /Run again, one file at a time: test\/deep\/unsteady\.test\.js\n/);
  t.is(lines.at(-1), '3 passed, 0 failed');
  t.regex(lines.at(-2) ?? '', /^passed when it was run again: .*two › parts/);
});

test('a test that fails twice has failed', (t) => {
  const files = { 'steady.test.js': steady, 'broken.test.js': broken, 'deep/unsteady.test.js': unsteady };
  const { status, lines, output } = runAgain(t, files);
  t.is(status, 1, output);
  t.is(lines.at(-1), '3 passed, 1 failed');
  t.regex(lines.at(-2) ?? '', /^passed when it was run again: .*two › parts/);
});

test('the files of failures are found by title and by name', (t) => {
  const there = new Set(['test/a.test.ts', 'test/b/c.test.ts', 'test/b.test.ts']);
  const find = (output: string) => filesToRunAgain(output, (file) => there.has(file));
  t.deepEqual(
    find('  ✔ a › one\n  ✘ [fail]: b › c › one › two Error thrown\n  ✘ [fail]: a › x\n  ✘ [fail]: a › y'),
    ['test/b/c.test.ts', 'test/a.test.ts'],
  );
  t.deepEqual(find('  \u001b[31m✘ [fail]: b › one\u001b[39m'), ['test/b.test.ts']);
  t.deepEqual(find('  ✘ test/b/c.test.ts exited with a non-zero exit code: 1'), ['test/b/c.test.ts']);
});

test('nothing runs again if a failure has no file, if too many files failed, or if none did', (t) => {
  t.is(
    filesToRunAgain(
      '  ✘ Timed out while running tests\n  ✘ [fail]: a › x',
      (file) => file === 'test/a.test.ts',
    ),
    null,
  );
  t.is(
    filesToRunAgain('  ✘ [fail]: a › x\n  ✘ [fail]: unknown', (file) => file === 'test/a.test.ts'),
    null,
  );
  const many = Array.from({ length: 13 }, (_, index) => `  ✘ [fail]: file${index} › x`);
  t.is(
    filesToRunAgain(many.join('\n'), (file) => /^test\/file\d+\.test/.test(file)),
    null,
  );
  t.is(
    filesToRunAgain('Found 3 errors.\n', () => true),
    null,
  );
});
