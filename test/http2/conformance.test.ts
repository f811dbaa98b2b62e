/** Checks that docs/conformance.md names an existing test for every requirement. */
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { titleOf } from '../http1/smuggling/case.ts';
import { smugglingCases } from '../http1/smuggling/collection.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface TestTitle {
  readonly source: string;
  /** A literal title, or a pattern with a group for each placeholder of a template. */
  readonly title: string | RegExp;
}

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Titles as the sources have them: literals, and templates filled from a table of cases. */
async function titles(): Promise<TestTitle[]> {
  const found: TestTitle[] = [];
  for await (const file of glob('test/**/*.test.ts', { cwd: root })) {
    const source = readFileSync(join(root, file), 'utf8');
    for (const [, literal, template] of source.matchAll(
      /\btest(?:\.serial)?\(\s*(?:'((?:[^'\\]|\\.)*)'|`([^`]*)`)/g,
    )) {
      if (literal !== undefined) found.push({ source, title: literal.replaceAll("\\'", "'") });
      else {
        const parts = template.split(/\$\{[^}]*\}/).map(quoted);
        found.push({ source, title: new RegExp(`^${parts.join('(.+)')}$`) });
      }
    }
  }
  // Titles from the collection, which do not appear in the sources.
  for (const smuggling of smugglingCases) {
    for (const where of ['', ', over a socket']) found.push({ source: '', title: titleOf(smuggling, where) });
  }
  return found;
}

/** A case of a template exists if the value of each placeholder appears in the same file or is a number. */
function exists(name: string, { source, title }: TestTitle): boolean {
  if (typeof title === 'string') return title === name;
  const match = title.exec(name);
  return match?.slice(1).every((part) => /^\d+$/.test(part) || source.includes(part)) ?? false;
}

test('every test that docs/conformance.md names exists', async (t) => {
  const text = readFileSync(join(root, 'docs/conformance.md'), 'utf8');
  const rows = text
    .split('\n')
    .filter((line) => /^\| *(RFC )?\d/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  t.true(rows.length > 100);
  const all = await titles();
  const missing: string[] = [];
  for (const [, section, requirement, cell] of rows) {
    t.truthy(requirement, `${section} says nothing`);
    for (const name of cell.split(/(?<=`), (?=`)/)) {
      t.regex(name, /^`.+`$/, `${section} ${requirement}`);
      const title = name.slice(1, -1);
      if (!all.some((candidate) => exists(title, candidate))) missing.push(`${section}: ${title}`);
    }
  }
  t.deepEqual(missing, []);
});
