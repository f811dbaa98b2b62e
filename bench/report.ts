/**
 * Results on disk: one JSON file per scenario with every raw value, and README.md made from all of them. A
 * run of some scenarios therefore renews only their tables; the others keep the run that they came from.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Comparison,
  formatNumber,
  judge,
  ratioToBaseline,
  type ScenarioResult,
  type Target,
} from './comparison.ts';
import type { Machine } from './machine.ts';
import { median } from './statistics.ts';

const resultsDirectory = fileURLToPath(new URL('./results/', import.meta.url));

/** A scenario's result, and where and how it was measured. */
export interface Result extends ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly machine: Machine;
  readonly command: string;
  /** ISO 8601, day only. */
  readonly date: string;
  readonly rounds: number;
  /** Processes that were ready to run when the scenario began. */
  readonly loadAverage: number;
  /** Versions of contenders that are neither Node nor Sluice. */
  readonly versions?: Readonly<Record<string, string>>;
}

export function writeResult(result: Result): void {
  mkdirSync(resultsDirectory, { recursive: true });
  writeFileSync(`${resultsDirectory}${result.name}.json`, `${JSON.stringify(result, null, 2)}\n`);
}

/** Writes README.md from the JSON files of the named scenarios, in that order. */
export function writeReadme(names: readonly string[]): void {
  const present = new Set(readdirSync(resultsDirectory));
  const results = names
    .filter((name) => present.has(`${name}.json`))
    .map((name) => JSON.parse(readFileSync(`${resultsDirectory}${name}.json`, 'utf8')) as Result);
  writeFileSync(`${resultsDirectory}README.md`, renderReadme(results));
}

function renderReadme(results: readonly Result[]): string {
  const lines = [
    '# Benchmark results',
    '',
    wrapped(
      '`npm run bench` writes this page; the JSON files beside it have the raw values. ' +
        'Every measurement has a fresh server process that has first given a correct answer. ' +
        'The order of the servers alternates between rounds (ABC, CBA, …), and warm-up is dropped. ' +
        'A ratio is computed within each round. The tables show the median of these ratios, and the median of the values. ' +
        'Load generator and server share the cores of one machine.',
    ),
    '',
    '## Targets',
    '',
    '| scenario | figure | target | measured | |',
    '| --- | --- | --- | ---: | --- |',
  ];
  for (const result of results) {
    for (const comparison of result.comparisons) {
      for (const target of comparison.targets ?? []) {
        lines.push(`| ${result.title} | ${comparison.title} | ${targetCells(comparison, target)} |`);
      }
    }
  }
  for (const result of results) lines.push('', ...renderResult(result));
  return `${lines.join('\n')}\n`;
}

/** A scenario's tables in Markdown. */
export function renderResult(result: Result): string[] {
  const { machine } = result;
  const lines = [
    `## ${result.title}`,
    '',
    wrapped(result.method),
    '',
    wrapped(
      `\`${result.command}\`, ${result.date}: ${machine.cores} cores (${machine.cpuModel}), ` +
        `${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, ${machine.h2load}; ` +
        `load average before it ${result.loadAverage}.`,
    ),
  ];
  const versions = Object.entries(result.versions ?? {});
  if (versions.length > 0)
    lines.push(
      '',
      wrapped(`Versions: ${versions.map(([name, version]) => `${name} ${version}`).join(', ')}.`),
    );
  for (const note of result.notes ?? []) lines.push('', wrapped(note));
  lines.push('', ...plotOf(result));
  for (const comparison of result.comparisons) lines.push('', ...renderComparison(comparison));
  return lines;
}

const COLUMNS = 100;

/** Breaks a paragraph of Markdown into lines, never within a code span. */
export function wrapped(paragraph: string): string {
  const words = paragraph.match(/(?:`[^`]*`|[^\s`])+/g) ?? [];
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= COLUMNS)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

function plotOf({ name, title }: Result): string[] {
  return [
    '<picture>',
    `  <source media="(prefers-color-scheme: dark)" srcset="plots/${name}-dark.svg">`,
    `  <img src="plots/${name}-light.svg" width="880" alt="${title}: the values of the tables below, as bars or lines.">`,
    '</picture>',
  ];
}

function renderComparison(comparison: Comparison): string[] {
  const lines = [
    `### ${comparison.title}`,
    '',
    `| | × ${comparison.baseline} | median, ${comparison.unit} | raw, round by round |`,
    '| --- | ---: | ---: | --- |',
  ];
  for (const [name, values] of Object.entries(comparison.samples)) {
    const ratio = `${formatNumber(ratioToBaseline(comparison, name))} ×`;
    const raw = values.map(formatNumber).join(' · ');
    lines.push(`| ${name} | ${ratio} | ${formatNumber(median(values))} | ${raw} |`);
  }
  return lines;
}

/** One line per target for the terminal. */
export function renderTargets(result: Result): string[] {
  return result.comparisons.flatMap((comparison) =>
    (comparison.targets ?? []).map((target) => {
      const { isMet, measured } = judge(comparison, target);
      const wanted = `${target.bound} ${formatNumber(target.limit)}`;
      const unit = target.of === 'ratio' ? `× ${comparison.baseline}` : comparison.unit;
      const verdict = isMet ? 'met' : 'MISSED';
      return `${verdict}: ${comparison.title}: ${target.contender}: ${formatNumber(measured)}, wanted ${wanted} ${unit}`;
    }),
  );
}

function targetCells(comparison: Comparison, target: Target): string {
  const { isMet, measured } = judge(comparison, target);
  const unit = target.of === 'ratio' ? `× ${comparison.baseline}` : comparison.unit;
  const wanted = `${target.contender}: ${target.bound} ${formatNumber(target.limit)} ${unit}`;
  return `${wanted} | ${formatNumber(measured)} | ${isMet ? 'met' : '**missed**'}`;
}
