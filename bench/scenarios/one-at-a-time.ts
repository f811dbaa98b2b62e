/** One client with one request in flight: the latency of the hop to another thread, if nothing hides it. */
import { type BenchContext, inRounds, type Scenario, type ScenarioResult } from '../comparison.ts';
import { nodeHttp2, type Server, sluice } from '../contenders.ts';
import { HELLO } from '../content.ts';
import { load } from '../load.ts';
import { assertAnswer } from '../probe.ts';

const METRICS = ['p50 µs', 'p99 µs'] as const;

export const oneAtATime: Scenario = { name: 'one-at-a-time', title: 'One request at a time', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const node = nodeHttp2();
  const ours = sluice({
    name: 'Sluice, 1 thread',
    directory: context.directory,
    pools: { hello: { application: 'hello.ts', threads: 1, paths: ['/hello'] } },
  });
  const samples = await inRounds(context, [node, ours], METRICS, (server, { name }) =>
    measure(context, server, name),
  );
  return {
    method:
      '`GET /hello` answers 13 bytes; h2load with one connection and one request in flight, which it sends when the response to the one ' +
      'before has arrived. Each request wakes a sleeping thread, and its response the reactor.',
    comparisons: [
      {
        title: 'latency p50',
        unit: 'µs',
        baseline: node.name,
        samples: samples['p50 µs'],
        targets: [{ contender: ours.name, of: 'ratio', bound: 'at most', limit: 1.5 }],
      },
      { title: 'latency p99', unit: 'µs', baseline: node.name, samples: samples['p99 µs'] },
    ],
  };
}

async function measure({ isQuick, directory }: BenchContext, { origin }: Server, name: string) {
  await assertAnswer(origin, '/hello', HELLO, name);
  const options = { url: `${origin}/hello`, connections: 1, streams: 1, latencyDirectory: directory };
  await load({ ...options, seconds: 1 });
  const { latency } = await load({ ...options, seconds: isQuick ? 1 : 5 });
  if (latency === null) throw new Error('expected latencies, got none');
  return { 'p50 µs': latency.p50 * 1_000, 'p99 µs': latency.p99 * 1_000 };
}
