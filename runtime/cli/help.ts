/** `sluice help`: made from the tables that the command line is parsed with, so that it is complete. */

import { commands } from './arguments.ts';
import { ExitCode } from './exit-code.ts';
import { type Setting, settings } from './settings.ts';

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
    'The file is described by the JSON Schema that the package carries as sluice/schema.json.\n',
  ].join('\n\n');
}

const examples: readonly Row[] = [
  ['sluice start app.ts --port 3000', 'Give every request to one application, with defaults for all else.'],
  ['sluice start', 'Run what ./runtime.config.json describes.'],
  ['sluice check', 'Say what is wrong with ./runtime.config.json, or what it would run.'],
  ['sluice status app.ts', 'Ask the server that "sluice start app.ts" has started.'],
];

const exitCodes: Readonly<Record<string, string>> = {
  [ExitCode.Ok]:
    'The server has drained and ended; or the configuration is valid; or the question has been answered.',
  [ExitCode.Failed]:
    'Something failed that should not, or no server runs to be asked; the log or standard error says what.',
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
