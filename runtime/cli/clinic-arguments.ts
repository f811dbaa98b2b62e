/**
 * Parses the arguments of `sluice doctor`, `flame`, `heapprofiler` and `bubbleprof`: their own flags, those of
 * `sluice start`, and a command after `--`.
 */
import type { ClinicTool } from '../clinic/injected.ts';
import { CLINIC_VERSION } from '../clinic/installed.ts';
import { closest } from '../config/closest.ts';
import { settings } from './settings.ts';

export interface ClinicArguments {
  /** What is shown and judged; undefined: every pool. */
  readonly pool: string | undefined;
  readonly output: string;
  /** The path of a load that is made for the user. */
  readonly load: string | undefined;
  readonly seconds: number;
  readonly connections: number;
  /** The user's own load. Empty: none. */
  readonly command: readonly string[];
  /** For the server. */
  readonly startWords: readonly string[];
}

export class UsageError extends Error {}

const own = ['pool', 'output', 'load', 'seconds', 'connections'] as const;
type Own = (typeof own)[number];

const DEFAULT_SECONDS = 10;
const DEFAULT_CONNECTIONS = 10;

export function clinicUsage(tool: ClinicTool): string {
  return [
    `usage: sluice ${tool} [--pool POOL] [--output DIR] [flags of sluice start] [load]`,
    '  load:  --load PATH [--seconds N] [--connections N]   requests to PATH, by h2load or else autocannon',
    '         -- COMMAND...                                 a command; $URL and $PORT in it are the server’s',
    '         nothing: make a load yourself, and press Ctrl-C',
    `  --seconds ${DEFAULT_SECONDS}, --connections ${DEFAULT_CONNECTIONS} and --output ./sluice-${tool}-DATE-TIME are the defaults; --output is made, or is empty`,
    `  example: sluice ${tool} --load / --seconds 10`,
    `  needs clinic: npm install --save-dev --save-exact clinic@${CLINIC_VERSION}`,
    '  ends with 0 when there is a report, 2 for a wrong command line or configuration, 3 when an application does not load, else 1',
  ].join('\n');
}

/** @throws UsageError */
export function readClinicArguments(
  tool: ClinicTool,
  words: readonly string[],
  now = new Date(),
): ClinicArguments {
  const end = words.indexOf('--');
  const command = end === -1 ? [] : words.slice(end + 1);
  const values = new Map<Own, string>();
  const startWords: string[] = [];
  const front = end === -1 ? words : words.slice(0, end);
  for (let index = 0; index < front.length; index++) {
    const word = front[index] as string;
    const [flag = '', inline] = word.split(/=(.*)/s);
    const name = own.find((candidate) => flag === `--${candidate}`);
    if (name === undefined) {
      startWords.push(word);
      continue;
    }
    const value = inline ?? front[++index];
    if (value === undefined || value === '') throw new UsageError(`${flag}: expected a value, got none`);
    if (values.has(name)) throw new UsageError(`${flag}: expected it once, got it again`);
    values.set(name, value);
  }
  refuseUnknown(startWords);
  const load = values.get('load');
  if (load !== undefined && !load.startsWith('/')) {
    throw new UsageError(`--load: expected a path that begins with "/", got ${load}`);
  }
  if (load !== undefined && command.length > 0) {
    throw new UsageError('expected --load or a command behind "--", got both');
  }
  return {
    pool: values.get('pool'),
    output: values.get('output') ?? `sluice-${tool}-${stamp(now)}`,
    load,
    seconds: numberOf('seconds', values, DEFAULT_SECONDS),
    connections: numberOf('connections', values, DEFAULT_CONNECTIONS),
    command,
    startWords,
  };
}

/** What `sluice start` takes is judged there; a flag that it does not know may be a typing error in one of ours. */
function refuseUnknown(words: readonly string[]): void {
  const known = settings.map(({ name }) => name as string);
  for (const word of words) {
    const name = /^--([^=]+)/.exec(word)?.[1];
    if (name === undefined || known.includes(name)) continue;
    const near = closest(name, [...own, ...known]);
    throw new UsageError(`${word}: no such flag${near === undefined ? '' : `; did you mean --${near}?`}`);
  }
}

function numberOf(name: Own, values: ReadonlyMap<Own, string>, otherwise: number): number {
  const text = values.get(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= 86_400) return value;
  throw new UsageError(`--${name}: expected a whole number from 1 to 86400, got ${text}`);
}

/** The time in UTC: `20261128-215552`. */
function stamp(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
}
