/** `sluice stop`: has the servers of a configuration drain, and waits until they have ended. */
import type { Config } from '../config/config.ts';
import { ControlClient, connectControls } from '../control/client.ts';
import { ControlCode, ControlRefusal, ControlSocketError } from '../control/errors.ts';
import { ExitCode } from './exit-code.ts';

export interface StopAnswer {
  readonly exitCode: ExitCode;
  /** A line for each server that has ended; or why one does not. */
  readonly text: string;
}

/** All are asked before any is waited for: they drain at the same time. */
export async function askStop(config: Config): Promise<StopAnswer> {
  let clients: readonly ControlClient[] = [];
  try {
    clients = await connectControls(config);
    const asked = await Promise.all(
      clients.map(async (client) => ({ client, pid: pidOf(await client.ask('POST', '/stop')) })),
    );
    const lines = asked.map(async ({ client, pid }) => {
      await hasEnded(client);
      return `stopped: process ${pid}\n`;
    });
    return { exitCode: ExitCode.Ok, text: (await Promise.all(lines)).join('') };
  } catch (error) {
    if (!(error instanceof ControlSocketError || error instanceof ControlRefusal)) throw error;
    return { exitCode: ExitCode.Failed, text: `not stopped: ${error.message} [${error.code}]\n` };
  } finally {
    for (const client of clients) client.close();
  }
}

function pidOf(answer: unknown): number {
  return Number((answer as { pid?: unknown } | undefined)?.pid);
}

/** The socket goes with the server. A connection also ends when it has been idle for long: then the server is there to take another. */
async function hasEnded(client: ControlClient): Promise<void> {
  await client.closed;
  try {
    const again = await ControlClient.open(client.path);
    await hasEnded(again);
  } catch (error) {
    if (!(error instanceof ControlSocketError && error.code === ControlCode.NoServer)) throw error;
  }
}
