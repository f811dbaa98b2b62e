/**
 * Messages between threads: actors compared with the usual ways. bench/actors/ has the measured processes.
 */
import { fileURLToPath } from 'node:url';
import type { ActorContender, KeysMeasured, Measured, Measurement } from '../actors/measure.ts';
import { STREAM_ITEMS } from '../actors/work.ts';
import type { BenchContext, Comparison, Scenario, ScenarioResult, Target } from '../comparison.ts';
import { formatNumber } from '../comparison.ts';
import { runProgram } from '../processes.ts';

const PROGRAM = fileURLToPath(new URL('../actors/measure.ts', import.meta.url));
const PATIENCE_MS = 300_000;
const MEBIBYTE = 1_048_576;

const POST: ActorContender = 'postMessage';
const RELAYED: ActorContender = 'postMessage, by way of the main thread';
const SLUICE: ActorContender = 'Sluice';
const TRACED: ActorContender = 'Sluice, with a trace';
const BY_REACTOR: ActorContender = 'Sluice, by way of its reactor';
const REUSES: ActorContender = 'Sluice, reuseMemory';
const COMLINK: ActorContender = 'Comlink';
const COPIES: ActorContender = 'two copies in one thread';

interface Case {
  readonly title: string;
  readonly contenders: readonly ActorContender[];
  readonly load: Omit<Measurement, 'contender' | 'milliseconds'>;
  readonly unit: string;
  readonly targets: readonly Target[];
  readonly cpuTargets: readonly Target[];
}

const atLeast = (contender: ActorContender, limit: number): Target => ({
  contender,
  of: 'ratio',
  bound: 'at least',
  limit,
});

const CASES: readonly Case[] = [
  {
    title: '64 asks in flight',
    contenders: [POST, RELAYED, COMLINK, SLUICE, TRACED, BY_REACTOR],
    load: { load: 'ask', inFlight: 64, isBusy: false },
    unit: 'asks/s',
    targets: [atLeast(SLUICE, 1.5)],
    cpuTargets: [{ contender: TRACED, of: 'value', bound: 'at most', limit: 5 }],
  },
  {
    title: '1 ask in flight',
    contenders: [POST, RELAYED, COMLINK, SLUICE, TRACED],
    load: { load: 'ask', inFlight: 1, isBusy: false },
    unit: 'asks/s',
    targets: [atLeast(SLUICE, 0.9)],
    cpuTargets: [],
  },
  {
    title: '1 ask in flight beside a thread that computes',
    contenders: [POST, RELAYED, SLUICE],
    load: { load: 'ask', inFlight: 1, isBusy: true },
    unit: 'asks/s',
    targets: [atLeast(SLUICE, 0.9)],
    cpuTargets: [],
  },
  {
    title: 'a stream of chunks of 1 MiB',
    contenders: [COPIES, POST, SLUICE, REUSES],
    load: { load: 'stream', inFlight: 1, isBusy: false },
    unit: 'chunks/s',
    targets: [atLeast(REUSES, 0.7)],
    cpuTargets: [],
  },
];

/** Further contenders for the first case, and its targets. */
const AGAINST: readonly (readonly [string, ActorContender, number])[] = [
  ['Comlink', COMLINK, 5],
  ['postMessage by way of the main thread', RELAYED, 4],
];
/** Contenders whose main thread may have work. */
const MAIN_LOOPS: readonly ActorContender[] = [RELAYED, SLUICE, BY_REACTOR];
/** Direct channels leave the reactor nothing to do but its own timers. */
const MOST_MAIN_LOOP_PERCENT = 5;

const KEYS = 10_000;
const MESSAGES = 1_000_000;
const MOST_GROWTH_MIB = 64;

export const actors: Scenario = { name: 'actors', title: 'Messages between threads', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const milliseconds = context.isQuick ? 500 : 2_000;
  const comparisons: Comparison[] = [];
  for (const { title, contenders, load, unit, targets, cpuTargets } of CASES) {
    const rates: Record<string, number[]> = Object.fromEntries(contenders.map((name) => [name, []]));
    const cpu: Record<string, number[]> = Object.fromEntries(contenders.map((name) => [name, []]));
    const main: Record<string, number[]> = Object.fromEntries(MAIN_LOOPS.map((name) => [name, []]));
    for (let round = 0; round < context.rounds; round++) {
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
        const measured = await measure<Measured>(context, title, contender, {
          contender,
          ...load,
          milliseconds,
        });
        rates[contender]?.push(Math.round(measured.perSecond));
        cpu[contender]?.push(Math.round(measured.cpuMicroseconds * 100) / 100);
        main[contender]?.push(Math.round(measured.mainLoopPercent * 100) / 100);
      }
    }
    const baseline = contenders[0] as string;
    comparisons.push({ title, unit, baseline, samples: rates, targets });
    if (title === CASES[0]?.title) {
      for (const [against, other, limit] of AGAINST) {
        const both = { [other]: rates[other] ?? [], [SLUICE]: rates[SLUICE] ?? [] };
        const compared = { title: `${title}, against ${against}`, unit, baseline: other };
        comparisons.push({ ...compared, samples: both, targets: [atLeast(SLUICE, limit)] });
      }
      const idle: Target = {
        contender: SLUICE,
        of: 'value',
        bound: 'at most',
        limit: MOST_MAIN_LOOP_PERCENT,
      };
      comparisons.push({
        title: `the main thread's event loop at work, ${title}`,
        unit: '%',
        baseline: RELAYED,
        samples: main,
        targets: [idle],
      });
    }
    // The cost of the thread that computes is included, so the figure would say nothing.
    if (load.isBusy) continue;
    comparisons.push({
      title: `CPU for each, ${title}`,
      unit: 'µs',
      baseline,
      samples: cpu,
      targets: cpuTargets,
    });
  }
  comparisons.push(...(await measureKeys(context)));
  return {
    comparisons,
    method:
      'One thread calls, another replies, and nothing else runs. Each measurement has a process of its own, whose total CPU time is divided by the number of replies. ' +
      'Asks carry an object of three properties, and the reply is another one. postMessage and Comlink use a port between the two threads or, where the table says so, go through the main thread. ' +
      'Sluice uses a direct channel once a run has warmed up, with a deadline on every call; tells, and the measurements without direct channels, go through its reactor. ' +
      'A stream sends the same buffer as chunk after chunk, which the reader drops. Each chunk has memory of its own or, with reuseMemory, is copied into the memory of an earlier one. ' +
      'It is compared with the two copies that a ring needs at least, made in one thread between buffers that are reused, and with structured clones ' +
      `with the same window of ${STREAM_ITEMS}. ${MESSAGES.toLocaleString('en')} tells go to ${KEYS.toLocaleString('en')} random keys, 512 in flight at a time; each key counts them and checks their order. ` +
      'The memory is the most by which the process grew while the second such million was sent.',
  };
}

async function measureKeys(context: BenchContext): Promise<Comparison[]> {
  const messages = context.isQuick ? MESSAGES / 10 : MESSAGES;
  const title = `${messages.toLocaleString('en')} messages through ${KEYS.toLocaleString('en')} keys`;
  const samples = { rate: [] as number[], cpu: [] as number[], memory: [] as number[] };
  for (let round = 0; round < context.rounds; round++) {
    const asked = { keys: KEYS, messages };
    const measured = await measure<KeysMeasured>(context, title, SLUICE, asked);
    samples.rate.push(Math.round(measured.perSecond));
    samples.cpu.push(Math.round(measured.cpuMicroseconds * 100) / 100);
    samples.memory.push(Math.round((measured.grownBytes / MEBIBYTE) * 10) / 10);
  }
  const of = (name: keyof typeof samples) => ({ baseline: SLUICE, samples: { [SLUICE]: samples[name] } });
  const most: Target = { contender: SLUICE, of: 'value', bound: 'at most', limit: MOST_GROWTH_MIB };
  return [
    { title, unit: 'tells/s', ...of('rate') },
    { title: `CPU for each, ${title}`, unit: 'µs', ...of('cpu') },
    { title: `memory grown, ${title}`, unit: 'MiB', ...of('memory'), targets: [most] },
  ];
}

async function measure<M extends Measured>(
  context: BenchContext,
  title: string,
  contender: string,
  asked: object,
): Promise<M> {
  const output = await runProgram(contender, process.execPath, [PROGRAM, JSON.stringify(asked)], PATIENCE_MS);
  const measured = JSON.parse(output.trim().split('\n').at(-1) ?? '') as M;
  const { perSecond, cpuMicroseconds } = measured;
  context.progress(
    `  ${title}: ${contender}: ${formatNumber(perSecond)}/s, ${formatNumber(cpuMicroseconds)} µs of CPU`,
  );
  return measured;
}
