/** The line of source code that is shown with an error. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { sourceLineOf } from '../../runtime/logging/source-line.ts';

const own = fileURLToPath(new URL('../../workers/loading/load.ts', import.meta.url));

function saved(t: ExecutionContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-line-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'app.ts');
  writeFileSync(file, text);
  return file;
}

test('the line of the first frame outside of the server is shown, with a mark', (t) => {
  const file = saved(t, 'one\nthrow two\n');
  const stack = `Error: two\n    at load (${own}:1:1)\n    at ${pathToFileURL(file)}:2:7`;
  t.is(sourceLineOf(stack), `${file}:2:7\nthrow two\n      ^`);
  t.is(sourceLineOf(`Error: two\n    at load (${own}:1:1)`), null);
});

test('a line that cannot be the one that ran is not shown: a loader without source maps has run another', (t) => {
  const file = saved(t, 'one\n\nthree\n');
  t.is(sourceLineOf(`Error: two\n    at ${file}:2:7`), `${file}:2:7`);
});
