/** CPU-heavy requests: whether the streams of few connections reach every core. */
import { Worker } from 'node:worker_threads';
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { fastifyPiscina, nodeCluster, nodeHttp2, nodePiscina, type Server, sluice } from '../contenders.ts';
import { load } from '../load.ts';
import { assertAnswer } from '../probe.ts';
import { TARGET_WORK_MS, work } from '../work.ts';

/** Requests in flight, however many connections carry them. */
const IN_FLIGHT = 32;
const THREADS = 2;

export const compute: Scenario = { name: 'compute', title: 'CPU-heavy requests', run };

/** A Sluice with one pool for its compute route and another pool for its light route. */
export function computeSluice(directory: string, options: Readonly<Record<string, unknown>> = {}) {
  return sluice({
    name: `Sluice, ${THREADS} threads`,
    directory,
    options,
    pools: {
      compute: { application: 'compute.ts', threads: THREADS, paths: ['/compute/*'] },
      light: { application: 'light.ts', threads: 1, paths: ['/light'] },
      hello: { application: 'hello.ts', threads: 1, paths: ['/hello'] },
    },
  });
}

async function run(context: BenchContext): Promise<ScenarioResult> {
  const node = nodeHttp2();
  const ours = computeSluice(context.directory);
  const cluster = nodeCluster(THREADS);
  const shapes = [
    { connections: 1, contenders: [node, cluster, nodePiscina(THREADS), fastifyPiscina(THREADS), ours] },
    { connections: 2, contenders: [node, cluster, ours] },
    { connections: 8, contenders: [node, cluster, ours] },
  ];
  const ceiling = await threadScaling(context);
  const comparisons: Comparison[] = [];
  for (const { connections, contenders } of context.isQuick ? shapes.slice(0, 1) : shapes) {
    const title = `${connections} ${connections === 1 ? 'connection' : 'connections'} × ${IN_FLIGHT / connections} streams`;
    context.progress(` ${title}`);
    const metrics = ['requests per second', 'p50 ms', 'p99 ms'] as const;
    const samples = await inRounds(context, contenders, metrics, (server, { name }) =>
      measure(context, server, name, connections),
    );
    const isMain = connections === 1;
    comparisons.push({
      title: `requests per second, ${title}`,
      unit: 'requests/s',
      baseline: node.name,
      samples: samples['requests per second'],
      ...(isMain
        ? { targets: [{ contender: ours.name, of: 'ratio', bound: 'at least', limit: 1.8 }] as const }
        : {}),
    });
    for (const metric of isMain ? (['p50 ms', 'p99 ms'] as const) : []) {
      comparisons.push({
        title: `latency ${metric.slice(0, 3)}, ${title}`,
        unit: 'ms',
        baseline: node.name,
        samples: samples[metric],
      });
    }
  }
  return {
    method:
      `\`GET /compute/${context.workIterations}\` derives a key with this many PBKDF2 iterations, calibrated to ${TARGET_WORK_MS} ms ` +
      `of CPU on this machine and the same native code in every server; ${IN_FLIGHT} requests are in flight whatever the number of ` +
      'connections. Cluster has two processes, the task pools two threads, Sluice two application threads.',
    notes: [
      `The machine's own ceiling: two bare threads that only do the work do it ${ceiling.toFixed(2)} × as often as one.`,
    ],
    comparisons,
  };
}

async function measure(context: BenchContext, server: Server, name: string, connections: number) {
  const path = `/compute/${context.workIterations}`;
  await assertAnswer(server.origin, path, work(context.workIterations), name);
  const options = { url: server.origin + path, connections, streams: IN_FLIGHT / connections };
  await load({ ...options, seconds: 1 });
  const result = await load({
    ...options,
    seconds: context.isQuick ? 2 : 4,
    latencyDirectory: context.directory,
  });
  return {
    'requests per second': result.requestsPerSecond,
    'p50 ms': result.latency?.p50 ?? Number.NaN,
    'p99 ms': result.latency?.p99 ?? Number.NaN,
  };
}

/** How much faster two threads do the work than one on this machine: the most that any server can reach. */
async function threadScaling(context: BenchContext): Promise<number> {
  const durationMs = context.isQuick ? 500 : 1_500;
  const count = async (threads: number): Promise<number> => {
    const counts = await Promise.all(
      Array.from({ length: threads }, () => bareThread(context.workIterations, durationMs)),
    );
    return counts.reduce((sum, value) => sum + value, 0);
  };
  return (await count(2)) / (await count(1));
}

function bareThread(iterations: number, durationMs: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const worker = new Worker(new URL('../baselines/bare-thread.ts', import.meta.url), {
    workerData: { iterations, durationMs },
  });
  worker.once('message', resolve);
  worker.once('error', reject);
  return promise;
}
