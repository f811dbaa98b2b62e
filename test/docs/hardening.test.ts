/** The bounds of docs/hardening.md that are no options are what the sources say. */
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { read, root } from './markdown.ts';

const section = /### Fixed bounds\n([\s\S]*?)\n## /.exec(read('docs/hardening.md'))?.[1] ?? '';
const rows = [...section.matchAll(/^\| [^|]+ \| ([\d,]+)[^|]*\| `(\w+)` \|/gm)].map(([, bound, name]) => ({
  bound: Number(bound?.replaceAll(',', '')),
  name: name as string,
}));

/** `64 * 1024`, `65_536`. */
function productOf(expression: string): number {
  return expression
    .split('*')
    .map((factor) => Number(factor.trim().replaceAll('_', '')))
    .reduce((product, factor) => product * factor, 1);
}

test('each fixed bound stands once in the sources, with the value of the table', async (t) => {
  const sources: string[] = [];
  for await (const file of glob('{runtime,wire,workers}/**/*.ts', { cwd: root })) sources.push(join(file));
  const text = sources.map(read).join('\n');
  t.true(rows.length >= 12, `${rows.length}`);
  for (const { name, bound } of rows) {
    const found = [...text.matchAll(new RegExp(`const ${name} = ([\\d_ *]+);`, 'g'))];
    t.deepEqual(
      found.map(([, expression]) => productOf(expression as string)),
      [bound],
      name,
    );
  }
});
