/**
 * How the throughput of small responses depends on the number of connections and of streams per connection.
 */
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { nodeHttp2, type Server, sluice } from '../contenders.ts';
import { HELLO } from '../content.ts';
import { load } from '../load.ts';
import { assertAnswer } from '../probe.ts';

const SHAPES = [
  ...[1, 4, 16, 64, 256].map((connections) => ({
    series: '1 stream each',
    axis: 'connections',
    x: connections,
    connections,
    streams: 1,
  })),
  ...[2, 8, 32, 128].map((streams) => ({
    series: '1 connection',
    axis: 'streams',
    x: streams,
    connections: 1,
    streams,
  })),
];
const nameOf = ({ connections, streams }: { readonly connections: number; readonly streams: number }) =>
  `${counted(connections, 'connection')} × ${counted(streams, 'stream')}`;
const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

export const growth: Scenario = { name: 'growth', title: 'Small responses by connections and streams', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const node = nodeHttp2();
  const ours = [1, 2].map((threads) =>
    sluice({
      name: `Sluice, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      directory: context.directory,
      pools: { hello: { application: 'hello.ts', threads, paths: ['/hello'] } },
    }),
  );
  const samples = await inRounds(context, [node, ...ours], SHAPES.map(nameOf), (server, { name }) =>
    measure(context, server, name),
  );
  return {
    method:
      '`GET /hello` answers 13 bytes; h2load on one thread, with the stated number of connections and streams. Each server is measured ' +
      'with all shapes, one after the other.',
    comparisons: SHAPES.map(
      (shape): Comparison => ({
        title: `requests per second, ${nameOf(shape)}`,
        unit: 'requests/s',
        baseline: node.name,
        samples: samples[nameOf(shape)] as Comparison['samples'],
        point: { series: `requests per second, ${shape.series}`, x: shape.x, axis: shape.axis },
      }),
    ),
  };
}

async function measure(context: BenchContext, server: Server, name: string): Promise<Record<string, number>> {
  await assertAnswer(server.origin, '/hello', HELLO, name);
  const values: Record<string, number> = {};
  for (const shape of SHAPES) {
    const options = { url: `${server.origin}/hello`, connections: shape.connections, streams: shape.streams };
    await load({ ...options, seconds: 1 });
    const { requestsPerSecond } = await load({ ...options, seconds: context.isQuick ? 1 : 2 });
    values[nameOf(shape)] = requestsPerSecond;
  }
  return values;
}
