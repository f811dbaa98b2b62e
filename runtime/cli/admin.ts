/** Commands that ask the servers of a configuration for one thing, such as `recycle`, `exchanges` and `logs`. */
import { unknownName } from '../admin/errors.ts';
import type { ExchangesView } from '../admin/exchange-types.ts';
import { closest } from '../config/closest.ts';
import { formatDuration, parseDuration } from '../config/duration.ts';
import type { EffectiveValue } from '../config/effective.ts';
import { ConfigError, describeProblems } from '../config/errors.ts';
import { loadConfig } from '../config/load.ts';
import { logLevels } from '../config/log-schema.ts';
import { parseThreadRange } from '../config/thread-range.ts';
import type { ControlClient } from '../control/client.ts';
import { ControlRefusal } from '../control/errors.ts';
import type { FindOptions, FoundServers } from '../control/find.ts';
import type { PoolEvent, ServerStatus } from '../status/status-types.ts';
import { type AdminArguments, type AdminCommand, adminHelp, parseAdmin } from './admin-arguments.ts';
import { type Answer, type AskedConfig, askServers, failed, inTurn } from './ask-servers.ts';
import { effectiveTable } from './effective-table.ts';
import { eventsTable } from './events-table.ts';
import { exchangesTable } from './exchanges-table.ts';
import { ExitCode } from './exit-code.ts';
import { readAsked } from './invalid-config.ts';
import { copyLogs } from './logs.ts';
import type { AdminOutput } from './output.ts';
import { type Environment, parsePid, readSettings } from './settings.ts';

class WrongWords extends Error {}

/** @param words that follow the command */
export async function admin(
  command: AdminCommand,
  words: readonly string[],
  environment: Environment,
  output: AdminOutput,
): Promise<Answer> {
  const parsed = parseAdmin(command, words);
  if (parsed === 'help') return { exitCode: ExitCode.Ok, text: adminHelp(command) };
  if (typeof parsed === 'string') return wrongWords(command, parsed);
  try {
    const run = runs[command](parsed, output);
    const { pid } = parsed.flags;
    const find = { environment, ...(pid !== undefined && { pid: pidOf(String(pid)) }) };
    const config = await configOf(parsed, environment, find, output);
    return await askServers(config, run, find);
  } catch (error) {
    if (error instanceof WrongWords) return wrongWords(command, error.message);
    if (error instanceof ConfigError)
      return failed(describeProblems(error.source, error.problems), ExitCode.ConfigWrong);
    throw error;
  }
}

function wrongWords(command: AdminCommand, message: string): Answer {
  return failed(`${message}\n"sluice ${command} --help" says more.`, ExitCode.ConfigWrong);
}

function configOf(
  { flags }: AdminArguments,
  environment: Environment,
  find: FindOptions,
  { warn }: AdminOutput,
): Promise<AskedConfig> {
  const given = new Map<string, string[]>();
  if (typeof flags.config === 'string') given.set('config', [flags.config]);
  // Only the file matters, because it leads to the server's control socket.
  const { file } = readSettings(given, environment);
  return readAsked(file, () => loadConfig(file), find, warn);
}

function pidOf(text: string): number {
  const pid = parsePid(text, '--pid');
  if (typeof pid === 'number') return pid;
  throw new WrongWords(`--pid: expected ${pid.expected}, got ${pid.received}`);
}

/** Checks the words, before any server is looked for. @throws WrongWords */
type Run = (given: AdminArguments, output: AdminOutput) => (found: FoundServers) => Promise<Answer>;

const runs: Readonly<Record<AdminCommand, Run>> = {
  recycle:
    ({ operands }, { print }) =>
    (found) =>
      inTurn(found, { print }, (client) => recycle(client, operands, print)),
  resize: ({ operands: [pool = '', text = ''] }, output) => {
    const range = parseThreadRange(text, 'threads');
    if (!('min' in range)) throw new WrongWords(`threads: expected ${range.expected}, got ${range.received}`);
    return (found) =>
      inTurn(found, output, async (client) => {
        const { threads } = (await client.askSoon('POST', `${poolPath(pool)}/resize`, { body: range })) as {
          readonly threads: { readonly min: number; readonly max: number };
        };
        return `pool ${pool}: ${threads.min === threads.max ? threads.min : `${threads.min} to ${threads.max}`} threads, until the next reload\n`;
      });
  },
  drain: (_given, output) => (found) =>
    inTurn(found, output, async (client) => {
      const { pid, open, drainDelayMs, drainTimeoutMs } = (await client.askSoon('POST', '/drain')) as {
        readonly pid: number;
        readonly open: number;
        readonly drainDelayMs: number;
        readonly drainTimeoutMs: number;
      };
      const delay = drainDelayMs > 0 ? `after ${formatDuration(drainDelayMs)}, ` : '';
      return `draining: process ${pid}, ${open} open; it ends ${delay}when they have ended, within ${formatDuration(drainTimeoutMs)}\n`;
    }),
  config:
    ({ flags }, { print }) =>
    (found) =>
      inTurn(found, { print, isJson: flags.json === true }, async (client) => {
        const answer = await client.askSoon('GET', '/config');
        if (flags.json === true) return `${JSON.stringify(answer)}\n`;
        const { file, values } = answer as {
          readonly file: string;
          readonly values: readonly EffectiveValue[];
        };
        return `# ${file}\n${effectiveTable(values)}`;
      }),
  exchanges: ({ flags }, { print }) => {
    const query = exchangeQuery(flags);
    return (found) =>
      inTurn(found, { print, isJson: flags.json === true }, async (client) => {
        const answer = (await client.askSoon('GET', `/exchanges${query}`)) as ExchangesView;
        return flags.json === true ? `${JSON.stringify(answer)}\n` : exchangesTable(answer);
      });
  },
  events:
    ({ flags }, { print }) =>
    (found) =>
      inTurn(found, { print, isJson: flags.json === true }, async (client) => {
        const answer = (await client.askSoon('GET', '/events')) as { readonly events: readonly PoolEvent[] };
        return flags.json === true ? `${JSON.stringify(answer)}\n` : eventsTable(answer.events);
      }),
  'log-level': ({ operands: [wanted] }, output) => {
    const level = logLevels.find((candidate) => candidate === wanted);
    if (wanted !== undefined && level === undefined) {
      const near = closest(wanted, logLevels);
      const hint = near === undefined ? '' : `; did you mean ${near}?`;
      throw new WrongWords(
        `level: expected one of ${logLevels.join(', ')}, got ${JSON.stringify(wanted)}${hint}`,
      );
    }
    return (found) =>
      inTurn(found, output, async (client) => {
        const answer =
          level === undefined
            ? await client.askSoon('GET', '/log-level')
            : await client.askSoon('PUT', '/log-level', { body: { level } });
        const { level: now } = answer as { readonly level: string };
        return level === undefined ? `${now}\n` : `log level: ${now}, until the next reload\n`;
      });
  },
  dashboard: (_given, output) => (found) =>
    inTurn(found, output, async (client) => {
      const { url } = (await client.askSoon('POST', '/dashboard-links')) as { readonly url: string };
      return `${url}\n`;
    }),
  logs: ({ flags }, output) => {
    const lines = wholeFlag('lines', flags.lines, 0, 10_000);
    const query = `?follow=${flags.follow === true}${lines === undefined ? '' : `&lines=${lines}`}`;
    return (found) => copyLogs(found, query, flags.json === true, output);
  },
};

/** Prints a line as soon as a pool or thread is done, because each can take minutes. The first failure ends it. */
async function recycle(
  client: ControlClient,
  names: readonly string[],
  print: (text: string) => void,
): Promise<string> {
  const { pools } = (await client.askSoon('GET', '/status')) as ServerStatus;
  const wanted = names.length === 0 ? pools.map(({ name }) => name) : names;
  const paths = wanted.map(pathOf(pools));
  for (const [index, path] of paths.entries()) {
    let answer: unknown;
    try {
      answer = await client.ask('POST', `${path}/recycle`);
    } catch (error) {
      const rest = wanted.slice(index + 1);
      if (!(error instanceof ControlRefusal) || rest.length === 0) throw error;
      const { status, code, message } = error;
      throw new ControlRefusal(status, code, `${message}; not recycled because of that: ${rest.join(', ')}`);
    }
    const { pool, threads } = answer as { readonly pool: string; readonly threads: readonly string[] };
    print(
      `pool ${pool}: ${threads.length === 0 ? 'no thread to replace' : `replaced ${threads.join(', ')}`}\n`,
    );
  }
  return '';
}

function poolPath(name: string): string {
  return `/pools/${encodeURIComponent(name)}`;
}

/** A pool takes precedence over a thread of the same name. */
function pathOf(pools: ServerStatus['pools']): (name: string) => string {
  const threads = pools.flatMap((pool) => pool.threads.map((thread) => thread.name));
  const names = pools.map(({ name }) => name);
  return (name) => {
    if (names.includes(name)) return poolPath(name);
    if (threads.includes(name)) return `/threads/${encodeURIComponent(name)}`;
    throw unknownName('pool or thread', name, [...names, ...threads]);
  };
}

function exchangeQuery(flags: AdminArguments['flags']): string {
  const query = new URLSearchParams();
  for (const name of ['pool', 'thread'] as const)
    if (typeof flags[name] === 'string') query.set(name, flags[name]);
  if (typeof flags.older === 'string') {
    const ms = parseDuration(flags.older, '--older');
    if (typeof ms !== 'number') throw new WrongWords(`--older: expected ${ms.expected}, got ${ms.received}`);
    query.set('olderThanMs', String(ms));
  }
  const limit = wholeFlag('limit', flags.limit, 1, 1_000);
  if (limit !== undefined) query.set('limit', String(limit));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

function wholeFlag(
  name: string,
  text: string | boolean | undefined,
  least: number,
  most: number,
): number | undefined {
  if (typeof text !== 'string') return undefined;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new WrongWords(
    `--${name}: expected a whole number from ${least} to ${most}, got ${JSON.stringify(text)}`,
  );
}
