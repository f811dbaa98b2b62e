/** Parses the command line into a command and its flags. */

import { parseArgs } from 'node:util';
import { closest } from '../config/closest.ts';
import { ConfigErrorCode, type ConfigProblem, describeValue } from '../config/errors.ts';
import { isModuleName } from '../config/implied.ts';
import { type Flags, settings } from './settings.ts';

export const commands = {
  init: 'Write an application, its test and a configuration into this folder ("sluice init --help").',
  start: 'Run the server until SIGTERM or SIGINT; a second signal ends it at once.',
  check: 'Check the configuration and print what would run.',
  reload:
    'Have running servers load the configuration and the applications as they are now, without losing a request.',
  stop: 'Have running servers finish open requests and end, and wait until they have ended.',
  ps: 'Show the pools and threads of running servers: how full, how busy, how long requests wait and run.',
  top: 'Show pools and threads of running servers every second, with rates, until Ctrl-C.',
  status: 'Print the whole status of running servers as JSON, one object for each.',
  exchanges: 'Show the exchanges in flight, oldest first, and whom each of them waits for.',
  config: 'Show the configuration in force on a running server, and the source of each value.',
  logs: 'Show the newest lines of the log of a running server; -f follows it.',
  events: 'Show what has happened to the threads and pools of a running server lately, and why.',
  'log-level': 'Show or change the log level of a running server, until the next reload.',
  recycle: 'Replace threads of a running server, one after the other, without losing a request.',
  resize: 'Change how many threads a pool of a running server has, until the next reload.',
  drain: 'Tell a running server to take no new requests, finish the open ones and end; return at once.',
  dashboard: 'Print a link to the dashboard of a running server.',
  profile: 'Profile a running server: cpu, heap or heap-snapshot ("sluice profile --help").',
  doctor:
    'Run the server under load and show the event loops of its reactor and of each thread, with clinic.',
  flame: 'Run the server under load and show where the reactor and each thread compute, with clinic.',
  heapprofiler: 'Run the server under load and show what the reactor and each thread allocate, with clinic.',
  bubbleprof: 'Run the server under load and show what the reactor waits for, with clinic.',
  help: 'Print this.',
  version: 'Print the version.',
} as const;
export type Command = keyof typeof commands;

export interface Arguments {
  /** Undefined if it is missing or unknown, which is one of the `problems`. */
  readonly command: Command | undefined;
  /** For help: the command to explain; undefined for all of them. */
  readonly about?: Command;
  readonly flags: Flags;
  readonly problems: readonly ConfigProblem[];
}

/** Flags without a value; each is a command too. */
const commandFlags: Readonly<Record<string, Command>> = { help: 'help', version: 'version' };

export function parseArguments(words: readonly string[]): Arguments {
  const problems: ConfigProblem[] = [];
  const flags = new Map<string, string[]>();
  const positionals: string[] = [];
  let asked: Command | undefined;
  for (const token of tokenize(words)) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    if (Object.hasOwn(commandFlags, token.name)) asked ??= commandFlags[token.name];
    else readFlag(token, flags, problems);
  }
  // `sluice start --help` prints help, whatever the other words are.
  if (asked !== undefined) return { command: asked, ...aboutOf(positionals[0]), flags, problems: [] };
  const command = readCommand(positionals, flags, problems);
  if (command === 'help') return { command, ...aboutOf(positionals[1]), flags, problems: [] };
  return { command, flags, problems: command === 'version' ? [] : problems };
}

function aboutOf(word: string | undefined): { readonly about?: Command } {
  return word !== undefined && isCommand(word) ? { about: word } : {};
}

/** Not `strict`, because that throws at the first wrong word and all of them should be reported. */
function tokenize(words: readonly string[]) {
  const known = settings.map(({ name, short, placeholder }) => [
    name,
    { type: placeholder === '' ? ('boolean' as const) : ('string' as const), ...(short && { short }) },
  ]);
  const options = {
    ...Object.fromEntries(known),
    help: { type: 'boolean' as const, short: 'h' },
    version: { type: 'boolean' as const, short: 'v' },
  };
  return parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

interface FlagToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function readFlag(token: FlagToken, flags: Map<string, string[]>, problems: ConfigProblem[]): void {
  const { name, rawName: where } = token;
  const setting = settings.find((candidate) => candidate.name === name);
  if (setting === undefined) {
    problems.push(unknownFlag(name, where));
    return;
  }
  const value = setting.placeholder === '' ? (token.value ?? 'true') : token.value;
  const expected = `a value (${where} ${setting.placeholder})`;
  // In `--config --threads 2` the next flag would be taken for the value.
  const swallowed = value?.startsWith('-') === true && token.inlineValue !== true;
  if (value === undefined || value === '' || swallowed) {
    problems.push({ code: ConfigErrorCode.WrongValue, where, expected, received: describeValue(value) });
    return;
  }
  const values = flags.get(name);
  if (values === undefined) flags.set(name, [value]);
  else if (setting.repeatable) values.push(value);
  else {
    const received = `it again with ${describeValue(value)}`;
    problems.push({ code: ConfigErrorCode.Conflict, where, expected: 'this flag once', received });
  }
}

function unknownFlag(name: string, where: string): ConfigProblem {
  const known = [...settings.map((setting) => setting.name), ...Object.keys(commandFlags)];
  const near = closest(name, known);
  const problem = {
    code: ConfigErrorCode.UnknownFlag,
    where,
    expected: 'a known flag',
    received: describeValue(where),
  };
  return near === undefined ? problem : { ...problem, hint: `did you mean --${near}?` };
}

function readCommand(
  positionals: readonly string[],
  flags: Map<string, string[]>,
  problems: ConfigProblem[],
): Command | undefined {
  const [word, ...rest] = positionals;
  const where = 'command';
  const expected = `one of ${Object.keys(commands).join(', ')}`;
  const code = ConfigErrorCode.UnknownCommand;
  if (word === undefined || !isCommand(word)) {
    const near = nearCommand(word);
    const problem = { code, where, expected, received: describeValue(word) };
    problems.push(near === undefined ? problem : { ...problem, hint: `did you mean ${near}?` });
    return undefined;
  }
  const [module] = rest;
  if (module !== undefined && takesModule(word) && isModuleName(module)) {
    rest.shift();
    const given = flags.get('config');
    if (given === undefined) flags.set('config', [module]);
    else {
      const expected = `either a module behind ${word} or --config`;
      problems.push({
        code: ConfigErrorCode.Conflict,
        where,
        expected,
        received: `both ${module} and ${given[0]}`,
      });
    }
  }
  for (const extra of rest) {
    const hint = extra.endsWith('.json') ? `did you mean --config ${extra}?` : hintForExtra(word, module);
    const received = describeValue(extra);
    const allowed = takesModule(word) ? 'one module and flags' : 'flags';
    problems.push({ code, where, expected: `nothing after ${word} but ${allowed}`, received, hint });
  }
  return word;
}

function nearCommand(word: string | undefined): string | undefined {
  if (word === undefined) return undefined;
  return isModuleName(word) ? `start ${word}` : closest(word, Object.keys(commands));
}

function hintForExtra(command: Command, module: string | undefined): string {
  const flags = 'flags start with "--"';
  const isModuleMissing = takesModule(command) && (module === undefined || !isModuleName(module));
  return isModuleMissing ? `a module is a file such as app.js, app.mjs or app.ts; ${flags}` : flags;
}

/** `sluice start app.ts`, and commands about a server that was started that way. */
function takesModule(command: Command): boolean {
  return (['start', 'check', 'reload', 'stop', 'ps', 'top', 'status'] as readonly Command[]).includes(
    command,
  );
}

function isCommand(word: string): word is Command {
  return Object.hasOwn(commands, word);
}
