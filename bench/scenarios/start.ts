/** Start: from spawning the process to its first correct response. */
import { fileURLToPath } from 'node:url';
import type { BenchContext, Scenario, ScenarioResult } from '../comparison.ts';
import { freePort, writeConfig } from '../contenders.ts';
import { HELLO } from '../content.ts';
import { firstAnswer } from '../probe.ts';
import { Program } from '../processes.ts';

const START_TIMEOUT_MS = 20_000;
const SMALL_LIMIT_MS = 400;
const SAMPLES_LIMIT_MS = 1_000;
const repositoryDirectory = fileURLToPath(new URL('../..', import.meta.url));

export const start: Scenario = { name: 'start', title: 'Start to first answer', run };

interface Starter {
  readonly name: string;
  spawn(port: number): Program;
}

async function run(context: BenchContext): Promise<ScenarioResult> {
  const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const starters: Starter[] = [
    {
      name: 'node:http2',
      spawn: (port) =>
        new Program('node:http2', process.execPath, [file('bench/baselines/node-http2.ts'), String(port)]),
    },
    {
      name: 'Sluice, one small application, 2 threads',
      spawn: (port) => {
        const name = 'Sluice, one small application, 2 threads';
        const pools = { hello: { application: 'hello.ts', threads: 2, paths: ['/hello'] } };
        const config = writeConfig({ name, directory: context.directory, pools }, port);
        return new Program(name, process.execPath, [file('runtime/start.js'), 'start', '--config', config]);
      },
    },
    {
      name: 'npm start, sample applications',
      spawn: (port) =>
        new Program('npm start, sample applications', 'npm', ['start'], {
          cwd: repositoryDirectory,
          env: { SLUICE_ADDRESS: `127.0.0.1:${port}` },
        }),
    },
  ];
  const samples: Record<string, number[]> = Object.fromEntries(starters.map(({ name }) => [name, []]));
  // One start costs a second, and its variation is large: twice the rounds of the other scenarios.
  for (let round = 0; round < 2 * context.rounds; round++) {
    for (const starter of round % 2 === 0 ? starters : starters.toReversed()) {
      const milliseconds = await measure(starter);
      samples[starter.name].push(milliseconds);
      context.progress(`  round ${round + 1}: ${starter.name}: ${milliseconds.toFixed(0)} ms`);
    }
  }
  return {
    method:
      'The time from spawning the process until a client that tries every 5 ms has the whole answer to `GET /hello`. The time of ' +
      '`npm start` includes npm itself. The very first start after an installation also compiles and caches the modules; it is the first raw value when ' +
      'nothing was cached before.',
    comparisons: [
      {
        title: 'time to the first answer',
        unit: 'ms',
        baseline: starters[0].name,
        samples,
        targets: [
          { contender: starters[1].name, of: 'value', bound: 'at most', limit: SMALL_LIMIT_MS },
          { contender: starters[2].name, of: 'value', bound: 'at most', limit: SAMPLES_LIMIT_MS },
        ],
      },
    ],
  };
}

async function measure(starter: Starter): Promise<number> {
  const port = await freePort();
  const begin = performance.now();
  const program = starter.spawn(port);
  try {
    const end = await firstAnswer({
      program,
      origin: `http://127.0.0.1:${port}`,
      path: '/hello',
      body: HELLO,
      timeoutMs: START_TIMEOUT_MS,
    });
    return end - begin;
  } finally {
    await program.stop();
  }
}
