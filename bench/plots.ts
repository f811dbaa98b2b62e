/**
 * Plots of the results, as SVG for light and dark pages: a group of bars for each comparison, with a mark for
 * each round; a line for each contender if comparisons are points of a series, or percentiles of one
 * distribution. `node bench/plots.ts` draws all of bench/results again.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Comparison, formatNumber } from './comparison.ts';
import type { Result } from './report.ts';
import { median } from './statistics.ts';

const results = fileURLToPath(new URL('./results/', import.meta.url));

interface Theme {
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly paper: string;
  /** The baseline comes first. */
  readonly series: readonly string[];
}

export const THEMES: Readonly<Record<'light' | 'dark', Theme>> = {
  light: {
    ink: '#1f2328',
    soft: '#59636e',
    line: '#d1d9e0',
    paper: '#ffffff',
    series: ['#8c959f', '#0969da', '#1a7f37', '#9a6700', '#8250df', '#bf3989', '#cf222e'],
  },
  dark: {
    ink: '#f0f6fc',
    soft: '#9198a1',
    line: '#3d444d',
    paper: '#0d1117',
    series: ['#848d97', '#4493f8', '#3fb950', '#d29922', '#ab7df8', '#db61a2', '#f85149'],
  },
};

const WIDTH = 880;
const EDGE = 20;
/** The width of a character of 12 px in the widest of the fonts. */
const CHARACTER = 7;
const BAR = 16;
const GAP = 6;

/** @returns a complete SVG document */
export function plot(result: Pick<Result, 'title' | 'comparisons'>, theme: Theme): string {
  const parts: string[] = [];
  let top = 40;
  const add = ({ svg, height }: Drawn) => {
    parts.push(svg);
    top += height;
  };
  const points = new Map<string, Comparison[]>();
  const distributions = new Map<string, Map<number, Comparison>>();
  const single: Comparison[] = [];
  for (const comparison of result.comparisons) {
    const percentile = distributionOf(comparison);
    if (comparison.point !== undefined) {
      const { series: name } = comparison.point;
      points.set(name, [...(points.get(name) ?? []), comparison]);
    } else if (percentile !== null) {
      const { name, percent } = percentile;
      // The same values against another baseline are the same point.
      distributions.set(name, (distributions.get(name) ?? new Map()).set(percent, comparison));
    } else single.push(comparison);
  }
  const margins = marginsOf(single);
  for (const comparison of single) add(bars(comparison, margins, theme, top));
  for (const [name, percentiles] of distributions) add(draw(distribution(name, percentiles), theme, top));
  for (const [name, comparisons] of points) add(draw(series(name, comparisons), theme, top));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" font-family="-apple-system,Segoe UI,Helvetica,Arial,sans-serif" font-size="12">
<title>${escapeText(result.title)}</title>
<rect width="${WIDTH}" height="${top}" rx="8" fill="${theme.paper}"/>
${text(EDGE, 26, result.title, theme.ink, 'font-size="15" font-weight="600"')}
${parts.join('\n')}
</svg>
`;
}

interface Drawn {
  readonly svg: string;
  readonly height: number;
}

/** Room for names beside the bars and for values behind them, the same for all bars of a plot. */
interface Margins {
  readonly left: number;
  readonly right: number;
}

function marginsOf(comparisons: readonly Comparison[]): Margins {
  const longest = (texts: readonly string[]) => Math.max(0, ...texts.map(({ length }) => length)) * CHARACTER;
  return {
    left: EDGE + 8 + longest(comparisons.flatMap(({ samples }) => Object.keys(samples))),
    right:
      EDGE +
      8 +
      longest(
        comparisons.flatMap(({ samples, unit }) =>
          Object.values(samples).map((values) => labelOf(values, unit)),
        ),
      ),
  };
}

function labelOf(values: readonly number[], unit: string): string {
  return `${formatNumber(median(values))} ${unit}`;
}

function bars(
  { title, unit, baseline, samples }: Comparison,
  { left, right }: Margins,
  theme: Theme,
  top: number,
): Drawn {
  const entries = Object.entries(samples);
  const most = Math.max(...entries.flatMap(([, values]) => values).filter(Number.isFinite), Number.MIN_VALUE);
  const scale = (WIDTH - left - right) / most;
  const rows = entries.map(([name, values], index) => {
    const y = top + 28 + index * (BAR + GAP);
    const color = theme.series[name === baseline ? 0 : /^(?:\w+ on )?Sluice\b/.test(name) ? 1 : 2];
    const marks = values.map(
      (value) =>
        `<circle cx="${(left + value * scale).toFixed(1)}" cy="${y + BAR / 2}" r="3" fill="${theme.paper}" stroke="${theme.ink}"/>`,
    );
    return [
      text(left - 8, y + 12, name, theme.ink, 'text-anchor="end"'),
      `<rect x="${left}" y="${y}" width="${Math.max(1, median(values) * scale).toFixed(1)}" height="${BAR}" rx="2" fill="${color}"/>`,
      ...marks,
      text(WIDTH - EDGE, y + 12, labelOf(values, unit), theme.soft, 'text-anchor="end"'),
    ].join('');
  });
  const head = text(EDGE, top + 16, title, theme.soft, 'font-weight="600"');
  return { svg: [head, ...rows].join('\n'), height: 44 + entries.length * (BAR + GAP) };
}

const CHART = 200;

interface Chart {
  readonly heading: string;
  /** Positions of the points, in any unit, and what is written below them. */
  readonly xs: readonly number[];
  readonly labels: readonly string[];
  readonly axis: string;
  readonly lowest: number;
  readonly highest: number;
  readonly grid: readonly { readonly at: number; readonly label: string }[];
  /** `at` has a value for each x, in the unit of `lowest`; `last` is shown beside the name. */
  readonly lines: readonly { readonly name: string; readonly at: readonly number[]; readonly last: string }[];
}

/** Sluice is blue, as its bars are. */
function colorsOf(names: readonly string[], { series: [first, blue, ...others] }: Theme): string[] {
  const left = [first, ...others];
  const ours = [blue, others[2]];
  return names.map((name) => (name.startsWith('Sluice') ? ours : left).shift() ?? (first as string));
}

/** A line for each contender. */
function draw(chart: Chart, theme: Theme, top: number): Drawn {
  const { xs, lowest, highest, lines } = chart;
  const longest = Math.max(...lines.flatMap(({ name, last }) => [name.length, last.length]));
  const [left, right, base] = [76, WIDTH - EDGE - 38 - longest * CHARACTER, top + 30 + CHART];
  const colors = colorsOf(
    lines.map(({ name }) => name),
    theme,
  );
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  const x = (index: number) =>
    left + ((right - left) * ((xs[index] as number) - low)) / Math.max(high - low, 1e-9);
  const y = (value: number) => base - (CHART * (value - lowest)) / Math.max(highest - lowest, 1e-9);
  return {
    svg: [
      text(EDGE, top + 16, chart.heading, theme.soft, 'font-weight="600"'),
      ...chart.grid.map(
        ({ at, label }) =>
          `<path d="M${left} ${y(at).toFixed(1)}H${right}" stroke="${theme.line}"/>${text(left - 8, y(at) + 4, label, theme.soft, 'text-anchor="end"')}`,
      ),
      ...chart.labels.map((label, index) =>
        text(x(index), base + 18, label, theme.soft, 'text-anchor="middle"'),
      ),
      text((left + right) / 2, base + 36, chart.axis, theme.soft, 'text-anchor="middle"'),
      ...lines.map(({ name, at, last }, index) => {
        const color = colors[index];
        const path = at.map(
          (value, point) => `${point === 0 ? 'M' : 'L'}${x(point).toFixed(1)} ${y(value).toFixed(1)}`,
        );
        return [
          `<path d="${path.join('')}" fill="none" stroke="${color}" stroke-width="2"/>`,
          ...at.map(
            (value, point) =>
              `<circle cx="${x(point).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="${color}"/>`,
          ),
          `<rect x="${right + 20}" y="${top + 34 + index * 36}" width="12" height="12" rx="2" fill="${color}"/>`,
          text(right + 38, top + 44 + index * 36, name, theme.ink),
          text(right + 38, top + 59 + index * 36, last, theme.soft),
        ].join('');
      }),
    ].join('\n'),
    height: CHART + 90,
  };
}

/** The median ratio to the baseline, over a logarithmic x axis. */
function series(title: string, points: readonly Comparison[]): Chart {
  const sorted = points.toSorted((a, b) => (a.point?.x ?? 0) - (b.point?.x ?? 0));
  const [first] = sorted as [Comparison];
  const lines = Object.keys(first.samples).map((name) => {
    const at = sorted.map(({ samples, baseline }) =>
      median((samples[name] ?? []).map((value, round) => value / (samples[baseline]?.[round] ?? Number.NaN))),
    );
    return { name, at, last: `${formatNumber(at.at(-1) as number)} × at the right` };
  });
  const highest = Math.max(...lines.flatMap(({ at }) => at).filter(Number.isFinite), 1) * 1.1;
  return {
    heading: `${title}, × ${first.baseline}`,
    xs: sorted.map(({ point }) => Math.log(point?.x ?? 1)),
    labels: sorted.map(({ point }) => formatPlain(point?.x ?? 0)),
    axis: first.point?.axis ?? '',
    lowest: 0,
    highest,
    grid: Array.from({ length: Math.floor(highest) + 1 }, (_, ratio) => ({
      at: ratio,
      label: String(ratio),
    })),
    lines,
  };
}

/** `light p99, MIX, to BASELINE` is a point of the distribution of light requests. */
const PERCENTILE = /^(\w+) p([\d.]+), (.+?)(?:, to .+)?$/;

function distributionOf({ title }: Comparison): { readonly name: string; readonly percent: number } | null {
  const [, kind, percent, mix] = PERCENTILE.exec(title) ?? [];
  return percent === undefined ? null : { name: `${kind} requests, ${mix}`, percent: Number(percent) };
}

/** Latencies by percentile, both axes logarithmic: p50, p90 and p99 are as far apart as 10, 1 and 0.1 of 100 requests. */
function distribution(name: string, points: ReadonlyMap<number, Comparison>): Chart {
  const percents = [...points.keys()].toSorted((a, b) => a - b);
  const sorted = percents.map((percent) => points.get(percent) as Comparison);
  const [first] = sorted as [Comparison];
  const lines = Object.keys(first.samples).map((contender) => {
    const values = sorted.map(({ samples }) => median(samples[contender] ?? []));
    return {
      name: contender,
      at: values.map(Math.log10),
      last: `p${percents.at(-1)}: ${formatNumber(values.at(-1) as number)} ${first.unit}`,
    };
  });
  const all = lines.flatMap(({ at }) => at);
  const [lowest, highest] = [Math.floor(Math.min(...all)), Math.ceil(Math.max(...all))];
  return {
    heading: `${name}: latency, ${first.unit}`,
    xs: percents.map((percent) => -Math.log10(1 - percent / 100)),
    labels: percents.map((percent) => `p${percent}`),
    axis: 'percentile',
    lowest,
    highest,
    grid: Array.from({ length: highest - lowest + 1 }, (_, decade) => ({
      at: lowest + decade,
      label: formatPlain(10 ** (lowest + decade)),
    })),
    lines,
  };
}

function formatPlain(value: number): string {
  return value.toLocaleString('en');
}

function text(x: number, y: number, content: string, fill: string, more = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${fill}" ${more}>${escapeText(content)}</text>`;
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Draws every existing result. */
export function drawResults(): void {
  const folder = join(results, 'plots');
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(results).filter((name) => name.endsWith('.json'))) {
    const result = JSON.parse(readFileSync(join(results, file), 'utf8')) as Result;
    for (const [scheme, theme] of Object.entries(THEMES))
      writeFileSync(join(folder, `${basename(file, '.json')}-${scheme}.svg`), plot(result, theme));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) drawResults();
