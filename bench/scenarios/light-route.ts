/** A light route while heavy ones saturate every core: how one client's work affects another's latency. */
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchContext, inRounds, type Scenario, type ScenarioResult } from '../comparison.ts';
import { nodeCluster, nodeHttp2, nodePiscina, type Server } from '../contenders.ts';
import { LIGHT } from '../content.ts';
import { load } from '../load.ts';
import { assertAnswer } from '../probe.ts';
import { work } from '../work.ts';
import { computeSluice } from './compute.ts';

const LIGHT_REQUESTS_PER_SECOND = 200;
/** This many may be open at once, so that a slow server gets requests as often as a fast one. */
const LIGHT_STREAMS = 100;
/** Two connections, so that both processes of the cluster are saturated too. */
const HEAVY = { connections: 2, streams: 16 };

export const lightRoute: Scenario = {
  name: 'light-route',
  title: 'A light route beside CPU-heavy ones',
  run,
};

async function run(context: BenchContext): Promise<ScenarioResult> {
  const node = nodeHttp2();
  const ours = computeSluice(context.directory);
  const contenders = [node, nodeCluster(2), nodePiscina(2), ours];
  const metrics = [
    'unloaded p50',
    'unloaded p99',
    'loaded p50',
    'loaded p99',
    'heavy requests per second',
  ] as const;
  const samples = await inRounds(context, contenders, metrics, (server, { name }) =>
    measure(context, server, name),
  );
  return {
    method:
      `\`GET /light\` answers 6 bytes and is requested ${LIGHT_REQUESTS_PER_SECOND} times a second over one connection, whether ` +
      `or not earlier answers have arrived; loaded means that ${HEAVY.connections} connections × ${HEAVY.streams} streams of the ` +
      'CPU-heavy requests keep both cores busy meanwhile. Sluice serves the light route from a pool of its own with one thread.',
    comparisons: [
      ...(['unloaded p50', 'unloaded p99', 'loaded p50', 'loaded p99'] as const).map((metric) => ({
        title: `latency of the light route, ${metric}`,
        unit: 'ms',
        baseline: node.name,
        samples: samples[metric],
      })),
      {
        title: 'p99 of the light route in Sluice, loaded and alone',
        unit: 'ms',
        baseline: 'alone',
        samples: { alone: samples['unloaded p99'][ours.name], loaded: samples['loaded p99'][ours.name] },
        targets: [{ contender: 'loaded', of: 'ratio', bound: 'at most', limit: 2 }] as const,
      },
      {
        title: 'CPU-heavy requests per second meanwhile',
        unit: 'requests/s',
        baseline: node.name,
        samples: samples['heavy requests per second'],
      },
    ],
  };
}

async function measure(context: BenchContext, server: Server, name: string) {
  const heavyPath = `/compute/${context.workIterations}`;
  await assertAnswer(server.origin, '/light', LIGHT, name);
  await assertAnswer(server.origin, heavyPath, work(context.workIterations), name);
  const seconds = context.isQuick ? 2 : 5;
  const askLight = () =>
    load({
      url: `${server.origin}/light`,
      connections: 1,
      streams: LIGHT_STREAMS,
      seconds,
      requestsPerSecond: LIGHT_REQUESTS_PER_SECOND,
      latencyDirectory: context.directory,
    });
  await load({ url: `${server.origin}/light`, connections: 1, streams: 8, seconds: 1 });
  const unloaded = await askLight();
  const heavy = load({ url: server.origin + heavyPath, ...HEAVY, seconds: seconds + 2 });
  const [loaded, heavyResult] = await Promise.all([delay(1_000).then(askLight), heavy]);
  return {
    'unloaded p50': unloaded.latency?.p50 ?? Number.NaN,
    'unloaded p99': unloaded.latency?.p99 ?? Number.NaN,
    'loaded p50': loaded.latency?.p50 ?? Number.NaN,
    'loaded p99': loaded.latency?.p99 ?? Number.NaN,
    'heavy requests per second': heavyResult.requestsPerSecond,
  };
}
