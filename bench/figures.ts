/**
 * Figures in the pages that come from bench/results. A page marks each one:
 *
 *   <!--bench SCENARIO; COMPARISON; CONTENDER; ratio|median-->3.19<!--/-->
 *
 * `node bench/figures.ts` writes the present values between the marks, and so does every `npm run bench`.
 * A page can therefore not show a figure that no result has.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatNumber, ratioToBaseline } from './comparison.ts';
import type { Result } from './report.ts';
import { median } from './statistics.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
export const PAGES_WITH_FIGURES = ['README.md', 'docs/*.md', 'docs/decisions/*.md'];

const FIGURE = /<!--bench ([^>]*?)-->(.*?)<!--\/-->/g;

/** @returns the page with every marked figure replaced by the one in `results` */
export function withFigures(
  page: string,
  results: (scenario: string) => Result | undefined = readResult,
): string {
  return page.replaceAll(
    FIGURE,
    (_all, key: string) => `<!--bench ${key}-->${figureOf(key, results)}<!--/-->`,
  );
}

function figureOf(key: string, results: (scenario: string) => Result | undefined): string {
  const [scenario = '', title = '', contender = '', kind = ''] = key.split(';').map((part) => part.trim());
  const comparison = results(scenario)?.comparisons.find((candidate) => candidate.title === title);
  const values = comparison?.samples[contender];
  if (comparison === undefined || values === undefined)
    throw new Error(
      `expected "<!--bench SCENARIO; COMPARISON; CONTENDER; KIND-->" of bench/results, got "${key}"`,
    );
  switch (kind) {
    case 'ratio':
      return formatNumber(ratioToBaseline(comparison, contender));
    case 'median':
      return formatNumber(median(values));
    default:
      throw new Error(`expected "ratio" or "median" at the end of "${key}", got "${kind}"`);
  }
}

export function readResult(scenario: string): Result | undefined {
  try {
    return JSON.parse(readFileSync(join(root, 'bench/results', `${scenario}.json`), 'utf8')) as Result;
  } catch (error) {
    // The caller reports a scenario that was never measured, with the mark that names it.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function writeFigures(): void {
  for (const file of globSync(PAGES_WITH_FIGURES, { cwd: root })) {
    const page = readFileSync(join(root, file), 'utf8');
    const renewed = withFigures(page);
    if (renewed !== page) writeFileSync(join(root, file), renewed);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFigures();
