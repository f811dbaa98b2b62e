/** `sluice ps` and `sluice top`: pools and threads of a configuration's servers, once or every second. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ControlClient } from '../control/client.ts';
import { ControlCode } from '../control/errors.ts';
import type { FindOptions, FoundServers } from '../control/find.ts';
import type { ServerStatus } from '../status/status-types.ts';
import {
  type Answer,
  type AskedConfig,
  askServers,
  complaintOf,
  isRefused,
  type Refused,
  together,
} from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';
import { untilInterrupted } from './interrupts.ts';
import { poolsTable } from './pools-table.ts';

const INTERVAL_MS = 1_000;
/** For an answer: while one server does not answer, the others' figures become this old. */
const PATIENCE_MS = 2_000;
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
  return askServers(
    config,
    (found) =>
      together(found, async (client) => poolsTable((await client.askSoon('GET', '/status')) as ServerStatus)),
    find,
  );
}

/** Runs until the user ends it, or the last server ends. */
export function watchPools(config: AskedConfig, find: FindOptions, screen: Screen): Promise<Answer> {
  const { signal, isTerminal } = screen;
  const watch = async ({ clients, unreached }: FoundServers): Promise<Answer> => {
    const missing = unreached.map(({ path, why }) => `${complaintOf(why, {}, path)}\n`);
    let watched: readonly Watched[] = clients.map((client) => ({ client, status: null, why: null }));
    try {
      do {
        const before = new Map(watched.map(({ client, status }) => [client, status]));
        watched = await lookAgain(watched, signal);
        const pictures = watched.map(({ client, status, why }) =>
          why === null
            ? poolsTable(status as ServerStatus, before.get(client) ?? null)
            : `${complaintOf(why, {}, client.path)}\n`,
        );
        const text = [...pictures, ...missing].join('\n');
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
  /** The last one that it has answered; null: none. */
  readonly status: ServerStatus | null;
  /** Why it has not answered now; null: it has. */
  readonly why: Refused | null;
}

/** Leaves out servers that have ended. @throws ControlSocketError | ControlRefusal if all have, or none has ever answered */
async function lookAgain(watched: readonly Watched[], signal: AbortSignal): Promise<readonly Watched[]> {
  const answers = await Promise.allSettled(
    watched.map(({ client }) => client.askSoon('GET', '/status', { signal }, PATIENCE_MS)),
  );
  const still: Watched[] = [];
  let failure: Refused | null = null;
  for (const [index, answer] of answers.entries()) {
    const { client, status } = watched[index] as Watched;
    if (answer.status === 'fulfilled') {
      still.push({ client, status: answer.value as ServerStatus, why: null });
    } else if (!isRefused(answer.reason)) throw answer.reason;
    else {
      failure = answer.reason;
      if (failure.code !== ControlCode.Lost) still.push({ client, status, why: failure });
    }
  }
  if (failure !== null && still.every(({ status }) => status === null)) throw failure;
  return still;
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
