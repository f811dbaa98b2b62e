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
import { TARGET_WORK_MS, work } from '../work.ts';

/** Microseconds of CPU in the application for each request. */
const WORK_US = [5, 50, 150, 500, 1_500] as const;
const SHAPES = [
  { name: '32 in flight', streams: 32 },
  { name: '1 in flight', streams: 1 },
] as const;

export const breakEven: Scenario = { name: 'break-even', title: 'When a second thread pays', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const node = nodeHttp2();
  const contenders = [node, ...[1, 2].map((threads) => computing(context.directory, threads))];
  const metrics = SHAPES.flatMap(({ name }) => WORK_US.map((us) => `${name}, ${us} µs`));
  const samples = await inRounds(context, contenders, metrics, (server, { name }) =>
    measure(context, server, name),
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
      '`GET /compute/N` derives a key with as many PBKDF2 iterations as take the time named, the same native code in every server, ' +
      'over one HTTP/2 connection with 32 requests in flight or one. Each server is measured with all amounts, one after the other.',
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

async function measure(context: BenchContext, server: Server, name: string): Promise<Record<string, number>> {
  const values: Record<string, number> = {};
  for (const us of WORK_US) {
    const iterations = Math.max(1, Math.round((context.workIterations * us) / 1_000 / TARGET_WORK_MS));
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
