/** From how much CPU per request a second thread pays, and what the hop to it costs below that. */
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { nodeHttp2, type Server, sluice } from '../contenders.ts';
import { load } from '../load.ts';
import { assertAnswer } from '../probe.ts';
import { iterationsFor, measureWorkMs, work } from '../work.ts';

/** Microseconds of CPU in the application for each request. */
const WORK_US = [10, 50, 150, 500, 1_500] as const;
const SHAPES = [
  { name: '32 in flight', streams: 32 },
  { name: '1 in flight', streams: 1 },
] as const;

export const breakEven: Scenario = { name: 'break-even', title: 'When a second thread pays', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const node = nodeHttp2();
  const contenders = [node, ...[1, 2].map((threads) => computing(context.directory, threads))];
  const metrics = SHAPES.flatMap(({ name }) => WORK_US.map((us) => `${name}, ${us} µs`));
  const amounts = WORK_US.map((us) => ({ us, iterations: iterationsFor(us, context.workIterations) }));
  const alone = amounts.map(({ iterations }) => (measureWorkMs(iterations, 201) * 1_000).toFixed(0));
  const samples = await inRounds(context, contenders, metrics, (server, { name }) =>
    measure(context, amounts, server, name),
  );
  const comparisons = SHAPES.flatMap((shape) =>
    WORK_US.map(
      (us): Comparison => ({
        title: `requests per second, ${shape.name}, ${us} µs of CPU`,
        unit: 'requests/s',
        baseline: node.name,
        samples: samples[`${shape.name}, ${us} µs`] as Comparison['samples'],
        point: { series: `requests per second, ${shape.name}`, x: us, axis: 'µs of CPU for each request' },
      }),
    ),
  );
  return {
    method:
      '`GET /compute/N` derives a key with as many PBKDF2 iterations as take the stated time, the same native code in every server, ' +
      'over one HTTP/2 connection with 32 requests in flight or one. Each server is measured with all amounts, one after the other.',
    notes: [`Alone, without a server, the amounts took ${alone.join(', ')} µs.`],
    comparisons,
  };
}

function computing(directory: string, threads: number) {
  return sluice({
    name: `Sluice, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    directory,
    pools: {
      compute: { application: 'compute.ts', threads, paths: ['/compute/*'] },
      hello: { application: 'hello.ts', threads: 1, paths: ['/hello'] },
    },
  });
}

interface Amount {
  readonly us: number;
  readonly iterations: number;
}

async function measure(
  context: BenchContext,
  amounts: readonly Amount[],
  server: Server,
  name: string,
): Promise<Record<string, number>> {
  const values: Record<string, number> = {};
  for (const { us, iterations } of amounts) {
    const path = `/compute/${iterations}`;
    await assertAnswer(server.origin, path, work(iterations), name);
    for (const { name: shape, streams } of SHAPES) {
      const options = { url: server.origin + path, connections: 1, streams };
      await load({ ...options, seconds: 1 });
      const { requestsPerSecond } = await load({ ...options, seconds: context.isQuick ? 1 : 2 });
      values[`${shape}, ${us} µs`] = requestsPerSecond;
    }
  }
  return values;
}
