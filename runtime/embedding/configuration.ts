/** Reads the configuration of an embedded server, which is an object in place of a file. */
import { join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { changedOrigin, renamedOrigin } from '../config/effective.ts';
import { ConfigError, ConfigErrorCode, type ConfigProblem, describeValue } from '../config/errors.ts';
import { findMissingApplications, parseConfig } from '../config/load.ts';
import type { ConfigInput } from '../config/schema.ts';
import { findRefusedFlags } from '../server/pool-flags.ts';

const SOURCE = 'configuration';
/** The process decides what happens to the output of applications. */
const PRINTS = 'untouched';

/**
 * @param directory that relative paths start from
 * @throws ConfigError with everything that is wrong
 */
export function readConfiguration(configuration: ConfigInput, directory: string): Config {
  const config = parse(toJson(configuration), join(resolve(directory), 'runtime.config.json'));
  const missing = findMissingApplications(config);
  if (missing.length > 0) throw new ConfigError(SOURCE, missing);
  const refused = findRefusedFlags(config);
  if (refused.length > 0) throw new ConfigError(SOURCE, refused);
  const ofCommand = findOutputsOfCommand(configuration);
  if (ofCommand.length > 0) throw new ConfigError(SOURCE, ofCommand);
  // Unlike the command, an embedded server opens a control socket only if the configuration has the section.
  const hasControl = configuration.control !== undefined && config.control.enabled;
  return {
    ...config,
    control: { ...config.control, enabled: hasControl },
    log: { ...config.log, prints: PRINTS },
    origin: changedOrigin(renamedOrigin(config.origin, 'createServer'), [
      { where: '$.log.prints', value: PRINTS, source: 'createServer' },
    ]),
  };
}

/**
 * Options of `createServer` replace these settings. If they were ignored silently, their author would look for log lines that are never
 * written.
 */
function findOutputsOfCommand({ log }: ConfigInput): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const refuse = (where: string, expected: string, received: string, hint: string) =>
    problems.push({ code: ConfigErrorCode.Unsupported, where, expected, received, hint });
  if (log?.file !== undefined)
    refuse(
      '$.log.file',
      'no file in an embedded server, whose process has the log',
      describeValue(log.file),
      'take the lines with the option log of createServer',
    );
  if (log?.prints !== undefined && log.prints !== PRINTS)
    refuse(
      '$.log.prints',
      `"${PRINTS}" or nothing in an embedded server`,
      describeValue(log.prints),
      'take what applications print with the option prints of createServer',
    );
  return problems;
}

function toJson(configuration: unknown): string {
  const found = typeof configuration === 'function' ? 'a function' : undefined;
  try {
    const text: string | undefined = JSON.stringify(configuration);
    if (text !== undefined) return text;
  } catch (error) {
    throw new ConfigError(SOURCE, [notJson(String(error))]);
  }
  throw new ConfigError(SOURCE, [notJson(found ?? String(configuration))]);
}

function notJson(received: string): ConfigProblem {
  const expected = 'an object of what JSON has: strings, numbers, true and false, arrays and objects';
  return { code: ConfigErrorCode.WrongType, where: '$', expected, received };
}

/** Lines and columns are left out, because they would refer to a text that the caller has never seen. */
function parse(text: string, file: string): Config {
  try {
    return parseConfig(text, file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ line: _line, column: _column, ...problem }) => problem);
    throw new ConfigError(SOURCE, problems);
  }
}
