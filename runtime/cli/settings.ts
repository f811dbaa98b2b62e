/**
 * All settings of the command line and the environment, as one table: flags, variables, help and parsing come from
 * it. A flag overrides its variable, a variable overrides the file, the file overrides the default.
 */

import { type ListenerAddress, parseAddress } from '../config/address.ts';
import { closest } from '../config/closest.ts';
import { parseDuration } from '../config/duration.ts';
import { ConfigErrorCode, type ConfigProblem, describeValue } from '../config/errors.ts';
import { logFormats, logLevels } from '../config/log-schema.ts';
import type { ConfigOverrides, Override } from '../config/overrides.ts';
import { parseThreadRange } from '../config/thread-range.ts';

export type SettingName =
  | 'config'
  | 'address'
  | 'port'
  | 'dev-tls'
  | 'watch'
  | 'load'
  | 'effective'
  | 'pid'
  | 'threads'
  | 'drain-timeout'
  | 'log-level'
  | 'log-format';

export interface Setting {
  readonly name: SettingName;
  readonly short?: string;
  /** Empty for a switch, which takes no value. */
  readonly placeholder: string;
  /** The first variable that is set counts; may be empty. */
  readonly variables: readonly string[];
  readonly description: string;
  /** May be given more than once, and as a list with commas. */
  readonly repeatable?: true;
}

export const settings: readonly Setting[] = [
  {
    name: 'config',
    short: 'c',
    placeholder: 'FILE',
    variables: ['SLUICE_CONFIG'],
    description:
      'The configuration file, or an application module, which then gets every request. Default: ./runtime.config.json',
  },
  {
    name: 'address',
    placeholder: 'HOST:PORT',
    variables: ['SLUICE_ADDRESS'],
    description:
      'Listen on this address instead of those in the file. Repeat the flag, or separate addresses with commas, for several.',
    repeatable: true,
  },
  {
    name: 'port',
    placeholder: 'N',
    // Kubernetes sets SLUICE_PORT for a service named sluice, to something other than a port.
    variables: [],
    description: 'Listen on this port of 127.0.0.1: short for --address 127.0.0.1:N.',
  },
  {
    name: 'dev-tls',
    placeholder: '',
    variables: ['SLUICE_DEV_TLS'],
    description: 'Give listeners without TLS a self-signed certificate for localhost, made at the start.',
  },
  {
    name: 'watch',
    placeholder: '',
    variables: ['SLUICE_WATCH'],
    description:
      'For development, with start: reload a pool when a file that it has loaded changes, and all pools when the configuration changes.',
  },
  {
    name: 'load',
    placeholder: '',
    variables: [],
    description:
      'With check: load the applications too, in threads that are then discarded. Side effects of loading do happen.',
  },
  {
    name: 'effective',
    placeholder: '',
    variables: [],
    description:
      'With check: print every value that would be in force, and where it comes from: a default, the file and its line, a flag or a variable.',
  },
  {
    name: 'pid',
    placeholder: 'PID',
    variables: [],
    description:
      'With reload, stop, ps, top and status: only the server in this process, if several run the configuration.',
  },
  {
    name: 'threads',
    placeholder: 'N or MIN-MAX',
    variables: ['SLUICE_THREADS', 'WEB_CONCURRENCY'],
    description: 'Threads of every pool: exactly N, or a range.',
  },
  {
    name: 'drain-timeout',
    placeholder: 'DURATION',
    variables: ['SLUICE_DRAIN_TIMEOUT'],
    description: 'Time for open exchanges to finish after SIGTERM or SIGINT: 500ms, 30s, 2m, 1h.',
  },
  {
    name: 'log-level',
    placeholder: 'LEVEL',
    variables: ['SLUICE_LOG_LEVEL'],
    description: `The least severe level to log: ${logLevels.join(', ')}.`,
  },
  {
    name: 'log-format',
    placeholder: 'FORMAT',
    variables: ['SLUICE_LOG_FORMAT'],
    description: `${logFormats.join(', ')}. auto is text on a terminal and JSON lines otherwise.`,
  },
];

export type Environment = Readonly<Record<string, string | undefined>>;
/** Flags as given: name → values in order. */
export type Flags = ReadonlyMap<string, readonly string[]>;

export interface ReadSettings {
  readonly file: string;
  readonly overrides: ConfigOverrides;
  /** `start` watches the files that it has loaded. */
  readonly watch: boolean;
  /** `check` loads the applications. */
  readonly load: boolean;
  /** `check` prints the configuration in force. */
  readonly effective: boolean;
  /** The process of the server to ask; undefined: every server of the configuration. */
  readonly pid: number | undefined;
  readonly problems: readonly ConfigProblem[];
}

const defaultFile = './runtime.config.json';

/** Reads every setting from the first source that has it, and collects all errors. */
export function readSettings(flags: Flags, environment: Environment): ReadSettings {
  const problems: ConfigProblem[] = [];
  const read = <Value>(name: SettingName, parse: Parse<Value>): Override<Value> | undefined => {
    const given = findGiven(name, flags, environment);
    if (given === undefined) return undefined;
    const value = parse(given.text, given.source);
    if (!isProblem(value)) return { value, source: given.source };
    problems.push(value);
    return undefined;
  };
  const listeners = readAddresses(findAddresses(flags, environment, problems), problems);
  const devTls = read('dev-tls', parseSwitch);
  const watch = read('watch', parseSwitch);
  if (watch?.value === true && environment.NODE_ENV === 'production') problems.push(notInProduction(watch));
  const load = read('load', parseSwitch);
  const effective = read('effective', parseSwitch);
  const pid = read('pid', parsePid);
  const threads = read('threads', parseThreadRange);
  const drainTimeoutMs = read('drain-timeout', parseDuration);
  const logLevel = read('log-level', (text, where) => parseChoice(text, where, logLevels));
  const logFormat = read('log-format', (text, where) => parseChoice(text, where, logFormats));
  const file = findGiven('config', flags, environment)?.text ?? defaultFile;
  const overrides = {
    ...(listeners && { listeners }),
    ...(devTls && { devTls }),
    ...(threads && { threads }),
    ...(drainTimeoutMs && { drainTimeoutMs }),
    ...(logLevel && { logLevel }),
    ...(logFormat && { logFormat }),
  };
  return {
    file,
    overrides,
    watch: watch?.value === true,
    load: load?.value === true,
    effective: effective?.value === true,
    pid: pid?.value,
    problems,
  };
}

/** With --watch, browsers see errors and sources. */
function notInProduction({ source }: Override<boolean>): ConfigProblem {
  return {
    code: ConfigErrorCode.Conflict,
    where: source,
    expected: 'no NODE_ENV=production beside it',
    received: 'both',
    hint: 'it is for development: reload a server in production by SIGHUP or sluice reload',
  };
}

/**
 * Finds variables that look like a misspelling of one of ours. These are warnings, because other programs may use the prefix too
 * (Kubernetes sets SLUICE_SERVICE_HOST and more for a service named sluice).
 */
export function findMistypedVariables(environment: Environment): string[] {
  const prefix = 'SLUICE_';
  const known = settings.flatMap(({ variables }) => variables).filter((name) => name.startsWith(prefix));
  const warnings: string[] = [];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(prefix) || known.includes(name)) continue;
    const near = closest(
      name.slice(prefix.length),
      known.map((variable) => variable.slice(prefix.length)),
    );
    if (near !== undefined) warnings.push(`the variable ${name} is not read; did you mean ${prefix}${near}?`);
  }
  return warnings;
}

type Parse<Value> = (text: string, where: string) => Value | ConfigProblem;

interface Given {
  readonly text: string;
  /** The flag or variable that has set it. */
  readonly source: string;
}

/** An empty variable counts as unset, as is usual: compose files and CI systems cannot always leave one out. */
function findGiven(name: SettingName, flags: Flags, environment: Environment): Given | undefined {
  const values = flags.get(name);
  if (values !== undefined) return { text: values.join(','), source: `--${name}` };
  const { variables } = settings.find((setting) => setting.name === name) ?? { variables: [] };
  const variable = variables.find((candidate) => environment[candidate]);
  return variable === undefined ? undefined : { text: environment[variable] ?? '', source: variable };
}

function findAddresses(flags: Flags, environment: Environment, problems: ConfigProblem[]): Given | undefined {
  const address = findGiven('address', flags, environment);
  const port = findGiven('port', flags, environment);
  if (port === undefined) return address;
  const where = port.source;
  if (address?.source === '--address') {
    const expected = 'either --address or --port';
    problems.push({ code: ConfigErrorCode.Conflict, where, expected, received: 'both' });
    return undefined;
  }
  if (/^\d{1,5}$/.test(port.text) && Number(port.text) < 65_536) {
    return { text: `127.0.0.1:${port.text}`, source: where };
  }
  const expected = 'a port from 0 to 65535';
  const problem = { code: ConfigErrorCode.WrongValue, where, expected, received: describeValue(port.text) };
  const isAddress = port.text.includes(':');
  problems.push(isAddress ? { ...problem, hint: `did you mean --address ${port.text}?` } : problem);
  return undefined;
}

function readAddresses(
  given: Given | undefined,
  problems: ConfigProblem[],
): Override<readonly ListenerAddress[]> | undefined {
  if (given === undefined) return undefined;
  const value: ListenerAddress[] = [];
  for (const text of given.text.split(',')) {
    const address = parseAddress(text.trim(), given.source, process.cwd());
    if (isProblem(address)) problems.push(address);
    else value.push(address);
  }
  return { value, source: given.source };
}

function parseSwitch(text: string, where: string): boolean | ConfigProblem {
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  const expected = '1, true, 0 or false';
  return { code: ConfigErrorCode.WrongValue, where, expected, received: describeValue(text) };
}

export function parsePid(text: string, where: string): number | ConfigProblem {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  const expected = 'the number of a process';
  return { code: ConfigErrorCode.WrongValue, where, expected, received: describeValue(text) };
}

function parseChoice<Choice extends string>(
  text: string,
  where: string,
  choices: readonly Choice[],
): Choice | ConfigProblem {
  const choice = choices.find((candidate) => candidate === text);
  if (choice !== undefined) return choice;
  const near = closest(text, choices);
  const expected = `one of ${choices.join(', ')}`;
  const problem = { code: ConfigErrorCode.WrongValue, where, expected, received: describeValue(text) };
  return near === undefined ? problem : { ...problem, hint: `did you mean ${near}?` };
}

function isProblem(value: unknown): value is ConfigProblem {
  return typeof value === 'object' && value !== null && 'code' in value;
}
