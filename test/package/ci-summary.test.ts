/** What `.ci/summary` makes of AVA's own output, one run for each way that a run can end. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Verdict {
  readonly code: number | null;
  readonly lines: readonly string[];
}

function summarize(log: string, status: number): Verdict {
  const { status: code, stdout } = spawnSync(join(root, '.ci/summary'), [String(status)], {
    input: log,
    encoding: 'utf8',
  });
  return { code, lines: stdout.trimEnd().split('\n') };
}

/** Runs AVA on a file with these tests. */
function judge(t: ExecutionContext, tests: string): Verdict {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-ci-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(directory, 'some.test.js'), `import test from 'ava';\n${tests}`);
  const ava = join(root, 'node_modules/ava/entrypoints/cli.mjs');
  const { AVA_PATH: _ava, ...env } = process.env;
  const options = { cwd: directory, encoding: 'utf8', env: { ...env, FORCE_COLOR: '1' } } as const;
  const run = spawnSync(process.execPath, [ava, '--no-worker-threads'], options);
  return summarize(run.stdout + run.stderr, run.status ?? 1);
}

const passing = `test('one', (t) => t.pass()); test('two', (t) => t.pass());\n`;

test('all tests passed', (t) => {
  t.deepEqual(judge(t, passing), { code: 0, lines: ['2 passed, 0 failed'] });
});

test('a test failed: which and why stands before the last line', (t) => {
  const { code, lines } = judge(t, `${passing} test('three', (t) => t.is(7, 8));`);
  t.is(code, 1);
  t.is(lines.at(-1), '2 passed, 1 failed');
  t.regex(lines.at(-2) ?? '', /✘ \[fail\]: three/);
  t.regex(lines.join('\n'), /three[\s\S]*some\.test\.js:\d+[\s\S]*- 7\n *\+ 8/);
  t.notRegex(lines.join('\n'), /\b(?:one|two)$/m, 'what passed is not described');
});

test('of a run in which much failed the first 60 lines and 40 names are shown, and of the next run too', (t) => {
  const run = (name: string): string => {
    const names = Array.from({ length: 50 }, (_, index) => `${name} ${index}`);
    const crosses = names.map((each) => `  ✘ [fail]: ${each}`).join('\n');
    return `${crosses}\n  ─\n${names.map((each) => `  ${each}\n\n`).join('')}  ─\n\n  50 tests failed\n`;
  };
  const { lines } = summarize(`  ✔ fine\n  ─\n\n  1 test passed\n${run('first')}${run('second')}`, 1);
  t.is(lines.length, 2 * 60 + 40 + 1);
  t.true(lines.includes('  first 29') && lines.includes('  second 29'));
  t.is(lines.at(-1), '1 passed, 100 failed');
});

test('every test that failed is counted, and so is one that was to fail and did not', (t) => {
  const tests = `test('three', (t) => t.fail()); test('four', (t) => t.fail()); test.failing('five', (t) => t.pass());`;
  const { code, lines } = judge(t, passing + tests);
  t.deepEqual([code, lines.at(-1)], [1, '2 passed, 3 failed']);
});

test('several runs are added up', (t) => {
  const first = '  ✔ one\n  - [skip] two\n\n  1 test passed\n  1 test skipped\n';
  const second = '  ✔ one\n  ✔ two\n  - [skip] three\n\n  2 tests passed\n  2 tests skipped\n';
  t.deepEqual(summarize(first + second, 0), {
    code: 0,
    lines: ['3 skipped, 0 still to be written, 0 failed as expected', '3 passed, 0 failed'],
  });
  t.deepEqual(summarize(`${first}  2 uncaught exceptions\n${second}  1 uncaught exception\n`, 1), {
    code: 1,
    lines: ['3 skipped, 0 still to be written, 0 failed as expected', '3 passed, 3 failed'],
  });
});

test('a hook failed', (t) => {
  const verdict = judge(t, `${passing} test.after((t) => t.fail());`);
  t.deepEqual([verdict.code, verdict.lines.at(-1)], [1, '2 passed, 1 failed']);
});

test('an exception that nobody caught counts as a failure', (t) => {
  const verdict = judge(
    t,
    `${passing} test.after(() => { setImmediate(() => { throw new Error('late'); }); return new Promise(() => {}); });`,
  );
  t.is(verdict.code, 1);
  t.regex(verdict.lines.at(-1) ?? '', /^2 passed, [1-9]\d* failed$/);
});

test('a rejection that nobody handled counts as a failure', (t) => {
  const verdict = judge(
    t,
    `test('one', async (t) => { Promise.reject(new Error('lost')); await new Promise(setImmediate); t.pass(); });`,
  );
  t.is(verdict.code, 1);
  t.regex(verdict.lines.at(-1) ?? '', /^\d passed, [1-9]\d* failed$/);
});

test('what was skipped, is still to be written or failed as expected is told and fails nothing', (t) => {
  const rest = `test.skip('three', (t) => t.pass()); test.todo('four'); test.failing('five', (t) => t.fail());`;
  t.deepEqual(judge(t, passing + rest), {
    code: 0,
    lines: ['1 skipped, 1 still to be written, 1 failed as expected', '3 passed, 0 failed'],
  });
});

test('a file that cannot be loaded is a failure', (t) => {
  const verdict = judge(t, `import './nowhere.js';`);
  t.is(verdict.code, 1);
  t.regex(verdict.lines.at(-1) ?? '', /^0 passed, [1-9]\d* failed$/);
});

test('a linter that complained before any test ran is a failure', (t) => {
  t.deepEqual(summarize('Found 1 error.\n', 1), { code: 1, lines: ['0 passed, 1 failed'] });
});

test('an exit code is believed over a log without failures', (t) => {
  t.deepEqual(summarize('  ✔ one\n\n  1 test passed\n', 1), { code: 1, lines: ['1 passed, 1 failed'] });
});

test('a log without tests is a failure whatever the exit code says', (t) => {
  t.deepEqual(summarize('', 0), { code: 1, lines: ['0 passed, 1 failed'] });
});

test('tests that hung, and a run that was cut off, are failures', (t) => {
  const log =
    '  ✔ one\n  ✘ Timed out while running tests\n\n  1 test passed\n  2 tests remained pending after a timeout\n';
  t.deepEqual(summarize(log, 1), { code: 1, lines: ['1 passed, 2 failed'] });
  const cut = summarize('  ✔ one\n  ✘ [fail]: two it was wrong\n', 124);
  t.deepEqual(cut, {
    code: 1,
    lines: ['  ✘ [fail]: two it was wrong', 'the run was cut off: it took too long', '1 passed, 1 failed'],
  });
});
