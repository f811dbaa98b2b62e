/** Plain English: obscure sentences that were rewritten do not come back, and lines are short enough to review. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { pages, read, root } from './markdown.ts';

/** Each was in a page, a message or a comment, and was rewritten. */
const OBSCURE = [
  /none of it has crossed before/,
  /field that may stand once is asked for/,
  /is told that it listens/,
  /no HTTP server binds anything/,
  /root that is not there ends/,
  /JSON path is told/,
  /from being noticed by the others/,
  /(?:expected [^`'"]*|[,:]) came nothing\b/,
  /expected [^`'"\n]*, came \$\{/,
  /leaves (?:nothing|little) lying waits/,
  /no reason to have asked in vain/,
  /nothing more to say that we would hear/,
  /wait for what does not come/,
  /what ran goes on/,
  /error of the server itself/,
  /what is there does not do/,
];

const sources = globSync('{runtime,workers,wire,apps,bench}/**/*.ts', {
  cwd: root,
  exclude: ['**/node_modules/**'],
});
const files = (await pages()).filter((file) => file !== 'CHANGELOG.md');

test('sentences that were rewritten do not come back', (t) => {
  t.true(sources.length > 500);
  const found: string[] = [];
  for (const file of [...sources, ...files]) {
    const text = readFileSync(join(root, file), 'utf8').replaceAll(/\n[ */]*/g, ' ');
    for (const phrase of OBSCURE) {
      const [match] = phrase.exec(text) ?? [];
      if (match !== undefined) found.push(`${file}: ${match}`);
    }
  }
  t.deepEqual(found, []);
});

/** Editors and reviews show about 100 columns; what a program writes, tables, code and pictures are not broken. */
const MOST_COLUMNS = 100;

/** `bench/report.ts` writes it, and breaks its lines itself. */
const WRITTEN = 'bench/results/README.md';

for (const file of [...files.filter((name) => name !== WRITTEN), 'CHANGELOG.md']) {
  test(`${file} has lines of at most ${MOST_COLUMNS} columns`, (t) => {
    const prose = read(file)
      .replaceAll(/^```[\s\S]*?^```$/gm, '')
      .replaceAll(/<!-- generated[\s\S]*?<!-- end -->/g, '')
      .replaceAll(/<!--bench [^>]*-->/g, '');
    const long = prose
      .split('\n')
      .filter((line) => line.length > MOST_COLUMNS && !/^ *(?:\||<|#|!\[)/.test(line));
    // A link that is longer than a line cannot be broken.
    t.deepEqual(
      long.filter((line) => line.trim().includes(' ')),
      [],
    );
  });
}
