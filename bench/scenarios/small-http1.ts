/**
 * Small responses over HTTP/1.1: how close the server comes to the speed of bare sockets, with one request at
 * a time and pipelined.
 */
import {
  type BenchContext,
  beside,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { bareNet, nodeHttp, type Server, sluice } from '../contenders.ts';
import { HELLO } from '../content.ts';
import { load } from '../load.ts';
import { cpuMicroseconds } from '../measure.ts';
import { bun, caddy, deno, h2o, watt } from '../others.ts';
import { assertAnswer } from '../probe.ts';

export const CONNECTIONS = 64;
const PIPELINED = 16;

const METRICS = ['requests', 'CPU', 'pipelined requests', 'pipelined CPU'] as const;

export const smallHttp1: Scenario = { name: 'small-http1', title: 'Small responses over HTTP/1.1', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const node = nodeHttp();
  const bare = bareNet();
  const ours = sluice({
    name: 'Sluice, 1 thread',
    directory: context.directory,
    pools: { hello: { application: 'hello.ts', threads: 1, paths: ['/hello'] } },
  });
  const asked = { protocol: 'http/1.1', directory: context.directory } as const;
  // Not Hypercorn: h2load takes no response of its HTTP/1.1 for one.
  const others = [bun, deno, h2o, caddy].map((other) => other(asked));
  const contenders = [node, bare, ours, watt(1, context.directory), ...others];
  const samples = await inRounds(context, contenders, METRICS, (server, { name }) =>
    measure(server, name, context.isQuick),
  );
  const of = (
    title: string,
    unit: string,
    metric: (typeof METRICS)[number],
    bound: 'at least' | 'at most',
    limit: number,
  ): Comparison => ({
    title,
    unit,
    baseline: node.name,
    samples: samples[metric],
    targets: [{ contender: ours.name, of: 'ratio', bound, limit }],
  });
  const pipelined = of(
    `requests per second, ${PIPELINED} pipelined`,
    'requests/s',
    'pipelined requests',
    'at least',
    5,
  );
  return {
    method:
      `\`GET /hello\` answers 13 bytes with content-type and content-length; ${CONNECTIONS} connections, h2load on one thread, one ` +
      `request at a time and ${PIPELINED} pipelined. CPU is user + system time of the whole process group. The bare server counts ` +
      "the empty lines of its input and writes a constant for each, which is the most that Node's sockets can do. If 1.5 × node:http is more " +
      'than 0.85 × that, the second is the target.',
    comparisons: [
      of(`requests per second, ${CONNECTIONS} connections`, 'requests/s', 'requests', 'at least', 1.5),
      {
        ...of('the same beside the bare server', 'requests/s', 'requests', 'at least', 0.85),
        baseline: bare.name,
      },
      of('CPU per request, whole process tree', 'µs', 'CPU', 'at most', 0.8),
      pipelined,
      ...beside(pipelined, 'Bun', { contender: ours.name, bound: 'at least', limit: 3 }),
      of(`CPU per request, ${PIPELINED} pipelined`, 'µs', 'pipelined CPU', 'at most', 0.3),
    ],
  };
}

async function measure(server: Server, name: string, isQuick: boolean) {
  await assertAnswer(server.origin, '/hello', HELLO, name, 'http/1.1');
  const one = await measureLoad(server, 1, isQuick);
  const many = await measureLoad(server, PIPELINED, isQuick);
  return {
    requests: one.requestsPerSecond,
    CPU: one.cpuMicroseconds,
    'pipelined requests': many.requestsPerSecond,
    'pipelined CPU': many.cpuMicroseconds,
  };
}

export async function measureLoad({ origin, program }: Server, streams: number, isQuick: boolean) {
  const options = { url: `${origin}/hello`, connections: CONNECTIONS, streams, isHttp1: true };
  await load({ ...options, seconds: 1 });
  const before = cpuMicroseconds(program.pid);
  const { requests, requestsPerSecond } = await load({ ...options, seconds: isQuick ? 2 : 5 });
  return { requestsPerSecond, cpuMicroseconds: (cpuMicroseconds(program.pid) - before) / requests };
}
