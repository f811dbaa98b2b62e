/**
 * Compares two trees: what does a change cost per small request?
 *
 *   node bench/pairs.ts TREE TREE [--pairs 15] [--seconds 4] [--warm-up 3] [--threads 1] [--observe metrics,scrapes,ids,timing]
 *
 * With --observe the second tree runs with the named observability features. With the same tree twice, this shows the cost of
 * observing a server. It is observed during the warm-up, too: the first request for metrics loads modules and makes the
 * reactor's functions, which until then have seen only HTTP/2, be compiled again. A server that runs has that behind it.
 *
 * A pair is a run of each tree, one right after the other, in alternating order, each with a fresh server
 * under the same load. So a machine that drifts moves both sides of a ratio. The output is the median of the
 * ratios, second tree to first, with an interval that contains the true median with at least 95 %, whatever
 * the distribution: order statistics, by the binomial.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatNumber } from './comparison.ts';
import { type Contender, sluice } from './contenders.ts';
import { HELLO } from './content.ts';
import { load } from './load.ts';
import { loadAverage } from './machine.ts';
import { cpuMicroseconds } from './measure.ts';
import { type Observed, observationsOf, observed } from './observation.ts';
import { assertAnswer } from './probe.ts';
import { CONNECTIONS, STREAMS } from './scenarios/small.ts';
import { median, medianInterval } from './statistics.ts';

const METRICS = ['CPU µs per request', 'requests per second'] as const;
type Figures = Record<(typeof METRICS)[number], number>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '4' },
    'warm-up': { type: 'string', default: '3' },
    threads: { type: 'string', default: '1' },
    observe: { type: 'string', default: '' },
  },
});
const [pairs, seconds, warmUp, threads] = [
  values.pairs,
  values.seconds,
  values['warm-up'],
  values.threads,
].map(Number);
if (positionals.length !== 2) throw new Error('expected two trees: node bench/pairs.ts TREE TREE');
const directory = mkdtempSync(join(tmpdir(), 'sluice-pairs-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const wanted = observationsOf(values.observe);
const observations = [await observed(new Set()), await observed(wanted)];

const trees = positionals.map((tree, index) =>
  sluice({
    name: `${index === 0 ? 'first' : 'second'} (${tree})`,
    directory,
    tree: resolve(tree),
    options: (observations[index] as Observed).options,
    pools: { hello: { application: 'hello.ts', threads, paths: ['/hello'] } },
  }),
);

async function measure(contender: Contender, { watch, scrapesPerSecond }: Observed): Promise<Figures> {
  const server = await contender.start();
  try {
    await assertAnswer(server.origin, '/hello', HELLO, contender.name);
    const options = { url: `${server.origin}/hello`, connections: CONNECTIONS, streams: STREAMS };
    const unwatch = watch();
    await load({ ...options, seconds: warmUp });
    const before = cpuMicroseconds(server.program.pid);
    const { requests, requestsPerSecond } = await load({ ...options, seconds });
    const usedUs = cpuMicroseconds(server.program.pid) - before;
    const scrapes = unwatch();
    const due = (warmUp + seconds) * scrapesPerSecond;
    if (due > 0 && scrapes < Math.max(1, due / 10))
      throw new Error(`expected metrics to be answered about ${due} times, got ${scrapes}`);
    server.program.assertAlive();
    return { 'CPU µs per request': usedUs / requests, 'requests per second': requestsPerSecond };
  } finally {
    await server.program.stop();
  }
}

const figures: [Figures[], Figures[]] = [[], []];
console.log(`load average before: ${loadAverage()}`);
for (let pair = 0; pair < pairs; pair++) {
  for (const which of pair % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
    figures[which].push(await measure(trees[which], observations[which] as Observed));
  }
  const shown = METRICS.map(
    (metric) => `${metric} ${figures.map((runs) => formatNumber(runs[pair][metric])).join(' → ')}`,
  );
  console.log(`pair ${pair + 1}: ${shown.join(', ')}`);
}
for (const metric of METRICS) {
  const [first, second] = figures.map((runs) => runs.map((run) => run[metric]));
  const ratios = second.map((value, pair) => value / first[pair]);
  const [low, high] = medianInterval(ratios);
  const medians = `${formatNumber(median(first))} → ${formatNumber(median(second))}`;
  console.log(
    `${metric}: ${medians}; ratio ${median(ratios).toFixed(3)}, 95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}`,
  );
}
