/** Figures in the pages are those of bench/results. */
import { globSync } from 'node:fs';
import test from 'ava';
import { PAGES_WITH_FIGURES, withFigures } from '../../bench/figures.ts';
import type { Result } from '../../bench/report.ts';
import { read, root, withoutCode } from './markdown.ts';

const files = globSync(PAGES_WITH_FIGURES, { cwd: root }).sort();

/** Tables of past measurements, each with its command or its machine beside it. */
const HISTORY = new Set(['docs/performance.md']);

for (const file of files) {
  test(`${file} shows the figures that bench/results has`, (t) => {
    const text = read(file);
    t.true(
      text === withFigures(text),
      'expected node bench/figures.ts to have been run since the last results',
    );
  });
}

test('no mark begins a line: in Markdown that comment would be a block of HTML, and would end its paragraph', (t) => {
  const begun = files.flatMap((file) =>
    (read(file).match(/^ *<!--bench .*/gm) ?? []).map((line) => `${file}: ${line}`),
  );
  t.deepEqual(begun, []);
});

test('README marks every ratio and time that it shows', (t) => {
  const marked = /<!--bench [^>]*?-->.*?<!--\/-->/g;
  const text = withoutCode(read('README.md'));
  t.true((text.match(marked) ?? []).length >= 7);
  const bare = text.replaceAll(marked, '').match(/\d[\d.,]* (?:×|µs|MiB)/g) ?? [];
  t.deepEqual(new Set(bare), new Set(['1.00 ×']), 'the baseline is the only figure without a mark');
});

test('a ratio in a page is marked, except in the histories of measurements', (t) => {
  const bare = files
    .filter((file) => !HISTORY.has(file) && !file.startsWith('docs/decisions/'))
    .flatMap((file) => {
      const text = withoutCode(read(file)).replaceAll(/<!--bench [^>]*?-->.*?<!--\/-->/g, '');
      return [...text.matchAll(/\b\d+\.\d+ ×/g)]
        .map(([ratio]) => `${file}: ${ratio}`)
        .filter((found) => !found.endsWith(' 1.00 ×'));
    });
  t.deepEqual(bare, []);
});

const result = {
  comparisons: [{ title: 'speed', unit: 'm/s', baseline: 'a', samples: { a: [1, 2, 4], b: [3, 6, 8] } }],
} as unknown as Result;

test('a mark gets the ratio or the median of its contender', (t) => {
  const page = '<!--bench race; speed; b; ratio-->9<!--/--> and <!--bench race; speed; b; median--><!--/-->';
  t.is(
    withFigures(page, () => result),
    '<!--bench race; speed; b; ratio-->3.00<!--/--> and <!--bench race; speed; b; median-->6.00<!--/-->',
  );
});

test('a mark that no result answers is an error that names it', (t) => {
  for (const key of ['race; speed; c; ratio', 'race; weight; b; ratio']) {
    t.throws(() => withFigures(`<!--bench ${key}-->1<!--/-->`, () => result), { message: new RegExp(key) });
  }
  t.throws(() => withFigures('<!--bench none; speed; b; ratio-->1<!--/-->', () => undefined), {
    message: /none/,
  });
  t.throws(() => withFigures('<!--bench race; speed; b; mean-->1<!--/-->', () => result), {
    message: /mean/,
  });
});
