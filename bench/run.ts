/**
 * The benchmark's command line: `npm run bench -- [--only a,b] [--quick] [--rounds N]`.
 *
 * Runs the scenarios one after another, prints their tables, and writes bench/results unless the run was
 * quick. Everything that it starts is ended, also on Ctrl-C. A server that crashes or responds wrongly ends
 * the run with exit code 1. A missed target is only printed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchContext, Scenario } from './comparison.ts';
import { writeFigures } from './figures.ts';
import { describeMachine, loadAverage } from './machine.ts';
import { drawResults } from './plots.ts';
import { type Result, renderResult, renderTargets, writeReadme, writeResult } from './report.ts';
import { actors } from './scenarios/actors.ts';
import { breakEven } from './scenarios/break-even.ts';
import { channel } from './scenarios/channel.ts';
import { compute } from './scenarios/compute.ts';
import { faces } from './scenarios/faces.ts';
import { frameworksHttp1 } from './scenarios/frameworks-http1.ts';
import { growth } from './scenarios/growth.ts';
import { heavyTail } from './scenarios/heavy-tail.ts';
import { idle, idleHttp1 } from './scenarios/idle.ts';
import { isolation } from './scenarios/isolation.ts';
import { lightRoute } from './scenarios/light-route.ts';
import { nginx } from './scenarios/nginx.ts';
import { oneAtATime } from './scenarios/one-at-a-time.ts';
import { profilePage } from './scenarios/profile-page.ts';
import { profiling } from './scenarios/profiling.ts';
import { rendering } from './scenarios/rendering.ts';
import { small } from './scenarios/small.ts';
import { smallHttp1 } from './scenarios/small-http1.ts';
import { smallTls } from './scenarios/small-tls.ts';
import { stalled } from './scenarios/stalled.ts';
import { start } from './scenarios/start.ts';
import { topics } from './scenarios/topics.ts';
import { transfer } from './scenarios/transfer.ts';
import { transferHttp1 } from './scenarios/transfer-http1.ts';
import { warmThread } from './scenarios/warm-thread.ts';
import { calibrateWork } from './work.ts';

const scenarios: readonly Scenario[] = [
  small,
  smallTls,
  smallHttp1,
  oneAtATime,
  faces,
  frameworksHttp1,
  nginx,
  rendering,
  growth,
  compute,
  breakEven,
  lightRoute,
  heavyTail,
  warmThread,
  isolation,
  transfer,
  transferHttp1,
  channel,
  actors,
  topics,
  stalled,
  idle,
  idleHttp1,
  start,
  profiling,
  profilePage,
];
const names = scenarios.map(({ name }) => name);
const DEFAULT_ROUNDS = 3;

interface Arguments {
  readonly chosen: readonly Scenario[];
  readonly isQuick: boolean;
  readonly rounds: number;
}

function parseArguments(): Arguments {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, quick: { type: 'boolean' }, rounds: { type: 'string' } },
  });
  const only = values.only?.split(',') ?? names;
  for (const name of only) {
    if (!names.includes(name)) throw new Error(`--only: expected some of ${names.join(', ')}, got ${name}`);
  }
  const isQuick = values.quick ?? false;
  const rounds = Number(values.rounds ?? (isQuick ? 1 : DEFAULT_ROUNDS));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds: expected a whole number from 1, got ${values.rounds}`);
  return { chosen: scenarios.filter(({ name }) => only.includes(name)), isQuick, rounds };
}

async function main(): Promise<void> {
  const { chosen, isQuick, rounds } = parseArguments();
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const context: Omit<BenchContext, 'versions'> = {
    isQuick,
    rounds,
    directory,
    workIterations: calibrateWork(),
    progress: (line) => process.stderr.write(`${line}\n`),
  };
  const machine = describeMachine();
  const verdicts: string[] = [];
  for (const scenario of chosen) {
    context.progress(scenario.title);
    const missing = scenario.missing?.() ?? null;
    if (missing !== null) {
      context.progress(`  left out: ${missing}`);
      continue;
    }
    const load = loadAverage();
    const versions = new Map<string, string>();
    const outcome = await scenario.run({ ...context, versions });
    const result: Result = {
      name: scenario.name,
      title: scenario.title,
      machine,
      command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(
        ' ',
      ),
      date: new Date().toISOString().slice(0, 10),
      rounds,
      loadAverage: load,
      ...(versions.size > 0 && { versions: Object.fromEntries(versions) }),
      ...outcome,
    };
    if (!isQuick) writeResult(result);
    process.stdout.write(`${renderResult(result).join('\n')}\n\n`);
    verdicts.push(...renderTargets(result));
  }
  if (!isQuick) {
    writeReadme(names);
    writeFigures();
    drawResults();
  }
  process.stdout.write(`${verdicts.join('\n')}\n`);
  if (isQuick)
    process.stdout.write('\nA quick run: these figures show that it works and are not for the table.\n');
}

try {
  await main();
} catch (error) {
  console.error('The bench failed:', error);
  process.exit(1);
}
