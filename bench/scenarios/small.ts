/** Small responses: the cost of the hop to another thread if there is nothing else to do. */
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { type Contender, nodeCluster, nodeHttp2, type Server, sluice } from '../contenders.ts';
import { HELLO } from '../content.ts';
import { load } from '../load.ts';
import { cpuMicroseconds, residentBytes } from '../measure.ts';
import { caddy, deno, h2o, hypercorn, nghttpd } from '../others.ts';
import { assertAnswer } from '../probe.ts';

export const CONNECTIONS = 8;
export const STREAMS = 32;

export const METRICS = ['requests per second', 'CPU µs per request', 'RSS MiB'] as const;

export const small: Scenario = { name: 'small', title: 'Small responses', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const node = nodeHttp2();
  const asked = { protocol: 'h2', directory: context.directory } as const;
  const sluices = [1, 2].map((threads) =>
    sluice({
      name: `Sluice, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      directory: context.directory,
      pools: { hello: { application: 'hello.ts', threads, paths: ['/hello'] } },
    }),
  );
  return {
    method:
      `\`GET /hello\` answers 13 bytes with content-type and content-length; ${CONNECTIONS} connections × ${STREAMS} streams, ` +
      'h2load on one thread. CPU is user + system time of the whole process group. Sluice has one reactor thread besides the ' +
      'application threads that its name counts; the cluster has its primary besides the two that serve. On two cores the load ' +
      'generator competes with every one of them, so CPU per request says more about a larger machine than requests per second do.',
    comparisons: await compareSmall(
      context,
      [
        ...[node, nodeCluster(2), ...sluices],
        ...[deno(asked), nghttpd(asked), h2o(asked), caddy(asked), hypercorn(asked)],
      ],
      sluices[0],
    ),
  };
}

/** Compares the others with the first; `best` is the contender that the targets apply to. */
export async function compareSmall(
  context: BenchContext,
  contenders: readonly Contender[],
  best: Contender,
): Promise<Comparison[]> {
  const samples = await inRounds(context, contenders, METRICS, (server, { name }) =>
    measureSmall(server, name, context.isQuick),
  );
  const baseline = contenders[0].name;
  return [
    {
      title: `requests per second, ${CONNECTIONS} connections × ${STREAMS} streams`,
      unit: 'requests/s',
      baseline,
      samples: samples['requests per second'],
      targets: [{ contender: best.name, of: 'ratio', bound: 'at least', limit: 3.6 }],
    },
    {
      title: 'CPU per request, whole process tree',
      unit: 'µs',
      baseline,
      samples: samples['CPU µs per request'],
      targets: [{ contender: best.name, of: 'ratio', bound: 'at most', limit: 0.34 }],
    },
    {
      title: 'RSS after the run, whole process tree',
      unit: 'MiB',
      baseline,
      samples: samples['RSS MiB'],
    },
  ];
}

export async function measureSmall(server: Server, name: string, isQuick: boolean) {
  await assertAnswer(server.origin, '/hello', HELLO, name, 'h2', server.isTypeless);
  const options = { url: `${server.origin}/hello`, connections: CONNECTIONS, streams: STREAMS };
  await load({ ...options, seconds: isQuick ? 1 : 2 });
  const cpuBefore = cpuMicroseconds(server.program.pid);
  const result = await load({ ...options, seconds: isQuick ? 2 : 5 });
  const cpu = cpuMicroseconds(server.program.pid) - cpuBefore;
  return {
    'requests per second': result.requestsPerSecond,
    'CPU µs per request': cpu / result.requests,
    'RSS MiB': residentBytes(server.program.pid) / 2 ** 20,
  };
}
