/** `sluice ps` and `sluice top`: pools and threads of a configuration's servers, once or every second. */
import type { Config } from '../config/config.ts';
import type { ControlClient } from '../control/client.ts';
import type { ServerStatus } from '../status/status-types.ts';
import { type Answer, askServers } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';
import { poolsTable } from './pools-table.ts';

const INTERVAL_MS = 1_000;
/** Moves the cursor to the first line and clears the screen (ECMA-48). */
const CLEAR = '\x1b[H\x1b[2J';

export interface Screen {
  readonly isTerminal: boolean;
  write(text: string): void;
  /** Resolves with true when the next table is due, with false when the user ends the command. */
  next(ms: number): Promise<boolean>;
}

export function showPools(config: Config): Promise<Answer> {
  return askServers(config, async (clients) => {
    let text = '';
    for (const client of clients) text += poolsTable(await statusOf(client));
    return { exitCode: ExitCode.Ok, text };
  });
}

/** Runs until the user ends it, or a server ends. */
export function watchPools(config: Config, screen: Screen): Promise<Answer> {
  return askServers(config, async (clients) => {
    let before: (ServerStatus | null)[] = clients.map(() => null);
    do {
      const now = await Promise.all(clients.map(statusOf));
      const text = now.map((status, index) => poolsTable(status, before[index] ?? null)).join('\n');
      screen.write(
        `${screen.isTerminal ? CLEAR : ''}${text}${screen.isTerminal ? '\nCtrl-C ends this\n' : '\n'}`,
      );
      before = now;
    } while (await screen.next(INTERVAL_MS));
    return { exitCode: ExitCode.Ok, text: '' };
  });
}

async function statusOf(client: ControlClient): Promise<ServerStatus> {
  return (await client.ask('GET', '/status')) as ServerStatus;
}

/** Standard output, until SIGINT or SIGTERM, or until its reader has gone (`sluice top | head`). */
export function processScreen(): Screen {
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ended.abort());
  process.stdout.once('error', () => ended.abort());
  return {
    isTerminal: process.stdout.isTTY === true,
    write: (text) => void process.stdout.write(text),
    next: (ms) =>
      new Promise((resolve) => {
        if (ended.signal.aborted) return resolve(false);
        const timer = setTimeout(() => resolve(true), ms);
        ended.signal.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve(false);
        });
      }),
  };
}
