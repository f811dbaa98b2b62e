/** The plots of the results: what they show, and that each result has its own. */
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import test from 'ava';
import { plot, THEMES } from '../../bench/plots.ts';
import type { Result } from '../../bench/report.ts';
import { read, root } from './markdown.ts';

const scenarios = globSync('bench/results/*.json', { cwd: root }).map((file) => basename(file, '.json'));

test('each result is drawn as bench/plots.ts draws it, for light and dark pages, and shown', (t) => {
  t.true(scenarios.length > 10);
  const page = read('bench/results/README.md');
  for (const name of scenarios) {
    const result = JSON.parse(read(`bench/results/${name}.json`)) as Result;
    for (const [scheme, theme] of Object.entries(THEMES)) {
      const file = `plots/${name}-${scheme}.svg`;
      t.true(
        read(`bench/results/${file}`) === plot(result, theme),
        `expected node bench/plots.ts to have been run: ${file}`,
      );
      t.true(page.includes(file), file);
    }
  }
});

const race = {
  title: 'A race <1>',
  comparisons: [
    { title: 'speed', unit: 'm/s', baseline: 'a & b', samples: { 'a & b': [1, 2, 4], c: [3, 6, 8] } },
    ...[1, 10].map((x) => ({
      title: `speed at ${x}`,
      unit: 'm/s',
      baseline: 'a',
      samples: { a: [2, 2, 2], c: [2 * x, 4 * x, 3 * x] },
      point: { series: 'speed', x, axis: 'slope' },
    })),
  ],
} as unknown as Result;

test('bars have a mark for each round, and their lengths are the medians', (t) => {
  const svg = plot(race, THEMES.light);
  t.is([...svg.matchAll(/<circle [^>]*r="3" fill="#ffffff"/g)].length, 6);
  const [, first, second] = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  );
  t.is(Number(((second as number) / (first as number)).toFixed(1)), 3);
  t.regex(svg, /A race &lt;1&gt;/);
  t.regex(svg, /a &amp; b/);
});

test('points of a series are a line for each contender, with its last ratio', (t) => {
  const svg = plot(race, THEMES.dark);
  t.is([...svg.matchAll(/<path [^>]*fill="none"/g)].length, 2);
  t.regex(svg, />15\.0 × at the right</);
  t.regex(svg, />slope</);
});

test('percentiles are a distribution with a line for each contender, whatever they are compared with', (t) => {
  const percentile = (title: string, baseline: string, ms: number) => ({
    title,
    unit: 'ms',
    baseline,
    samples: { a: [ms, ms, ms], b: [10 * ms, 10 * ms, 10 * ms] },
  });
  const tail = {
    title: 'A tail',
    comparisons: [
      percentile('light p50, a mix', 'a', 1),
      percentile('light p99, a mix, to a', 'a', 20),
      percentile('light p99, a mix, to b', 'b', 20),
    ],
  } as unknown as Result;
  const svg = plot(tail, THEMES.light);
  t.is([...svg.matchAll(/<path [^>]*fill="none"/g)].length, 2);
  t.is([...svg.matchAll(/<circle /g)].length, 4);
  t.regex(svg, />light requests, a mix: latency, ms</);
  t.regex(svg, />p99: 200 ms</);
  for (const decade of ['1', '10', '100', '1,000']) t.true(svg.includes(`>${decade}</text>`), decade);
});
