/** The result of a scenario, and the alternating rounds in which it is measured. */
import type { Contender, Server } from './contenders.ts';
import { median, medianRatio } from './statistics.ts';

/** One quantity, measured for several contenders in the same rounds. */
export interface Comparison {
  readonly title: string;
  readonly unit: string;
  /** The contender that the others are compared with. */
  readonly baseline: string;
  /** Contender → one value per round. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
  readonly targets?: readonly Target[];
  /** Set if the comparison is one point of a series that is drawn as lines. */
  readonly point?: Point;
}

export interface Point {
  /** Comparisons with the same series are drawn together. */
  readonly series: string;
  readonly x: number;
  /** The quantity on the x axis, with its unit. */
  readonly axis: string;
}

/** The targets of contenders, as a ratio to the baseline or as a value. */
export interface Target {
  readonly contender: string;
  readonly of: 'ratio' | 'value';
  readonly bound: 'at least' | 'at most';
  readonly limit: number;
}

export interface ScenarioResult {
  readonly comparisons: readonly Comparison[];
  /** How it was measured: a paragraph for the reader of the table. */
  readonly method: string;
  /** Findings of this run that the figures alone do not show. */
  readonly notes?: readonly string[];
}

export interface BenchContext {
  /** Short runs that show whether everything works; their figures are not for the table. */
  readonly isQuick: boolean;
  readonly rounds: number;
  /** For configuration files and logs; removed at the end. */
  readonly directory: string;
  /** Iterations of the CPU work that take about three milliseconds on this machine. */
  readonly workIterations: number;
  readonly progress: (line: string) => void;
  /** Filled by `inRounds`: contender → its version, if it is neither Node nor Sluice. */
  readonly versions: Map<string, string>;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Why it cannot be run here, or null. Absent: it can be run wherever the others can. */
  missing?(): string | null;
  run(context: BenchContext): Promise<ScenarioResult>;
}

/**
 * What a contender must reach beside another one than the baseline, with the same samples. Empty: the other
 * one was left out.
 */
export function beside(
  { title, unit, samples }: Comparison,
  other: string,
  { contender, bound, limit }: Omit<Target, 'of'>,
): Comparison[] {
  const [ours, theirs] = [samples[contender], samples[other]];
  if (ours === undefined || theirs === undefined) return [];
  return [
    {
      title: `${title}, beside ${other}`,
      unit,
      baseline: other,
      samples: { [other]: theirs, [contender]: ours },
      targets: [{ contender, of: 'ratio', bound, limit }],
    },
  ];
}

/** Metric → contender → one value per round. */
export type Samples<Metric extends string> = Record<Metric, Record<string, number[]>>;

/**
 * Measures every contender once per round, forwards in even rounds and backwards in odd ones, so that neither
 * a machine that slows down nor one that warms up favours a place in the order. Each measurement has a fresh
 * server. Contenders that are not available are left out, with a line that says so.
 */
export async function inRounds<Metric extends string>(
  context: BenchContext,
  contenders: readonly Contender[],
  metrics: readonly Metric[],
  measure: (server: Server, contender: Contender) => Promise<Record<Metric, number>>,
): Promise<Samples<Metric>> {
  const present = contenders.filter(({ name, missing }) => {
    if (missing !== undefined) context.progress(`  left out: ${name}: ${missing}`);
    return missing === undefined;
  });
  for (const { name, version } of present) if (version !== undefined) context.versions.set(name, version());
  const samples = {} as Samples<Metric>;
  for (const metric of metrics) {
    samples[metric] = Object.fromEntries(present.map(({ name }) => [name, []]));
  }
  for (let round = 0; round < context.rounds; round++) {
    for (const contender of round % 2 === 0 ? present : present.toReversed()) {
      const server = await contender.start();
      try {
        const values = await measure(server, contender);
        server.program.assertAlive();
        for (const metric of metrics) samples[metric][contender.name].push(values[metric]);
        const shown = metrics.map((metric) => `${metric} ${formatNumber(values[metric])}`).join(', ');
        context.progress(`  round ${round + 1}: ${contender.name}: ${shown}`);
      } catch (error) {
        const last = server.program.output;
        throw new Error(`measuring ${contender.name} failed${last === '' ? '' : `; it said:\n${last}`}`, {
          cause: error,
        });
      } finally {
        await server.program.stop();
      }
    }
  }
  return samples;
}

/** The median of the per-round ratios of a contender to the baseline. */
export function ratioToBaseline(comparison: Comparison, contender: string): number {
  return medianRatio(comparison.samples[contender], comparison.samples[comparison.baseline]);
}

/** Whether a target was met, and the measured value that decides it. */
export function judge(comparison: Comparison, target: Target): { isMet: boolean; measured: number } {
  const measured =
    target.of === 'ratio'
      ? ratioToBaseline(comparison, target.contender)
      : median(comparison.samples[target.contender]);
  return {
    isMet: target.bound === 'at least' ? measured >= target.limit : measured <= target.limit,
    measured,
  };
}

/** Three or four significant digits: 12,345 · 123 · 12.3 · 1.23. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
}
