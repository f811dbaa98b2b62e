/** What the pages point at is there: files, headings, tests. */
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import test from 'ava';
import { anchorsOf, linksOf, pages, read, root } from './markdown.ts';

const files = await pages();

test('there are pages to look at', (t) => {
  for (const file of [
    'README.md',
    'CONTRIBUTING.md',
    'docs/configuration.md',
    'wire/README.md',
    'apps/middleware/README.md',
  ])
    t.true(files.includes(file), file);
});

test('README leads to every page in docs, to decisions by their index', (t) => {
  const index = 'docs/decisions/README.md';
  const decisions = linksOf(read(index)).map((link) => join(dirname(index), link));
  const linked = [...linksOf(read('README.md')), ...decisions];
  const docs = files.filter((file) => file.startsWith('docs/'));
  t.deepEqual(
    docs.filter((file) => !linked.includes(file)),
    [],
  );
});

for (const file of files) {
  test(`${file} has no dead relative link`, (t) => {
    const dead: string[] = [];
    for (const link of linksOf(read(file))) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : normalize(join(dirname(file), path));
      if (!existsSync(join(root, target))) dead.push(link);
      else if (anchor !== undefined && target.endsWith('.md') && !anchorsOf(read(target)).has(anchor))
        dead.push(`${link} (no such heading)`);
    }
    t.deepEqual(dead, []);
  });

  test(`${file} names no path of the project that is not there`, (t) => {
    const named = [...read(file).matchAll(/`((?:test|bench|docs|runtime|workers|wire|apps)\/[\w./-]*)`/g)];
    const missing = named.map(([, path]) => path as string).filter((path) => !existsSync(join(root, path)));
    t.deepEqual(missing, []);
  });
}
