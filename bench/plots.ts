/**
 * Plots of the results, as SVG for light and dark pages: a group of bars for each comparison, with a mark for
 * each round, and a line for each contender if comparisons are points of a series. `node bench/plots.ts`
 * draws all of bench/results again.
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
const LEFT = 230;
const RIGHT = 110;
const BAR = 16;
const GAP = 6;

/** @returns a complete SVG document */
export function plot(result: Pick<Result, 'title' | 'comparisons'>, theme: Theme): string {
  const parts: string[] = [];
  let top = 40;
  for (const comparison of result.comparisons.filter(({ point }) => point === undefined)) {
    const { svg, height } = bars(comparison, theme, top);
    parts.push(svg);
    top += height;
  }
  const series = new Map<string, Comparison[]>();
  for (const comparison of result.comparisons) {
    if (comparison.point === undefined) continue;
    const { series: name } = comparison.point;
    series.set(name, [...(series.get(name) ?? []), comparison]);
  }
  for (const [name, points] of series) {
    const { svg, height } = lines(name, points, theme, top);
    parts.push(svg);
    top += height;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" font-family="-apple-system,Segoe UI,Helvetica,Arial,sans-serif" font-size="12">
<title>${escapeText(result.title)}</title>
<rect width="${WIDTH}" height="${top}" rx="8" fill="${theme.paper}"/>
${text(20, 26, result.title, theme.ink, 'font-size="15" font-weight="600"')}
${parts.join('\n')}
</svg>
`;
}

interface Drawn {
  readonly svg: string;
  readonly height: number;
}

function bars({ title, unit, baseline, samples }: Comparison, theme: Theme, top: number): Drawn {
  const entries = Object.entries(samples);
  const most = Math.max(...entries.flatMap(([, values]) => values).filter(Number.isFinite), Number.MIN_VALUE);
  const scale = (WIDTH - LEFT - RIGHT) / most;
  const rows = entries.map(([name, values], index) => {
    const y = top + 28 + index * (BAR + GAP);
    const color = theme.series[name === baseline ? 0 : name.startsWith('Sluice') ? 1 : 2];
    const marks = values.map(
      (value) =>
        `<circle cx="${(LEFT + value * scale).toFixed(1)}" cy="${y + BAR / 2}" r="3" fill="${theme.paper}" stroke="${theme.ink}"/>`,
    );
    return [
      text(LEFT - 8, y + 12, name, theme.ink, 'text-anchor="end"'),
      `<rect x="${LEFT}" y="${y}" width="${Math.max(1, median(values) * scale).toFixed(1)}" height="${BAR}" rx="2" fill="${color}"/>`,
      ...marks,
      text(WIDTH - 20, y + 12, `${formatNumber(median(values))} ${unit}`, theme.soft, 'text-anchor="end"'),
    ].join('');
  });
  const head = text(20, top + 16, title, theme.soft, 'font-weight="600"');
  return { svg: [head, ...rows].join('\n'), height: 44 + entries.length * (BAR + GAP) };
}

const CHART = 200;

/** The median ratio to the baseline, over a logarithmic x axis. */
function lines(title: string, points: readonly Comparison[], theme: Theme, top: number): Drawn {
  const sorted = points.toSorted((a, b) => (a.point?.x ?? 0) - (b.point?.x ?? 0));
  const [first] = sorted as [Comparison];
  const names = Object.keys(first.samples);
  const ratios = names.map((name) =>
    sorted.map(({ samples, baseline }) =>
      median((samples[name] ?? []).map((value, round) => value / (samples[baseline]?.[round] ?? Number.NaN))),
    ),
  );
  const most = Math.max(...ratios.flat().filter(Number.isFinite), 1) * 1.1;
  const [left, right, base] = [60, WIDTH - 190, top + 30 + CHART];
  const logs = sorted.map(({ point }) => Math.log(point?.x ?? 1));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const x = (index: number) =>
    left + ((right - left) * ((logs[index] as number) - low)) / Math.max(high - low, 1e-9);
  const y = (ratio: number) => base - (CHART * ratio) / most;
  const grid = Array.from({ length: Math.floor(most) + 1 }, (_, ratio) => ratio);
  return {
    svg: [
      text(20, top + 16, `${title}, × ${first.baseline}`, theme.soft, 'font-weight="600"'),
      ...grid.map(
        (ratio) =>
          `<path d="M${left} ${y(ratio).toFixed(1)}H${right}" stroke="${theme.line}"/>${text(left - 8, y(ratio) + 4, String(ratio), theme.soft, 'text-anchor="end"')}`,
      ),
      ...sorted.map(({ point }, index) =>
        text(x(index), base + 18, formatPlain(point?.x ?? 0), theme.soft, 'text-anchor="middle"'),
      ),
      text((left + right) / 2, base + 36, first.point?.axis ?? '', theme.soft, 'text-anchor="middle"'),
      ...names.map((name, index) => {
        const color = theme.series[index % theme.series.length];
        const values = ratios[index] as number[];
        const path = values.map(
          (ratio, at) => `${at === 0 ? 'M' : 'L'}${x(at).toFixed(1)} ${y(ratio).toFixed(1)}`,
        );
        const last = values.at(-1) as number;
        return [
          `<path d="${path.join('')}" fill="none" stroke="${color}" stroke-width="2"/>`,
          ...values.map(
            (ratio, at) =>
              `<circle cx="${x(at).toFixed(1)}" cy="${y(ratio).toFixed(1)}" r="3" fill="${color}"/>`,
          ),
          `<rect x="${right + 20}" y="${top + 34 + index * 20}" width="12" height="12" rx="2" fill="${color}"/>`,
          text(right + 38, top + 44 + index * 20, `${name}: ${formatNumber(last)}`, theme.ink),
        ].join('');
      }),
    ].join('\n'),
    height: CHART + 90,
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
