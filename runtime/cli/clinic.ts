/**
 * `sluice doctor|flame|bubbleprof|heapprofiler`: starts the configured server as the tool needs it, generates load
 * or waits for some, and prints the path of the report and what to look at first.
 */
import { dirname } from 'node:path';
import { failuresBetween } from '../clinic/failures.ts';
import type { ClinicTool } from '../clinic/injected.ts';
import { type Clinic, ClinicError, findClinic } from '../clinic/installed.ts';
import { Load, LoadError, originOf, ownLoad, withOrigin } from '../clinic/load.ts';
import { ServerRun, ServerRunError } from '../clinic/server-run.ts';
import { TurnWatch } from '../clinic/turn-watch.ts';
import { judge } from '../clinic/verdict.ts';
import type { Config } from '../config/config.ts';
import { ConfigError, describeProblems } from '../config/errors.ts';
import { findMissingApplications, loadConfig } from '../config/load.ts';
import { ControlRefusal, ControlSocketError } from '../control/errors.ts';
import { StopSignals } from '../process/stop-signals.ts';
import { ProfileFolder, ProfileFolderError } from '../profiling/profile-folder.ts';
import type { ServerStatus } from '../status/status-types.ts';
import { parseArguments } from './arguments.ts';
import { type ClinicArguments, clinicUsage, readClinicArguments, UsageError } from './clinic-arguments.ts';
import { recordByClinic } from './clinic-pages.ts';
import { recordProfiles } from './clinic-profiles.ts';
import type { Session } from './clinic-session.ts';
import { ExitCode } from './exit-code.ts';
import { type Environment, readSettings } from './settings.ts';

const INTERRUPTED = 130;
const BUBBLEPROF_NOTE =
  'bubbleprof itself keeps the reactor busy, which the verdict does not know: sluice doctor has one without it';

/** @param words behind the tool's name */
export async function clinic(
  tool: ClinicTool,
  words: readonly string[],
  environment: Environment,
): Promise<number> {
  if (words.some((word) => word === '--help' || word === '-h')) {
    print(clinicUsage(tool));
    return ExitCode.Ok;
  }
  try {
    const given = readClinicArguments(tool, words);
    const config = readConfig(given, environment);
    const missing = findMissingApplications(config);
    if (missing.length > 0) return fail(describeProblems(config.file, missing), ExitCode.ApplicationFailed);
    return await profile(tool, given, config, findClinic(dirname(config.file)));
  } catch (error) {
    if (error instanceof UsageError) {
      return fail(`${error.message}\n${clinicUsage(tool)}`, ExitCode.ConfigWrong);
    }
    if (error instanceof ConfigError) {
      return fail(describeProblems(error.source, error.problems), ExitCode.ConfigWrong);
    }
    if (error instanceof ServerRunError) return fail(error.message, error.exitCode || ExitCode.Failed);
    if (
      error instanceof ClinicError ||
      error instanceof ControlRefusal ||
      error instanceof ControlSocketError
    ) {
      return fail(`${error.message} [${error.code}]`, ExitCode.Failed);
    }
    if (error instanceof LoadError || error instanceof ProfileFolderError) {
      return fail(error.message, ExitCode.Failed);
    }
    throw error;
  }
}

/** As `sluice start` reads it. */
function readConfig({ startWords, pool }: ClinicArguments, environment: Environment): Config {
  const { flags, problems } = parseArguments(['start', ...startWords]);
  const settings = readSettings(flags, environment);
  const config = loadConfig(settings.file, settings.overrides, [...problems, ...settings.problems]);
  const pools = Object.keys(config.pools);
  if (pool === undefined || pools.includes(pool)) return config;
  throw new UsageError(`--pool: expected one of ${pools.join(', ')}, got ${pool}`);
}

async function profile(
  tool: ClinicTool,
  given: ClinicArguments,
  config: Config,
  installed: Clinic,
): Promise<number> {
  const folder = new ProfileFolder(given.output);
  const run = new ServerRun(config);
  const interrupts = new Interrupts(() => {
    interrupts.load?.kill();
    run.clear();
    folder.removeIfEmpty();
    process.exit(INTERRUPTED);
  });
  try {
    const session = { given, config, clinic: installed, run, folder };
    const record = tool === 'doctor' || tool === 'bubbleprof' ? recordByClinic : recordProfiles;
    const recording = await record(tool, session);
    const before = await run.status();
    const watch = new TurnWatch(() => run.status());
    await makeLoad(session, before, interrupts).finally(() => watch.end());
    const longestTurnsMs = await watch.end();
    const after = await run.status();
    const { files, notes } = await recording.finish(after);
    for (const note of [...notes, ...failuresBetween(before, after, given.pool)]) say(note);
    if (tool === 'bubbleprof') say(BUBBLEPROF_NOTE);
    for (const { pool, cause, because, look } of judge(before, after, longestTurnsMs, given.pool)) {
      print(`${pool}: ${cause}: ${because}`);
      print(`  look at: ${look}`);
    }
    for (const file of files) print(file);
    return files.length > 0 ? ExitCode.Ok : ExitCode.Failed;
  } finally {
    interrupts.load?.kill();
    run.clear();
    folder.removeIfEmpty();
  }
}

async function makeLoad(
  { given, clinic: installed }: Session,
  { listeners }: ServerStatus,
  interrupts: Interrupts,
): Promise<void> {
  const { load: path, command, seconds, connections } = given;
  if (path === undefined && command.length === 0) {
    const interrupted = interrupts.waitForFirst();
    say('the server listens: make your load now; Ctrl-C ends the server and makes the report');
    await interrupted;
    return;
  }
  const origin = originOf(listeners);
  if (origin === null) {
    throw new LoadError(
      'expected a listener with a port for the load, found Unix domain sockets only; give --address',
    );
  }
  const words =
    path === undefined
      ? withOrigin(command, origin)
      : ownLoad({ path, seconds, connections }, origin, installed, process.env.PATH);
  say(`the load: ${words.join(' ')}`);
  const load = new Load(words, origin, installed);
  interrupts.load = load;
  await load.done();
}

/** Ctrl-C ends the load first, or the wait for one; before that, and the second time, everything. */
class Interrupts {
  load: Load | null = null;
  readonly #first: Promise<void>;
  #isAwaited = false;

  constructor(endAll: () => void) {
    const { first, second } = new StopSignals();
    this.#first = first;
    void first.then(() => {
      if (this.load !== null) this.load.interrupt();
      else if (!this.#isAwaited) endAll();
    });
    void second.then(endAll);
  }

  waitForFirst(): Promise<void> {
    this.#isAwaited = true;
    return this.#first;
  }
}

function say(text: string): void {
  process.stderr.write(`sluice: ${text}\n`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(text: string, code: number): number {
  say(text);
  return code;
}
