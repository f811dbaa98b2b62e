/** HTTP/1.1 behind nginx: who spreads the requests that a proxy sends over the connections that it keeps. */
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { nodeHttpWork, type Server } from '../contenders.ts';
import { HELLO } from '../content.ts';
import { load } from '../load.ts';
import { cpuMicroseconds } from '../measure.ts';
import { watt } from '../others.ts';
import { assertAnswer } from '../probe.ts';
import { missingNginx, nginxVersion, startNginx } from '../proxies.ts';
import { TARGET_WORK_MS, work } from '../work.ts';
import { computeSluice } from './compute.ts';

const CONNECTIONS = 32;
/** As docs/deployment.md has it: longer than nginx keeps a connection that nothing uses. */
const KEEP_ALIVE_MS = 75_000;
const METRICS = ['small per second', 'small CPU', 'heavy per second', 'heavy p50', 'heavy p99'] as const;

export const nginx: Scenario = {
  name: 'nginx',
  title: 'HTTP/1.1 behind nginx',
  missing: missingNginx,
  run,
};

async function run(context: BenchContext): Promise<ScenarioResult> {
  context.versions.set('nginx', nginxVersion());
  const node = nodeHttpWork(1);
  const ours = computeSluice(context.directory, { http1: { keepAliveTimeoutMs: KEEP_ALIVE_MS } });
  const contenders = [node, nodeHttpWork(2), watt(2, context.directory), ours];
  const samples = await inRounds(context, contenders, METRICS, (server, { name }) =>
    measure(context, server, name),
  );
  const of = (title: string, unit: string, metric: (typeof METRICS)[number]): Comparison => ({
    title,
    unit,
    baseline: node.name,
    samples: samples[metric],
  });
  return {
    method:
      `One process of nginx takes ${CONNECTIONS} connections over HTTP/1.1, one request at a time, and keeps its own to the server, as ` +
      'docs/deployment.md configures it. `GET /hello` answers 13 bytes; ' +
      `\`GET /compute/${context.workIterations}\` takes ${TARGET_WORK_MS} ms of CPU. CPU is the server's alone, without nginx. On two ` +
      'cores, nginx and the load generator compete with every server. Sluice has two application threads for the heavy route and ' +
      'one for the small one.',
    comparisons: [
      of('small responses: requests per second', 'requests/s', 'small per second'),
      of('small responses: CPU per request, the server alone', 'µs', 'small CPU'),
      of('CPU-heavy requests: requests per second', 'requests/s', 'heavy per second'),
      of('CPU-heavy requests: latency p50', 'ms', 'heavy p50'),
      of('CPU-heavy requests: latency p99', 'ms', 'heavy p99'),
    ],
  };
}

async function measure(
  { directory, isQuick, workIterations }: BenchContext,
  server: Server,
  name: string,
): Promise<Record<(typeof METRICS)[number], number>> {
  const { origin, stop } = await startNginx(server, directory);
  try {
    const heavyPath = `/compute/${workIterations}`;
    await assertAnswer(origin, '/hello', HELLO, name, 'http/1.1');
    await assertAnswer(origin, heavyPath, work(workIterations), name, 'http/1.1');
    const shape = { connections: CONNECTIONS, streams: 1, isHttp1: true };
    const small = { ...shape, url: `${origin}/hello` };
    await load({ ...small, seconds: 1 });
    const before = cpuMicroseconds(server.program.pid);
    const light = await load({ ...small, seconds: isQuick ? 2 : 4 });
    const cpu = cpuMicroseconds(server.program.pid) - before;
    const heavy = { ...shape, url: origin + heavyPath };
    await load({ ...heavy, seconds: 1 });
    const { requestsPerSecond, latency } = await load({
      ...heavy,
      seconds: isQuick ? 2 : 4,
      latencyDirectory: directory,
    });
    return {
      'small per second': light.requestsPerSecond,
      'small CPU': cpu / light.requests,
      'heavy per second': requestsPerSecond,
      'heavy p50': latency?.p50 ?? Number.NaN,
      'heavy p99': latency?.p99 ?? Number.NaN,
    };
  } finally {
    await stop();
  }
}
