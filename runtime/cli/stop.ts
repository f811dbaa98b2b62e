/** `sluice stop`: makes the servers of a configuration drain, and waits until they have ended. */
import { ControlClient, type FindOptions } from '../control/client.ts';
import { ControlCode, ControlSocketError } from '../control/errors.ts';
import { type Answer, type AskedConfig, askServers } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';

/** Prints a line for each server that has ended. It asks all servers before it waits, so that they drain at the same time. */
export function askStop(config: AskedConfig, find: FindOptions): Promise<Answer> {
  return askServers(
    config,
    async (clients) => {
      const asked = await Promise.all(
        clients.map(async (client) => ({ client, pid: pidOf(await client.ask('POST', '/stop')) })),
      );
      const lines = asked.map(async ({ client, pid }) => {
        await hasEnded(client);
        return `stopped: process ${pid}\n`;
      });
      return { exitCode: ExitCode.Ok, text: (await Promise.all(lines)).join('') };
    },
    find,
    ({ message, code }) => ({ exitCode: ExitCode.Failed, text: `not stopped: ${message} [${code}]` }),
  );
}

function pidOf(answer: unknown): number {
  return Number((answer as { pid?: unknown } | undefined)?.pid);
}

/** A server that has ended has no socket. A connection can also end because it was idle; then the server accepts another one. */
async function hasEnded(client: ControlClient): Promise<void> {
  await client.closed;
  try {
    const again = await ControlClient.open(client.path);
    await hasEnded(again);
  } catch (error) {
    if (!(error instanceof ControlSocketError && error.code === ControlCode.NoServer)) throw error;
  }
}
