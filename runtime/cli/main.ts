/** The commands of `sluice`. Each returns the exit code of the process. */

import { clinicToolOf, isClinicTool } from '../clinic/injected.ts';
import type { Config } from '../config/config.ts';
import { ConfigError, ConfigErrorCode, type ConfigProblem, describeProblems } from '../config/errors.ts';
import { findMissingApplications, loadConfig } from '../config/load.ts';
import { warningsOf } from '../config/warnings.ts';
import type { FindOptions } from '../control/find.ts';
import type { LogOutput } from '../logging/log.ts';
import { Hangups } from '../process/hangup.ts';
import { StopSignals } from '../process/stop-signals.ts';
import { readVersion } from '../process/version.ts';
import { findRefusedFlags } from '../server/pool-flags.ts';
import { isAdminCommand } from './admin-arguments.ts';
import { type Command, parseArguments } from './arguments.ts';
import type { Answer, AskedConfig } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';
import { commandHelp, helpText, usage } from './help.ts';
import { readAsked } from './invalid-config.ts';
import { libuvThreads, libuvThreadsVariable } from './libuv-threads.ts';
import { type Environment, findMistypedVariables, type ReadSettings, readSettings } from './settings.ts';
import { standardOutputFailure, watchStandardOutput } from './standard-output.ts';

export async function main(words: readonly string[], environment: Environment): Promise<number> {
  const [first, ...rest] = words;
  if (first === 'profile') {
    const { profile } = await import('./profile.ts');
    return profile(rest, environment);
  }
  if (first === 'init') {
    const { init } = await import('./init.ts');
    return tell(init(rest, process.cwd()));
  }
  if (isAdminCommand(first)) {
    watchStandardOutput();
    const [{ admin }, { processOutput }] = await Promise.all([import('./admin.ts'), import('./output.ts')]);
    return tell(await admin(first, rest, environment, processOutput()));
  }
  if (isClinicTool(first)) {
    const { clinic } = await import('./clinic.ts');
    return clinic(first, rest, environment);
  }
  const { command, about, flags, problems } = parseArguments(words);
  if (command === 'help') return help(about, environment);
  if (command === 'profile') {
    complain('expected profile in front of its flags: sluice profile cpu --config FILE');
    return ExitCode.ConfigWrong;
  }
  if (command === 'init') {
    complain('expected init in front of its flags: sluice init --kind fetch');
    return ExitCode.ConfigWrong;
  }
  if (command === 'version') return print(`${readVersion()}\n`);
  const settings = readSettings(flags, environment);
  // Without a command no configuration is needed.
  if (command === undefined) return refuse('command line', [...problems, ...settings.problems], usage);
  if (isClinicTool(command) || isAdminCommand(command))
    return refuse('command line', [notFirst(command)], usage);
  for (const warning of findMistypedVariables(environment)) complain(`warning: ${warning}`);
  const wrong = [...problems, ...settings.problems];
  const read = () => loadConfig(settings.file, settings.overrides, wrong);
  const ask = questions[command];
  let config: Config;
  try {
    if (ask !== undefined) {
      watchStandardOutput();
      const find = { environment, ...(settings.pid !== undefined && { pid: settings.pid }) };
      // A reload is about the file as it is now, and what is wrong with the command line is told first.
      const mustBeValid = command === 'reload' || wrong.length > 0;
      const asked = mustBeValid ? read() : await readAsked(settings.file, read, find, complain);
      return tell(await ask(asked, find));
    }
    config = read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return refuse(error.source, error.problems, problems.length > 0 ? usage : undefined);
  }
  return command === 'check' ? check(config, settings, environment) : start(config, settings, environment);
}

/** @param about the command to explain; undefined for all of them */
function help(about: Command | undefined, environment: Environment): number | Promise<number> {
  if (about === undefined || about === 'help' || about === 'version') return print(helpText());
  const text = commandHelp(about);
  // Commands that parse their own arguments print their own help.
  return text === null ? main([about, '--help'], environment) : print(text);
}

/** Commands that ask running servers. */
const questions: {
  readonly [Name in Command]?: (config: AskedConfig, find: FindOptions) => Promise<Answer>;
} = {
  status: async (config, find) =>
    (await import('./status.ts')).askStatus(config, find, process.stdout.isTTY === true),
  reload: async (config, find) =>
    (await import('./reload.ts')).askReload(config, find, (text) => void process.stdout.write(text)),
  stop: async (config, find) => (await import('./stop.ts')).askStop(config, find),
  ps: async (config, find) => (await import('./top.ts')).showPools(config, find),
  top: async (config, find) => {
    const { processScreen, watchPools } = await import('./top.ts');
    return watchPools(config, find, processScreen());
  },
};

async function tell({ exitCode, text, complaints = [] }: Answer): Promise<number> {
  const printed = await print(text);
  for (const complaint of complaints) complain(complaint.trimEnd());
  return exitCode === ExitCode.Ok ? printed : exitCode;
}

async function check(
  config: Config,
  { overrides, file, load, effective }: ReadSettings,
  environment: Environment,
): Promise<number> {
  const missing = findMissingApplications(config);
  if (missing.length > 0) return refuse(file, missing);
  const refused = findRefusedFlags(config);
  if (refused.length > 0) return refuse(file, refused);
  const wrong = await checkTls(config);
  if (wrong !== null) return refuse(wrong.source, wrong.problems);
  for (const { code, where, message } of warningsOf(config))
    complain(`warning: ${where}: ${message} [${code}]`);
  if (load) {
    const { loadFailures } = await import('./load-check.ts');
    const failures = await loadFailures(config);
    for (const failure of failures) complain(failure);
    if (failures.length > 0) return ExitCode.ApplicationFailed;
  }
  if (effective) {
    const { effectiveTable } = await import('./effective-table.ts');
    return print(effectiveTable(config.origin.values()));
  }
  const { summarize } = await import('./summary.ts');
  return print(summarize(config, overrides, libuvThreads(config, environment), process.cwd()));
}

/** Reads certificates and keys as a start would, and warns of those that clients will reject. */
async function checkTls(config: Config): Promise<ConfigError | null> {
  if (config.listeners.every(({ tls }) => tls === null)) return null;
  const { readAll } = await import('../tls/certificates.ts');
  try {
    const materials = await readAll(config.listeners, config.file, null);
    for (const { warnings } of materials.values()) {
      for (const { code, where, message } of warnings) complain(`warning: ${where}: ${message} [${code}]`);
    }
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

async function start(
  config: Config,
  { file, overrides, watch }: ReadSettings,
  environment: Environment,
): Promise<number> {
  const signals = new StopSignals();
  const hangups = new Hangups();
  const missing = findMissingApplications(config);
  if (missing.length > 0) {
    complain(describeProblems(config.file, missing));
    return ExitCode.ApplicationFailed;
  }
  const refused = findRefusedFlags(config);
  if (refused.length > 0) return refuse(config.file, refused);
  const libuv = libuvThreads(config, environment);
  // Before libuv gets its first task.
  if (!libuv.isSet) process.env[libuvThreadsVariable] = String(libuv.count);
  const { configuredOutput, createLog } = await import('../logging/log.ts');
  const { LogFileError } = await import('../logging/log-file.ts');
  const { reopenOnSignal } = await import('../logging/log-rotation.ts');
  const { standardPrints } = await import('../logging/standard-prints.ts');
  const { tellOfUnusedSignal } = await import('../process/unused-signals.ts');
  const { endOnUncaughtError, untilExit, Unended } = await import('../process/process-end.ts');
  const { serve } = await import('../process/serve.ts');
  const { configReader } = await import('../reload/read-config.ts');
  const { LogTail } = await import('../logging/log-tail.ts');
  const isAskable = config.control.enabled || config.admin !== null;
  const tail = new LogTail(isAskable ? config.control.logBytes : 0);
  let output: LogOutput;
  try {
    output = configuredOutput(config.log);
  } catch (error) {
    if (!(error instanceof LogFileError)) throw error;
    complain(`${error.message} [${error.code}]`);
    return ExitCode.Failed;
  }
  const log = createLog(config.log, output, tail);
  reopenOnSignal(output, log);
  tellOfUnusedSignal(log);
  const prints = standardPrints(log, config.log, output, tail);
  const tool = clinicToolOf({ execArgv: process.execArgv, environment: process.env });
  const clinic = tool === null ? null : (await import('../clinic/main-thread.ts')).beginUnderClinic(tool);
  const unended = new Unended((thread) => output.file?.isOwn(thread) === true);
  endOnUncaughtError(log, ExitCode.Failed);
  let exitCode: number;
  try {
    const read = configReader(file, overrides);
    if (!watch) exitCode = await serve(config, log, prints, signals, hangups, read, tail);
    else {
      const { Development } = await import('../watch/development.ts');
      const { configOf } = Development;
      const development = new Development(config.file, log);
      const readDevelopment = async () => configOf(await read());
      const served = configOf(config);
      exitCode = await serve(served, log, prints, signals, hangups, readDevelopment, tail, development);
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    exitCode = refuse(error.source, error.problems);
  }
  await untilExit(unended, log, output, exitCode);
  if (exitCode === ExitCode.Ok) await clinic?.finish(exitCode);
  return exitCode;
}

function notFirst(command: string): ConfigProblem {
  const expected = `${command} in front of its flags`;
  return { code: ConfigErrorCode.UnknownCommand, where: 'command', expected, received: 'it behind a flag' };
}

function refuse(source: string, problems: readonly ConfigProblem[], more?: string): number {
  complain(describeProblems(source, problems));
  if (more !== undefined) process.stderr.write(`\n${more}\n"sluice help" says more.\n`);
  return ExitCode.ConfigWrong;
}

function complain(message: string): void {
  process.stderr.write(`sluice: ${message}\n`);
}

/** Resolves when the text is written. Writes to a pipe are asynchronous, and the process ends right after. */
function print(text: string): Promise<number> {
  watchStandardOutput();
  return new Promise((resolve) => {
    // The callback is called in any case, and before the error is reported.
    process.stdout.write(text, () => setImmediate(() => resolve(printed())));
  });
}

function printed(): ExitCode {
  const failure = standardOutputFailure();
  if (failure === null) return ExitCode.Ok;
  complain(`standard output: ${failure.message}`);
  return ExitCode.Failed;
}
