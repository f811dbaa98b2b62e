/** The configuration of an embedded server: an object where the command line has a file. */
import { join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { renamedOrigin } from '../config/effective.ts';
import { ConfigError, ConfigErrorCode, type ConfigProblem } from '../config/errors.ts';
import { findMissingApplications, parseConfig } from '../config/load.ts';
import type { ConfigInput } from '../config/schema.ts';
import { findRefusedFlags } from '../pool-flags.ts';

const SOURCE = 'configuration';

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
  // A process that embeds a server has not asked for a socket, unless it says so.
  const hasControl = configuration.control !== undefined && config.control.enabled;
  return {
    ...config,
    control: { ...config.control, enabled: hasControl },
    origin: renamedOrigin(config.origin, 'createServer'),
  };
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

/** Lines and columns would be those of a text that nobody has seen. */
function parse(text: string, file: string): Config {
  try {
    return parseConfig(text, file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ line: _line, column: _column, ...problem }) => problem);
    throw new ConfigError(SOURCE, problems);
  }
}
