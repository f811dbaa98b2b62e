/**
 * A framework that renders pages: the standalone build of Next.js, in one process, in a cluster, and in
 * threads of Sluice.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../../test/frameworks/built.ts';
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { type Contender, freePort, type Server } from '../contenders.ts';
import { load } from '../load.ts';
import { firstAnswer } from '../probe.ts';
import { Program } from '../processes.ts';

const AT_WORK = 2;
const IN_FLIGHT = 16;
/** A table of this many rows takes a thread about 20 ms. */
const ROWS = 700;
const START_TIMEOUT_MS = 60_000;
const METRICS = ['requests per second', 'p50 ms', 'p99 ms'] as const;

export const rendering: Scenario = { name: 'rendering', title: 'Pages of Next.js', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  context.progress(' installing and building');
  const project = build('next');
  const manifest = readFileSync(join(project, 'node_modules/next/package.json'), 'utf8');
  context.versions.set('Next.js', (JSON.parse(manifest) as { readonly version: string }).version);
  const directory = join(project, '.next/standalone');
  const module = join(directory, 'server.js');
  const contender = (name: string, argsFor: (port: number) => readonly string[]): Contender => ({
    name,
    start: async () => {
      const port = await freePort();
      const env = { NODE_ENV: 'production', PORT: String(port), HOSTNAME: '127.0.0.1' };
      return answering(new Program(name, process.execPath, argsFor(port), { env, cwd: directory }), port);
    },
  });
  const threads = (port: number) => [
    ...[file('../../runtime/cli.ts'), 'start', module, '--port', String(port)],
    ...['--threads', String(AT_WORK), '--log-level', 'warn'],
  ];
  const node = contender('one process', () => [module]);
  const cluster = contender(`cluster of ${AT_WORK}`, () => [
    file('../baselines/module-cluster.ts'),
    module,
    String(AT_WORK),
  ]);
  const ours = contender(`Sluice, ${AT_WORK} threads`, threads);
  const overHttp2 = contender(`Sluice, ${AT_WORK} threads, one HTTP/2 connection`, threads);
  const samples = await inRounds(context, [node, cluster, ours, overHttp2], METRICS, (server, { name }) =>
    measure(context, server, name === overHttp2.name),
  );
  const of = (metric: (typeof METRICS)[number], unit: string): Comparison => ({
    title: metric,
    unit,
    baseline: node.name,
    samples: samples[metric],
  });
  const [perSecond, ...latencies] = METRICS.map((metric) => of(metric, metric.endsWith('ms') ? 'ms' : '1/s'));
  return {
    method:
      `\`GET /?rows=${ROWS}\` of the application in test/frameworks/apps/next, a table that React renders for each request; ` +
      `\`next build\` with \`output: 'standalone'\`, and its server.js unmodified. ${IN_FLIGHT} connections over HTTP/1.1, or ` +
      `${IN_FLIGHT} streams of one HTTP/2 connection, which Next.js' own server does not speak; h2load on one thread.`,
    comparisons: [
      {
        ...(perSecond as Comparison),
        targets: [ours, overHttp2].map(({ name }) => ({
          contender: name,
          of: 'ratio',
          bound: 'at least',
          limit: 1.6,
        })),
      },
      ...latencies,
    ],
  };
}

async function answering(program: Program, port: number): Promise<Server> {
  const origin = `http://127.0.0.1:${port}`;
  try {
    await firstAnswer({
      program,
      origin,
      path: '/?rows=1',
      timeoutMs: START_TIMEOUT_MS,
      protocol: 'http/1.1',
    });
  } catch (error) {
    await program.stop();
    throw error;
  }
  return { program, port, origin, config: '' };
}

async function measure({ isQuick, directory }: BenchContext, { origin }: Server, isHttp2: boolean) {
  const options = {
    url: `${origin}/?rows=${ROWS}`,
    connections: isHttp2 ? 1 : IN_FLIGHT,
    streams: isHttp2 ? IN_FLIGHT : 1,
    isHttp1: !isHttp2,
  };
  await load({ ...options, seconds: isQuick ? 2 : 4 });
  const { requestsPerSecond, latency } = await load({
    ...options,
    seconds: isQuick ? 3 : 10,
    latencyDirectory: directory,
  });
  return {
    'requests per second': requestsPerSecond,
    'p50 ms': latency?.p50 ?? Number.NaN,
    'p99 ms': latency?.p99 ?? Number.NaN,
  };
}

function file(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
