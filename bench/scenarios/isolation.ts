/**
 * The cost of confining a crash to one exchange: `exchangesPerThread: 1` compared with the default of a pool.
 */
import { type BenchContext, inRounds, type Scenario, type ScenarioResult } from '../comparison.ts';
import { type Contender, type Server, sluice } from '../contenders.ts';
import { load } from '../load.ts';
import { cpuMicroseconds } from '../measure.ts';
import { assertAnswer } from '../probe.ts';
import { TARGET_WORK_MS, work } from '../work.ts';
import { CONNECTIONS, measureSmall, STREAMS } from './small.ts';

const THREADS = 2;
const IN_FLIGHT = 32;

export const isolation: Scenario = {
  name: 'isolation',
  title: 'One exchange at a time for each thread',
  run,
};

async function run(context: BenchContext): Promise<ScenarioResult> {
  const many = contender(context, 'Sluice, 2 threads', {});
  const one = contender(context, 'the same, exchangesPerThread: 1', { exchangesPerThread: 1 });
  const metrics = [
    'small requests per second',
    'CPU µs per small request',
    'compute requests per second',
    'CPU µs per compute request',
  ] as const;
  const samples = await inRounds(context, [many, one], metrics, (server, { name }) =>
    measure(context, server, name),
  );
  return {
    method:
      `\`GET /hello\` answers 13 bytes, over ${CONNECTIONS} connections × ${STREAMS} streams; \`GET /compute/${context.workIterations}\` takes ${TARGET_WORK_MS} ms of CPU, ` +
      `and ${IN_FLIGHT} of them are in flight over one connection. Each route has ${THREADS} threads. CPU is user + system time of the whole process group.`,
    comparisons: metrics.map((metric) => ({
      title: metric,
      unit: metric.startsWith('CPU') ? 'µs' : 'requests/s',
      baseline: many.name,
      samples: samples[metric],
    })),
  };
}

function contender(
  { directory }: BenchContext,
  name: string,
  options: Readonly<Record<string, unknown>>,
): Contender {
  return sluice({
    name,
    directory,
    pools: {
      hello: { application: 'hello.ts', threads: THREADS, paths: ['/hello'], options },
      compute: { application: 'compute.ts', threads: THREADS, paths: ['/compute/*'], options },
    },
  });
}

async function measure(context: BenchContext, server: Server, name: string) {
  const small = await measureSmall(server, name, context.isQuick);
  const path = `/compute/${context.workIterations}`;
  await assertAnswer(server.origin, path, work(context.workIterations), name);
  const options = { url: server.origin + path, connections: 1, streams: IN_FLIGHT };
  await load({ ...options, seconds: 1 });
  const before = cpuMicroseconds(server.program.pid);
  const heavy = await load({ ...options, seconds: context.isQuick ? 2 : 4 });
  return {
    'small requests per second': small['requests per second'],
    'CPU µs per small request': small['CPU µs per request'],
    'compute requests per second': heavy.requestsPerSecond,
    'CPU µs per compute request': (cpuMicroseconds(server.program.pid) - before) / heavy.requests,
  };
}
