/** `sluice help`, made from the tables that parse the command line, so that it is complete. */

import { type Command, commands } from './arguments.ts';
import { ExitCode } from './exit-code.ts';
import { type Setting, type SettingName, settings } from './settings.ts';

export const usage = `usage: sluice ${Object.keys(commands).join('|')} [module] [flags]`;

export function helpText(): string {
  const flags = settings.flatMap((setting): Row[] => [
    [flagOf(setting), setting.description],
    ...(setting.variables.length === 0
      ? []
      : [['', `Variable: ${setting.variables.join(', or ')}`] as const]),
  ]);
  return [
    usage,
    'Sluice serves HTTP/2 and HTTP/1.1 from one thread and runs your application on all the others.',
    `Commands:\n${table(Object.entries(commands))}`,
    `Examples:\n${table(examples)}`,
    `Flags (over variables, over the file, over defaults):\n${table(flags)}`,
    `Exit codes:\n${table(Object.entries(exitCodes))}`,
    'The JSON Schema of the configuration file is sluice/schema.json in the package.\n',
  ].join('\n\n');
}

interface CommandText {
  readonly flags: readonly SettingName[];
  readonly examples: readonly Row[];
}

const ASKING: readonly SettingName[] = ['config', 'pid'];
const RUNNING: readonly SettingName[] = [
  'config',
  'address',
  'port',
  'dev-tls',
  'threads',
  'drain-timeout',
  'log-level',
  'log-format',
];

/** Help of the commands that `parseArguments` reads. */
const texts: { readonly [Name in Command]?: CommandText } = {
  start: {
    flags: [...RUNNING, 'watch'],
    examples: [
      ['sluice start', 'Run what ./runtime.config.json describes.'],
      ['sluice start app.ts --port 3000 --threads 4', 'Run one application without a configuration file.'],
      ['sluice start --watch', 'For development: reload when a file changes.'],
    ],
  },
  check: {
    flags: [...RUNNING, 'load', 'effective'],
    examples: [
      ['sluice check', 'List the errors of ./runtime.config.json, or print what it would run.'],
      ['sluice check --load', 'Load the applications too.'],
      ['sluice check --effective --threads 4', 'Print every value in force, and where it comes from.'],
    ],
  },
  reload: {
    flags: ASKING,
    examples: [
      ['sluice reload', 'Load ./runtime.config.json and the applications as they are now.'],
      ['sluice reload --config /etc/sluice.json', 'The same for another server.'],
    ],
  },
  stop: {
    flags: ASKING,
    examples: [
      ['sluice stop', 'End the server of ./runtime.config.json, and wait for it.'],
      ['sluice stop app.ts', 'End the server that "sluice start app.ts" has started.'],
    ],
  },
  ps: {
    flags: ASKING,
    examples: [['sluice ps', 'Pools and threads in a table.']],
  },
  top: {
    flags: ASKING,
    examples: [['sluice top', 'Pools and threads every second; Ctrl-C ends it.']],
  },
  status: {
    flags: ASKING,
    examples: [
      ['sluice status', 'Everything, as JSON.'],
      ["sluice status | jq '.pools[].queued'", 'How many requests wait for each pool.'],
    ],
  },
};

/** Null if the command prints its own help. */
export function commandHelp(command: Command): string | null {
  const text = texts[command];
  if (text === undefined) return null;
  const flags = settings.filter(({ name }) => text.flags.includes(name));
  const rows = flags.map((setting): Row => [flagOf(setting), setting.description]);
  return [
    `usage: sluice ${command} [module] [flags]`,
    commands[command],
    `Examples:\n${table(text.examples)}`,
    `Flags:\n${table(rows)}`,
    '"sluice help" has exit codes, and the variables for these flags.\n',
  ].join('\n\n');
}

const examples: readonly Row[] = [
  ['sluice start app.ts --port 3000', 'Give every request to one application, with defaults for all else.'],
  ['sluice start', 'Run what ./runtime.config.json describes.'],
  ['sluice check', 'List the errors of ./runtime.config.json, or print what it would run.'],
  ['sluice status app.ts', 'Ask the server that "sluice start app.ts" has started.'],
  ['sluice exchanges --older 5s', 'Show what has taken five seconds so far, and whom it waits for.'],
  ['sluice recycle --help', 'Explain one command, with examples.'],
];

const exitCodes: Readonly<Record<string, string>> = {
  [ExitCode.Ok]: 'The command succeeded; of start: the server has drained and ended.',
  [ExitCode.Failed]:
    'The command failed, or no server runs that it could ask; the log or standard error says why.',
  [ExitCode.ConfigWrong]:
    'The command line, a variable or the configuration file is wrong; all errors are listed.',
  [ExitCode.ApplicationFailed]: 'An application module is missing or did not load.',
  [ExitCode.GaveUp]: 'More threads of a pool died than its restart.intensity, and restart.giveUp is set.',
};

type Row = readonly [name: string, description: string];

function flagOf({ name, short, placeholder }: Setting): string {
  return `${short === undefined ? '' : `-${short}, `}--${name} ${placeholder}`.trimEnd();
}

function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, description]) => `  ${name.padEnd(width)}  ${description}`).join('\n');
}
