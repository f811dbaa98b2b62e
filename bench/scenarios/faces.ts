/**
 * The ways to write an application, and two frameworks: the cost of each adapter if there is nothing else to
 * do.
 */
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { type Contender, expressHttp2, fastifyHttp2, sluice } from '../contenders.ts';
import { CONNECTIONS, METRICS, measureSmall, STREAMS } from './small.ts';

export const faces: Scenario = { name: 'faces', title: 'Ways to write an application', run };

/**
 * Name in the table, file, and the share of the native application's requests per second that it must reach.
 */
const FACES: readonly (readonly [name: string, file: string, atLeast: number | null])[] = [
  ['async function', 'hello.ts', null],
  ['async function, wrapped twice', 'faces/folded.ts', 0.95],
  ['generator', 'faces/generator.ts', 0.9],
  ['handler', 'faces/handler.ts', 0.9],
  ['Fetch handler', 'faces/fetch.ts', 0.8],
  ['Node handler', 'faces/node.ts', 0.85],
];

async function run(context: BenchContext): Promise<ScenarioResult> {
  const one = (name: string, application: string): Contender =>
    sluice({
      name,
      directory: context.directory,
      pools: { hello: { application, threads: 1, paths: ['/hello'] } },
    });
  const comparisons = [
    ...(await compare(
      context,
      'Faces and adapters',
      FACES.map(([name, file]) => one(name, file)),
      FACES.slice(1).map(([contender, , limit]) => ({ contender, limit: limit as number })),
    )),
    ...(await compare(
      context,
      'Express',
      [expressHttp2(), one('Express on Sluice, 1 thread', 'frameworks/express.ts')],
      [{ contender: 'Express on Sluice, 1 thread', limit: 1 }],
    )),
    ...(await compare(
      context,
      'Fastify',
      [fastifyHttp2(), one('Fastify on Sluice, 1 thread', 'frameworks/fastify.ts')],
      [{ contender: 'Fastify on Sluice, 1 thread', limit: 1 }],
    )),
  ];
  return {
    method:
      `\`GET /hello\` answers 13 bytes; ${CONNECTIONS} connections × ${STREAMS} streams, h2load on one thread, one application ` +
      'thread. The faces run on Sluice and answer alike; the frameworks set the fields that they always set, the same on both sides. ' +
      'Express runs on the compatibility server of node:http2 with its prototypes exchanged, without which it does not run there.',
    comparisons,
  };
}

/** Compares the others with the first. */
async function compare(
  context: BenchContext,
  title: string,
  contenders: readonly Contender[],
  limits: readonly { contender: string; limit: number }[],
): Promise<Comparison[]> {
  const samples = await inRounds(context, contenders, METRICS, (server, { name }) =>
    measureSmall(server, name, context.isQuick),
  );
  const baseline = contenders[0].name;
  return [
    {
      title: `${title}: requests per second`,
      unit: 'requests/s',
      baseline,
      samples: samples['requests per second'],
      targets: limits.map(({ contender, limit }) => ({ contender, of: 'ratio', bound: 'at least', limit })),
    },
    {
      title: `${title}: CPU per request, whole process tree`,
      unit: 'µs',
      baseline,
      samples: samples['CPU µs per request'],
    },
  ];
}
