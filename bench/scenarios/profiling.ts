/** What a CPU profile of a server under load costs its clients and its reactor. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchContext, inRounds, type Scenario, type ScenarioResult } from '../comparison.ts';
import { type Contender, type Server, sluice } from '../contenders.ts';
import { load } from '../load.ts';
import { assertAnswer } from '../probe.ts';
import { Program } from '../processes.ts';
import { scriptWork } from '../script-work.ts';

const IN_FLIGHT = 32;
const THREADS = 2;
const ROUNDS_OF_WORK = 40;
const PATH = `/script/${ROUNDS_OF_WORK}`;
const MOST_PAUSE_MS = 250;
const LEAST_SHARE = 0.9;

export const profiling: Scenario = { name: 'profiling', title: 'A CPU profile under load', run };

const command = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));
const loopDelay = new URL('../loop-delay.ts', import.meta.url).href;

async function run(context: BenchContext): Promise<ScenarioResult> {
  const plain = served(context, 'Sluice');
  const profiled = served(context, 'Sluice, profiled');
  const metrics = ['requests per second', 'reactor pause ms'] as const;
  const samples = await inRounds(context, [plain, profiled], metrics, (server, { name }) =>
    measure(context, server, name === profiled.name),
  );
  return {
    method:
      `\`GET ${PATH}\` calls, sorts and allocates for some milliseconds in ${THREADS} application threads; ${IN_FLIGHT} requests are in flight over one connection. ` +
      'The profiled server is under `sluice profile cpu`, which begins before the requests are counted and ends after it, under the same load. The pause is the ' +
      'longest time for which the reactor’s event loop was blocked, including the beginning and the end of the profile.',
    comparisons: [
      {
        title: 'requests per second',
        unit: 'requests/s',
        baseline: plain.name,
        samples: samples['requests per second'],
        targets: [{ contender: profiled.name, of: 'ratio', bound: 'at least', limit: LEAST_SHARE }],
      },
      {
        title: 'longest pause of the reactor’s event loop',
        unit: 'ms',
        baseline: plain.name,
        samples: samples['reactor pause ms'],
        targets: [{ contender: profiled.name, of: 'value', bound: 'at most', limit: MOST_PAUSE_MS }],
      },
    ],
  };
}

function served({ directory }: BenchContext, name: string): Contender {
  return sluice({
    name,
    directory,
    nodeOptions: [`--import=${loopDelay}`],
    pools: {
      script: { application: 'script.ts', threads: THREADS, paths: ['/script/*'] },
      hello: { application: 'hello.ts', threads: 1, paths: ['/hello'] },
    },
  });
}

async function measure(context: BenchContext, { program, origin, config }: Server, isProfiled: boolean) {
  await assertAnswer(origin, PATH, scriptWork(ROUNDS_OF_WORK), program.name);
  const options = { url: origin + PATH, connections: 1, streams: IN_FLIGHT };
  await load({ ...options, seconds: 2 });
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-profile-'));
  try {
    await askPause(program);
    // The profile begins and ends under load. How fast that is also depends on the start of the command and
    // on its conversion.
    const begins = load({ ...options, seconds: 3 });
    const profile = isProfiled ? await startProfile(config, folder) : null;
    await begins;
    const { requestsPerSecond } = await load({ ...options, seconds: context.isQuick ? 2 : 8 });
    const ends = load({ ...options, seconds: 3 });
    await profile?.end();
    await ends;
    return { 'requests per second': requestsPerSecond, 'reactor pause ms': await askPause(program) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resolves when the server is profiling. */
async function startProfile(config: string, folder: string): Promise<{ end(): Promise<void> }> {
  const flags = ['--seconds', '250', '--no-clinic', '--output', join(folder, 'out')];
  const words = [command, 'profile', 'cpu', '--config', config, ...flags];
  const profile = new Program('sluice profile', process.execPath, words);
  while (!profile.output.includes('is profiled for')) {
    profile.assertAlive();
    await Promise.race([
      profile.exited,
      new Promise((resolve) => profile.child.stderr?.once('data', resolve)),
    ]);
  }
  const end = async (): Promise<void> => {
    profile.child.kill('SIGINT');
    const code = await profile.exited;
    if (code !== 0) throw new Error(`sluice profile ended with ${code}: ${profile.output}`);
  };
  return { end };
}

/** What loop-delay.ts prints on the signal. */
async function askPause(program: Program): Promise<number> {
  const before = program.output.length;
  program.child.kill('SIGUSR2');
  for (;;) {
    const said = /longest pause: ([\d.]+) ms/.exec(program.output.slice(before));
    if (said !== null) return Number(said[1]);
    await new Promise((resolve) => program.child.stdout?.once('data', resolve));
  }
}
