/** The documentation site: what is copied for it has no dead link, its navigation has every page, and each interface has a reference. */
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import test from 'ava';
import { copyPages, pageOf, sitePages } from '../../docs/site/pages.ts';
import { sidebar } from '../../docs/site/sidebar.ts';
import { anchorsOf, linksOf, root } from './markdown.ts';

test('links within the site lead to its pages and their headings', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-site-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  copyPages(folder);
  const files = globSync('**/*.md', { cwd: folder });
  t.true(files.length > 40, `${files.length}`);
  const dead: string[] = [];
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const link of linksOf(text)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path = '', anchor] = link.split('#');
      const target = join(folder, path === '' ? file : normalize(join(dirname(file), path)));
      if (!existsSync(target)) dead.push(`${file}: ${link}`);
      else if (anchor !== undefined && target.endsWith('.md')) {
        if (!anchorsOf(readFileSync(target, 'utf8')).has(anchor))
          dead.push(`${file}: ${link}, no such heading`);
      }
    }
  }
  t.deepEqual(dead, []);
});

test('a link to what is no page of the site becomes text, others and code stay', (t) => {
  const known = new Set(['docs/a.md', 'docs/b.md']);
  t.is(
    pageOf('docs/a.md', '[b](b.md#x), [`c`](../wire/c.ts), `[d](d.ts)`, [e](https://e.example/)\n', known),
    '[b](b.md#x), `c`, `d`, [e](https://e.example/)\n'.replace('`d`', '`d`'),
  );
});

test('the navigation names every page of docs once, and nothing else', (t) => {
  const links = sidebar.flatMap(({ items }) => items.map(({ link }) => link));
  t.is(new Set(links).size, links.length);
  const asLink = (file: string) => `/${file.replace(/(?:^|(?<=\/))README\.md$|\.md$/, '')}`;
  const pages = sitePages();
  const linked = new Set(links);
  t.deepEqual(
    pages.map(asLink).filter((link) => /^\/docs\/[^/]*$/.test(link) && !linked.has(link)),
    [],
  );
  const present = new Set([...pages.map(asLink), '/reference/']);
  t.deepEqual(
    links.filter((link) => !present.has(link)),
    [],
  );
});

test('the reference is made of every module that package.json exports', (t) => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  const { entryPoints } = JSON.parse(readFileSync(join(root, 'docs/site/typedoc.json'), 'utf8')) as {
    readonly entryPoints: readonly string[];
  };
  const published = Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [] : [entry.types],
  );
  t.deepEqual([...entryPoints].sort(), published.map((types) => types.replace('./dist/', 'types/')).sort());
});
