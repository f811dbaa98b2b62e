/**
 * Threads that are warm from light requests get heavy ones on the same route: how long does the first
 * response wait for the others?
 */
import { type ClientHttp2Session, connect } from 'node:http2';
import { type BenchContext, inRounds, type Scenario, type ScenarioResult } from '../comparison.ts';
import type { Contender } from '../contenders.ts';
import { load } from '../load.ts';
import { assertAnswer } from '../probe.ts';
import { TARGET_WORK_MS, work } from '../work.ts';
import { computeSluice } from './compute.ts';

const HEAVY_MS = 20;
const HEAVY_REQUESTS = 60;
const LIGHT_ITERATIONS = 1;

export const warmThread: Scenario = { name: 'warm-thread', title: 'Heavy requests behind light ones', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const server = computeSluice(context.directory);
  const cold: Contender = { name: 'Sluice, cold', start: server.start };
  const warm: Contender = { name: 'Sluice, warm', start: server.start };
  const iterations = Math.round((context.workIterations * HEAVY_MS) / TARGET_WORK_MS);
  const answer = work(iterations);
  const metrics = ['first answer ms', 'last answer ms'] as const;
  const samples = await inRounds(context, [cold, warm], metrics, async ({ origin }, { name }) => {
    const light = `/compute/${LIGHT_ITERATIONS}`;
    await assertAnswer(origin, light, work(LIGHT_ITERATIONS), name);
    if (name === warm.name) await load({ url: origin + light, connections: 1, streams: 100, seconds: 2 });
    const answeredMs = await askAtOnce(origin, `/compute/${iterations}`, answer);
    return {
      'first answer ms': Math.min(...answeredMs),
      'last answer ms': Math.max(...answeredMs),
    };
  });
  return {
    method:
      `${HEAVY_REQUESTS} requests of ${HEAVY_MS} ms of CPU arrive at once over one connection. One server has answered a single request before, the other ` +
      'has answered light requests of the same route for two seconds, 100 at a time. Both have two threads.',
    comparisons: [
      {
        title: 'the first answer',
        unit: 'ms',
        baseline: cold.name,
        samples: samples['first answer ms'],
        targets: [{ contender: warm.name, of: 'ratio', bound: 'at most', limit: 2 }],
      },
      { title: 'the last answer', unit: 'ms', baseline: cold.name, samples: samples['last answer ms'] },
    ],
  };
}

/** The time of each response since all requests were sent. */
async function askAtOnce(origin: string, path: string, answer: string): Promise<number[]> {
  const session = connect(origin);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  session.once('remoteSettings', () => resolve());
  session.on('error', reject);
  await promise;
  const startMs = performance.now();
  try {
    return await Promise.all(
      Array.from({ length: HEAVY_REQUESTS }, async () => {
        const body = await ask(session, path);
        if (body !== answer) throw new Error(`${path} was answered ${JSON.stringify(body)}`);
        return performance.now() - startMs;
      }),
    );
  } finally {
    session.destroy();
  }
}

function ask(session: ClientHttp2Session, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path });
    let body = '';
    stream.setEncoding('latin1');
    stream.on('data', (text: string) => {
      body += text;
    });
    stream.once('end', () => resolve(body));
    stream.once('error', reject);
  });
}
