/** A hang costs one test. AVA is run on tests that hang; each has half a second. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ava = fileURLToPath(new URL('../../node_modules/ava/entrypoints/cli.mjs', import.meta.url));
const cwd = fileURLToPath(new URL('project', import.meta.url));

test('a hanging test or hook fails in time under its own name; all other tests and files run', async (t) => {
  const [code, output] = await new Promise<[unknown, string]>((resolve) => {
    execFile(process.execPath, [ava, '--tap'], { cwd }, (error, stdout) => resolve([error?.code, stdout]));
  });
  const results = [...output.matchAll(/^((?:not )?ok) \d+ - (.*)$/gm)].map(
    ([, how, title]) => `${how}: ${title}`,
  );
  t.deepEqual(
    results.sort(),
    [
      'not ok: hanging › a hook that hangs',
      'not ok: hanging › a test that fails',
      'not ok: hanging › a test that gives itself less',
      'not ok: hanging › a test that hangs',
      'not ok: hanging › a test that hangs before the others',
      'not ok: hanging › a test whose teardown hangs',
      'ok: hanging › a test that passes',
      'ok: hanging › a test that takes longer and says so',
      'ok: other › a test of another file',
    ],
    output,
  );
  t.regex(output, /'it has not ended within 500 ms'/);
  t.regex(output, /'it has not ended within 50 ms: it has no time'/);
  t.regex(output, /message: a teardown has not ended within 500 ms/);
  t.is(code, 1, 'the process ends, whatever its tests have left open');
});
