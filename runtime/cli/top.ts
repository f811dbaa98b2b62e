/** `sluice ps` and `sluice top`: what the pools and threads of a configuration's servers do, once or every second. */
import type { Config } from '../config/config.ts';
import { type ControlClient, connectControls } from '../control/client.ts';
import { ControlRefusal, ControlSocketError } from '../control/errors.ts';
import type { ServerStatus } from '../status-types.ts';
import { ExitCode } from './exit-code.ts';
import { poolsTable } from './pools-table.ts';

const INTERVAL_MS = 1_000;
/** Moves the cursor to the first line and clears what stood there (ECMA-48). */
const CLEAR = '\x1b[H\x1b[2J';

export interface Screen {
  readonly isTerminal: boolean;
  write(text: string): void;
  /** Resolves when the next picture is due; with false when nobody wants one. */
  next(ms: number): Promise<boolean>;
}

/** @returns why there is no answer; null: there was one */
export async function showPools(config: Config, screen: Screen): Promise<string | null> {
  return await withClients(config, async (clients) => {
    for (const client of clients) screen.write(poolsTable(await statusOf(client)));
  });
}

/** Until nobody looks any more, or the last server has ended. */
export async function watchPools(config: Config, screen: Screen): Promise<string | null> {
  return await withClients(config, async (clients) => {
    let before: (ServerStatus | null)[] = clients.map(() => null);
    do {
      const now = await Promise.all(clients.map(statusOf));
      const text = now.map((status, index) => poolsTable(status, before[index] ?? null)).join('\n');
      screen.write(
        `${screen.isTerminal ? CLEAR : ''}${text}${screen.isTerminal ? '\nCtrl-C ends this\n' : '\n'}`,
      );
      before = now;
    } while (await screen.next(INTERVAL_MS));
  });
}

async function statusOf(client: ControlClient): Promise<ServerStatus> {
  return (await client.ask('GET', '/status')) as ServerStatus;
}

async function withClients(
  config: Config,
  use: (clients: readonly ControlClient[]) => Promise<void>,
): Promise<string | null> {
  let clients: readonly ControlClient[] = [];
  try {
    clients = await connectControls(config);
    await use(clients);
    return null;
  } catch (error) {
    if (!(error instanceof ControlSocketError || error instanceof ControlRefusal)) throw error;
    return `${error.message} [${error.code}]`;
  } finally {
    for (const client of clients) client.close();
  }
}

/** Of this process: until SIGINT or SIGTERM. */
export function processScreen(): Screen {
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ended.abort());
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

export function exitCodeOf(complaint: string | null): ExitCode {
  return complaint === null ? ExitCode.Ok : ExitCode.Failed;
}
