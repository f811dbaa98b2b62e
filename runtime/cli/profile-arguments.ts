/** Parses the arguments of `sluice profile`. */
import { parseArgs } from 'node:util';
import { closest } from '../config/closest.ts';
import type { FindOptions } from '../control/find.ts';
import { type ProfileKind, type ProfileRequest, profileKinds } from '../profiling/messages.ts';
import { parsePid } from './settings.ts';

const DEFAULT_SECONDS = 10;

const options = {
  pool: { type: 'string' },
  thread: { type: 'string' },
  seconds: { type: 'string' },
  output: { type: 'string', short: 'o' },
  'no-clinic': { type: 'boolean' },
  config: { type: 'string', short: 'c' },
  pid: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const profileUsage = `usage: sluice profile ${profileKinds.join('|')} [flags]`;

export const profileHelp = `${profileUsage}

Profiles the server that runs on the configuration, as it is, under the load that it has. The reactor and all threads are profiled at once, also
those that compute or begin meanwhile.

Kinds:
  cpu            What ran when: profile.html, with a lane for each thread on one time axis, clinic's flame page, and a .cpuprofile for each thread.
  heap           What was allocated and is still there: clinic's heapprofiler page, and a .heapprofile for each thread.
  heap-snapshot  The whole heap of one thread, which stands still meanwhile. The file holds secrets: whatever the thread has in its memory.

Examples:
  sluice profile cpu                              Ten seconds of all threads.
  sluice profile cpu --pool render --seconds 30   One pool, for longer.
  sluice profile heap-snapshot --thread render-2  What a thread keeps in its memory.

Flags:
  --pool POOL      Threads of this pool only.
  --thread THREAD  This thread only, by its name (render-2); "reactor" is the one with the sockets.
  --seconds N      How long; default ${DEFAULT_SECONDS}. Ctrl-C ends it early and writes what there is.
  -o, --output DIR A folder to make; default sluice-KIND-TIME here. Nobody else can read it.
  --no-clinic      Without clinic's page, which takes some seconds to make.
  -c, --config FILE As for sluice start.
  --pid PID        The server's process, where several run on the configuration.
`;

export interface ProfileArguments {
  readonly request: ProfileRequest;
  readonly output: string;
  /** Whether clinic is to make a page. */
  readonly clinic: boolean;
  /** Undefined: the one that `sluice start` finds. */
  readonly config: string | undefined;
  readonly find: FindOptions;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Null if the user asks for help.
 * @throws UsageError
 */
export function readProfileArguments(words: readonly string[]): ProfileArguments | null {
  const { values, positionals } = parse(words);
  if (values.help === true) return null;
  const { pool, thread, config } = values;
  const kind = readKind(positionals);
  return {
    request: {
      kind,
      durationMs: Math.max(1, Math.round(readNumber('seconds', values.seconds, DEFAULT_SECONDS) * 1_000)),
      ...(pool !== undefined && { pool }),
      ...(thread !== undefined && { thread }),
    },
    output: values.output ?? defaultFolder(kind),
    clinic: values['no-clinic'] !== true,
    config,
    find: values.pid === undefined ? {} : { pid: readPid(values.pid) },
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readKind([word, ...rest]: readonly string[]): ProfileKind {
  const kind = profileKinds.find((candidate) => candidate === word);
  if (kind !== undefined && rest.length === 0) return kind;
  const came = [word, ...rest].join(' ') || 'none';
  const near = word === undefined || kind !== undefined ? undefined : closest(word, profileKinds);
  throw new UsageError(
    `expected one of ${profileKinds.join(', ')}, got ${came}${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}

function readNumber(flag: string, text: string | undefined, byDefault: number): number {
  const number = text === undefined ? byDefault : Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new UsageError(`--${flag}: expected a number above 0, got ${text}`);
}

function readPid(text: string): number {
  const pid = parsePid(text, '--pid');
  if (typeof pid === 'number') return pid;
  throw new UsageError(`--pid: expected ${pid.expected}, got ${pid.received}`);
}

/** A file in the working directory, named after the time in UTC. */
function defaultFolder(kind: ProfileKind): string {
  const time = new Date().toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
  return `sluice-${kind}-${time.replaceAll(/[-:]/g, '').replace('T', '-')}`;
}
