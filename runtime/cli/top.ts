/** `sluice ps` and `sluice top`: pools and threads of a configuration's servers, once or every second. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ControlClient, FindOptions } from '../control/client.ts';
import { ControlCode, ControlSocketError } from '../control/errors.ts';
import type { ServerStatus } from '../status/status-types.ts';
import { type Answer, type AskedConfig, askServers } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';
import { untilInterrupted } from './interrupts.ts';
import { poolsTable } from './pools-table.ts';

const INTERVAL_MS = 1_000;
/** Moves the cursor to the first line and clears the screen (ECMA-48). */
const CLEAR = '\x1b[H\x1b[2J';

export interface Screen {
  readonly isTerminal: boolean;
  /** Aborts when the user ends the command. */
  readonly signal: AbortSignal;
  write(text: string): void;
  /** Resolves with true when the next table is due, with false when the user ends the command. */
  next(ms: number): Promise<boolean>;
}

export function showPools(config: AskedConfig, find: FindOptions): Promise<Answer> {
  const ask = async (clients: readonly ControlClient[]): Promise<Answer> => {
    let text = '';
    for (const client of clients) text += poolsTable(await statusOf(client));
    return { exitCode: ExitCode.Ok, text };
  };
  return askServers(config, ask, find);
}

/** Runs until the user ends it, or the last server ends. */
export function watchPools(config: AskedConfig, find: FindOptions, screen: Screen): Promise<Answer> {
  const { signal, isTerminal } = screen;
  const watch = async (clients: readonly ControlClient[]): Promise<Answer> => {
    let watched: readonly Watched[] = clients.map((client) => ({ client, status: null }));
    try {
      do {
        const before = new Map(watched.map(({ client, status }) => [client, status]));
        watched = await lookAgain(watched, signal);
        const text = watched
          .map(({ client, status }) => poolsTable(status as ServerStatus, before.get(client) ?? null))
          .join('\n');
        screen.write(`${isTerminal ? CLEAR : ''}${text}${isTerminal ? '\nCtrl-C ends this\n' : '\n'}`);
      } while (await screen.next(INTERVAL_MS));
    } catch (error) {
      // The user has ended the command while a server had not answered.
      if (!signal.aborted) throw error;
    }
    return { exitCode: ExitCode.Ok, text: '' };
  };
  return askServers(config, watch, find);
}

interface Watched {
  readonly client: ControlClient;
  /** Null: it has not been asked yet. */
  readonly status: ServerStatus | null;
}

/** Leaves out servers that have ended. @throws ControlSocketError if all have */
async function lookAgain(watched: readonly Watched[], signal: AbortSignal): Promise<readonly Watched[]> {
  const answers = await Promise.allSettled(watched.map(({ client }) => statusOf(client, signal)));
  const still: Watched[] = [];
  let lost: unknown;
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'fulfilled')
      still.push({ client: (watched[index] as Watched).client, status: answer.value });
    else if (answer.reason instanceof ControlSocketError && answer.reason.code === ControlCode.Lost)
      lost = answer.reason;
    else throw answer.reason;
  }
  if (still.length === 0) throw lost;
  return still;
}

async function statusOf(client: ControlClient, signal?: AbortSignal): Promise<ServerStatus> {
  return (await client.ask('GET', '/status', signal && { signal })) as ServerStatus;
}

/** Standard output. */
export function processScreen(signal: AbortSignal = untilInterrupted()): Screen {
  return {
    isTerminal: process.stdout.isTTY === true,
    signal,
    write: (text) => void process.stdout.write(text),
    next: (ms) =>
      delay(ms, true, { signal }).catch((error: unknown) => {
        if (signal.aborted) return false;
        throw error;
      }),
  };
}
