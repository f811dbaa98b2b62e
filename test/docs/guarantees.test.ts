/** The tables of guarantees name the test for each row, and each test that they name exists. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'ava';

const root = new URL('../../', import.meta.url);
const sources = ['test/actors/', 'test/actors/direct/', 'test/topics/']
  .flatMap((folder) => readdirSync(new URL(folder, root)).map((name) => new URL(`${folder}${name}`, root)))
  .filter(({ pathname }) => pathname.endsWith('.test.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

/** Rows that promise nothing. */
const WITHOUT = new Set(['exactly once']);

/** Of the table in the section, without its head. */
function rowsOf(page: string): string[] {
  const text = readFileSync(new URL(`docs/${page}`, root), 'utf8');
  const [, section = ''] = text.split('## What is guaranteed\n');
  const [, table = ''] = /^\|[^\n]*\n\| ---[^\n]*\n((?:\|[^\n]*\n)+)/m.exec(section) ?? [];
  return table.split('\n').slice(0, -1);
}

test('docs/pools.md names files of tests for what an exchange notices, and they exist', (t) => {
  const rows = rowsOf('pools.md');
  t.true(rows.length >= 12);
  for (const row of rows) {
    const files = [...row.matchAll(/`((?:test|bench)\/[^`]+)`/g)].map(([, file = '']) => file);
    t.true(files.length > 0, row);
    for (const file of files) t.true(existsSync(new URL(file, root)), file);
  }
});

for (const page of ['actors.md', 'topics.md']) {
  test(`docs/${page} names tests for what is guaranteed, and they exist`, (t) => {
    const text = readFileSync(new URL(`docs/${page}`, root), 'utf8');
    const [, section = ''] = text.split('## What is guaranteed\n');
    const table = section.split('\n\n')[0] ?? '';
    const rows = table
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| |') && !line.startsWith('| ---'));
    t.true(rows.length >= 8);
    for (const row of rows) {
      const [, what = ''] = /^\| ([^|]*) \|/.exec(row) ?? [];
      const names = [...row.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name);
      t.is(names.length > 0, !WITHOUT.has(what), `a test for: ${what}`);
      for (const name of names) t.true(sources.includes(name), `a test "${name}"`);
    }
  });
}
