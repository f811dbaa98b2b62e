/**
 * A few heavy requests among many light ones, which no server can tell apart before they run: who waits
 * behind them?
 */
import { type Kind, meanServiceMs, pickKind, poissonArrivals } from '../arrivals.ts';
import { idealLatencies } from '../central-queue.ts';
import type { BenchContext, Comparison, Scenario, ScenarioResult } from '../comparison.ts';
import { type Contender, nodeCluster, nodePiscina, type Server } from '../contenders.ts';
import { closedLoop, openLoop } from '../open-loop.ts';
import { assertAnswer } from '../probe.ts';
import { seededRandom } from '../random.ts';
import { median, percentile } from '../statistics.ts';
import { TARGET_WORK_MS, work } from '../work.ts';
import { computeSluice } from './compute.ts';

const THREADS = 2;
const CONNECTIONS = 8;
/**
 * Share of the most that the cores can do for `node:http2` with a task pool, including the load generator.
 */
const LOAD = 0.7;
const IN_FLIGHT = 32;
const SEED = 20_261_129;

const IDEAL = 'ideal central queue';

interface Mix {
  readonly title: string;
  readonly kinds: readonly [light: Kind, ...others: Kind[]];
  readonly seconds: number;
}

const mixes: readonly Mix[] = [
  {
    title: '95 % of 1 ms, 5 % of 100 ms',
    kinds: [
      { name: 'light', share: 0.95, serviceMs: 1 },
      { name: 'heavy', share: 0.05, serviceMs: 100 },
    ],
    seconds: 25,
  },
  {
    title: 'the same with 2 s in one of 500',
    kinds: [
      { name: 'light', share: 0.948, serviceMs: 1 },
      { name: 'heavy', share: 0.05, serviceMs: 100 },
      { name: 'very heavy', share: 0.002, serviceMs: 2_000 },
    ],
    seconds: 40,
  },
];

const metrics = ['light p50', 'light p90', 'light p99', 'all p50', 'all p90', 'all p99'] as const;
type Metric = (typeof metrics)[number];
type Samples = Record<Metric, Record<string, number[]>>;

export const heavyTail: Scenario = { name: 'heavy-tail', title: 'A heavy tail', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const [piscina, cluster, ours] = [
    nodePiscina(THREADS),
    nodeCluster(THREADS),
    computeSluice(context.directory),
  ];
  const comparisons: Comparison[] = [];
  const notes: string[] = [];
  for (const mix of context.isQuick ? mixes.slice(0, 1) : mixes) {
    context.progress(` ${mix.title}`);
    const { samples, note } = await measureMix(context, mix, [piscina, cluster, ours], piscina);
    notes.push(note);
    for (const metric of metrics) {
      const title = `${metric}, ${mix.title}`;
      const against = (baseline: string, limit: number): Comparison => ({
        title: `${title}, to ${baseline}`,
        unit: 'ms',
        baseline,
        samples: samples[metric],
        targets: [{ contender: ours.name, of: 'ratio', bound: 'at most', limit }],
      });
      if (!metric.endsWith('p99'))
        comparisons.push({ title, unit: 'ms', baseline: IDEAL, samples: samples[metric] });
      else comparisons.push(against(IDEAL, 1.3), against(piscina.name, 1), against(cluster.name, 0.6));
    }
  }
  return {
    method:
      `Requests come as a Poisson process from a seed, over ${CONNECTIONS} connections in turn, to one route; the cost of each is drawn from the mix. The client does not wait for an answer before ` +
      `it sends the next request, and a latency counts from the time at which its request was due. Each round first measures the most that ${piscina.name} does with ${IN_FLIGHT} in ` +
      `flight and the load generator on the same cores; the load is ${LOAD * 100} % of that. The ideal central queue is computed from the same arrivals, with ${THREADS} servers ` +
      'whose service times are longer than on an idle core by the factor that this maximum shows. Every answer is checked.',
    notes,
    comparisons,
  };
}

async function measureMix(
  context: BenchContext,
  { title, kinds, seconds: wholeSeconds }: Mix,
  contenders: readonly Contender[],
  yardstick: Contender,
): Promise<{ samples: Samples; note: string }> {
  const seconds = context.isQuick ? 8 : wholeSeconds;
  const names = [IDEAL, ...contenders.map(({ name }) => name)];
  const samples = Object.fromEntries(
    metrics.map((metric) => [metric, Object.fromEntries(names.map((name) => [name, []]))]),
  ) as unknown as Samples;
  const requests = kinds.map(({ serviceMs }) => {
    const iterations = Math.round((context.workIterations * serviceMs) / TARGET_WORK_MS);
    return { path: `/compute/${iterations}`, body: work(iterations) };
  });
  const rates: number[] = [];
  const lateness: number[] = [];
  const record = (name: string, latencies: readonly number[], arrivalKinds: readonly number[]): void => {
    const light = latencies.filter((_, index) => arrivalKinds[index] === 0);
    for (const metric of metrics) {
      const [of, quantile] = metric.split(' p');
      samples[metric][name].push(percentile(of === 'light' ? light : latencies, Number(quantile)));
    }
    const shown = metrics.map((metric) => `${metric} ${samples[metric][name].at(-1)?.toFixed(1)}`);
    context.progress(`  ${name}: ${shown.join(', ')}`);
  };
  for (let round = 0; round < context.rounds; round++) {
    const mostWork = await withServer(yardstick, ({ origin }) =>
      measureMost(context, origin, kinds, requests, SEED + round),
    );
    const perSecond = (LOAD * mostWork) / meanServiceMs(kinds);
    rates.push(perSecond);
    const arrivals = poissonArrivals(kinds, perSecond, seconds, seededRandom(SEED + round));
    const arrivalKinds = arrivals.map(({ kind }) => kind);
    context.progress(`  round ${round + 1}: ${perSecond.toFixed(0)} requests a second`);
    record(IDEAL, idealLatencies(kinds, arrivals, THREADS, (THREADS * 1_000) / mostWork), arrivalKinds);
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const result = await withServer(contender, async ({ origin }) => {
        for (const { path, body } of requests) await assertAnswer(origin, path, body, contender.name);
        await measureMost(context, origin, kinds, requests, SEED, 1);
        return await openLoop(context.directory, {
          loop: 'open',
          origin,
          connections: CONNECTIONS,
          requests,
          arrivals,
        });
      });
      lateness.push(percentile(result.latenessMs, 99));
      record(contender.name, result.latenciesMs, arrivalKinds);
    }
  }
  const note =
    `${title}: ${median(rates).toFixed(0)} requests a second for ${seconds} s (median of the rounds); ` +
    `the client sent 99 % of them within ${Math.max(...lateness).toFixed(2)} ms of their time in every run.`;
  return { samples, note };
}

/**
 * The CPU time in milliseconds that a server spends on requests per second when it does as many as it can.
 */
async function measureMost(
  context: BenchContext,
  origin: string,
  kinds: readonly Kind[],
  requests: readonly { path: string; body: string }[],
  seed: number,
  seconds = context.isQuick ? 3 : 8,
): Promise<number> {
  const random = seededRandom(seed);
  const order = Array.from({ length: 10_000 }, () => pickKind(kinds, random));
  const connections = CONNECTIONS;
  const plan = { loop: 'closed', origin, connections, requests, kinds: order, inFlight: IN_FLIGHT } as const;
  const result = await closedLoop(context.directory, { ...plan, seconds });
  const workMs = result.answered.reduce((sum, count, kind) => sum + count * kinds[kind].serviceMs, 0);
  return workMs / result.seconds;
}

async function withServer<Result>(
  contender: Contender,
  use: (server: Server) => Promise<Result>,
): Promise<Result> {
  const server = await contender.start();
  try {
    const result = await use(server);
    server.program.assertAlive();
    return result;
  } finally {
    await server.program.stop();
  }
}
