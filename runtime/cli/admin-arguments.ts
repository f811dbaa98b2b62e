/** Arguments and help of the commands that ask a running server for one thing. */
import { parseArgs } from 'node:util';
import { closest } from '../config/closest.ts';
import { isModuleName } from '../config/implied.ts';
import { logLevels } from '../config/log-schema.ts';

interface Flag {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly placeholder?: string;
  readonly description: string;
}

interface AdminCommandText {
  /** What follows the name of the command in its usage line. */
  readonly usage: string;
  readonly does: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Least and greatest number of operands. */
  readonly operands: readonly [least: number, most: number];
  readonly examples: readonly (readonly [words: string, does: string])[];
}

const shared: Readonly<Record<string, Flag>> = {
  config: {
    type: 'string',
    short: 'c',
    placeholder: 'FILE',
    description:
      'The configuration file or module that the server was started with. Default: ./runtime.config.json',
  },
  pid: {
    type: 'string',
    placeholder: 'PID',
    description: 'The process of the server, if several run the configuration.',
  },
  help: { type: 'boolean', short: 'h', description: 'Print this.' },
};

const json: Flag = { type: 'boolean', description: 'Print JSON, one object for each server.' };

export const adminCommands = {
  recycle: {
    usage: '[pool or thread]...',
    does: 'Replaces threads one after the other, without losing a request: those of the pools that are named, the threads that are named, or all. Waits until the last old thread has ended.',
    flags: {},
    operands: [0, 64],
    examples: [
      ['sluice recycle', 'Replace every thread of every pool.'],
      ['sluice recycle render', 'Replace every thread of the pool render.'],
      ['sluice recycle render-2', 'Replace one thread.'],
    ],
  },
  resize: {
    usage: 'pool N|MIN-MAX',
    does: 'Changes how many threads a pool has, until the next reload. Surplus threads finish what they have.',
    flags: {},
    operands: [2, 2],
    examples: [
      ['sluice resize render 4', 'Exactly four threads.'],
      ['sluice resize render 2-8', 'From two to eight, as the load asks for.'],
    ],
  },
  drain: {
    usage: '',
    does: 'Tells the server to take no new requests, finish the open ones and end. Returns at once; "sluice stop" waits for the end.',
    flags: {},
    operands: [0, 0],
    examples: [
      ['sluice drain', 'Drain the server of ./runtime.config.json.'],
      ['sluice drain && sluice top', 'Drain it, and watch what is open.'],
    ],
  },
  config: {
    usage: '',
    does: 'Prints the configuration in force on a running server, and the source of each value. "sluice check --effective" prints what a server would run.',
    flags: { json },
    operands: [0, 0],
    examples: [
      ['sluice config', 'Every value, a line each.'],
      ['sluice config | grep threads', 'How many threads each pool has.'],
      ['sluice config --json', 'The same for a program.'],
    ],
  },
  exchanges: {
    usage: '',
    does: 'Prints the exchanges in flight, oldest first: where their bytes are and whom each of them waits for.',
    flags: {
      pool: { type: 'string', placeholder: 'POOL', description: 'Only those of this pool.' },
      thread: { type: 'string', placeholder: 'THREAD', description: 'Only those of this thread.' },
      older: {
        type: 'string',
        placeholder: 'DURATION',
        description: 'Only those of at least this age: 500ms, 5s, 2m.',
      },
      limit: { type: 'string', placeholder: 'N', description: 'At most so many; 1 to 1000, default 100.' },
      json,
    },
    operands: [0, 0],
    examples: [
      ['sluice exchanges --older 5s', 'Whatever has taken five seconds so far, and why.'],
      ['sluice exchanges --thread render-2', 'What a thread is doing.'],
    ],
  },
  logs: {
    usage: '',
    does: 'Prints the newest lines of the log of a running server: as text on a terminal, otherwise as JSON.',
    flags: {
      lines: {
        type: 'string',
        short: 'n',
        placeholder: 'N',
        description: 'How many; 0 to 10000, default 100.',
      },
      follow: { type: 'boolean', short: 'f', description: 'Print new lines as they come, until Ctrl-C.' },
      json,
    },
    operands: [0, 0],
    examples: [
      ['sluice logs -f', 'The last 100 lines, and new ones as they come.'],
      ['sluice logs -n 1000 --json | grep refused', 'Search the last 1,000 lines.'],
    ],
  },
  events: {
    usage: '',
    does: 'Prints what has happened to threads and pools lately, oldest first, and why: threads that started, died or were replaced, pools that lacked threads.',
    flags: { json },
    operands: [0, 0],
    examples: [
      ['sluice events', 'The last 200 events.'],
      ['sluice events | grep died', 'Which threads died, and of what.'],
    ],
  },
  'log-level': {
    usage: '[level]',
    does: `Prints the level of the log of a running server, or changes it until the next reload: ${logLevels.join(', ')}.`,
    flags: {},
    operands: [0, 1],
    examples: [
      ['sluice log-level', 'The level in force.'],
      ['sluice log-level debug', 'Log more, without a restart.'],
    ],
  },
  dashboard: {
    usage: '',
    does: 'Prints a link that lets a browser into the dashboard of a running server, once and within five minutes. The configuration needs an admin section: "admin": {}.',
    flags: {},
    operands: [0, 0],
    examples: [
      ['sluice dashboard', 'Print the link.'],
      ['xdg-open "$(sluice dashboard)"', 'Open it at once.'],
    ],
  },
} as const satisfies Readonly<Record<string, AdminCommandText>>;

export type AdminCommand = keyof typeof adminCommands;

export function isAdminCommand(word: string | undefined): word is AdminCommand {
  return word !== undefined && Object.hasOwn(adminCommands, word);
}

export interface AdminArguments {
  readonly operands: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

/** Returns a message if the words are wrong, and `help` if the user asks for help. */
export function parseAdmin(
  command: AdminCommand,
  words: readonly string[],
): AdminArguments | string | 'help' {
  const text: AdminCommandText = adminCommands[command];
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const [name, { type, short }] of Object.entries({ ...text.flags, ...shared }))
    options[name] = { type, ...(short && { short }) };
  const { values, positionals, tokens } = parseArgs({
    args: [...words],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  if (values.help === true) return 'help';
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = options[token.name];
    if (option === undefined) {
      const near = closest(token.name, Object.keys(options));
      const hint = near === undefined ? '' : `; did you mean --${near}?`;
      return `expected a flag of "sluice ${command}", got ${token.rawName}${hint}`;
    }
    if (option.type === 'string' && (token.value === undefined || token.value === ''))
      return `expected a value behind ${token.rawName}, got nothing`;
  }
  const flags: Record<string, string | boolean | undefined> = {};
  for (const [name, value] of Object.entries(values)) flags[name] = Array.isArray(value) ? undefined : value;
  const operands = [...positionals];
  const [least, most] = text.operands;
  // `sluice logs app.ts` asks the server that `sluice start app.ts` has started.
  const [module] = operands;
  if (most === 0 && module !== undefined && isModuleName(module) && flags.config === undefined) {
    flags.config = module;
    operands.shift();
  }
  if (operands.length < least || operands.length > most)
    return `expected sluice ${command}${text.usage === '' ? '' : ` ${text.usage}`}, got ${operands.length === 1 ? '1 word' : `${operands.length} words`} behind it`;
  return { operands, flags };
}

export function adminHelp(command: AdminCommand): string {
  const { usage, does, flags, examples }: AdminCommandText = adminCommands[command];
  const all: readonly [string, Flag][] = Object.entries({ ...flags, ...shared });
  const rows = all.map(([name, { short, placeholder, description }]): readonly [string, string] => [
    `${short === undefined ? '' : `-${short}, `}--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`,
    description,
  ]);
  return [
    `usage: sluice ${command} ${usage === '' ? '' : `${usage} `}[flags]`,
    does,
    `Examples:\n${columns(examples)}`,
    `Flags:\n${columns(rows)}\n`,
  ].join('\n\n');
}

export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
