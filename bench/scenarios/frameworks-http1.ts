/**
 * Express and Fastify over HTTP/1.1, which they are mostly used with, compared with the same application on
 * `node:http`.
 */
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { type Contender, type Framework, frameworkHttp1, sluice } from '../contenders.ts';
import { HELLO } from '../content.ts';
import { assertAnswer } from '../probe.ts';
import { CONNECTIONS, measureLoad } from './small-http1.ts';

const METRICS = ['requests per second', 'CPU µs per request'] as const;
const FRAMEWORKS = [
  ['Express', 'express'],
  ['Fastify', 'fastify'],
] as const;

export const frameworksHttp1: Scenario = {
  name: 'frameworks-http1',
  title: 'Express and Fastify over HTTP/1.1',
  run,
};

async function run(context: BenchContext): Promise<ScenarioResult> {
  const comparisons: Comparison[] = [];
  for (const [title, framework] of FRAMEWORKS) {
    comparisons.push(...(await compare(context, title, framework, 1, 1.2)));
    comparisons.push(...(await compare(context, title, framework, 2, 1)));
  }
  return {
    method:
      `\`GET /hello\` answers 13 bytes and the fields that the framework always sets; ${CONNECTIONS} connections, one request at a time, ` +
      'h2load on one thread. One thread of Sluice is set against one process, and two against a cluster of two.',
    comparisons,
  };
}

async function compare(
  context: BenchContext,
  title: string,
  framework: Framework,
  threads: number,
  limit: number,
): Promise<Comparison[]> {
  const ours: Contender = sluice({
    name: `${title} on Sluice, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    directory: context.directory,
    pools: { hello: { application: `frameworks/${framework}.ts`, threads, paths: ['/hello'] } },
  });
  const node = frameworkHttp1(title, framework, threads);
  const samples = await inRounds(context, [node, ours], METRICS, async (server, { name }) => {
    await assertAnswer(server.origin, '/hello', HELLO, name, 'http/1.1');
    const { requestsPerSecond, cpuMicroseconds } = await measureLoad(server, 1, context.isQuick);
    return { 'requests per second': requestsPerSecond, 'CPU µs per request': cpuMicroseconds };
  });
  return [
    {
      title: `${title}, ${threads} at work: requests per second`,
      unit: 'requests/s',
      baseline: node.name,
      samples: samples['requests per second'],
      targets: [{ contender: ours.name, of: 'ratio', bound: 'at least', limit }],
    },
    {
      title: `${title}, ${threads} at work: CPU per request, whole process tree`,
      unit: 'µs',
      baseline: node.name,
      samples: samples['CPU µs per request'],
    },
  ];
}
