/** `sluice stop`: makes the servers of a configuration drain, and waits until they have ended. */
import { ControlClient } from '../control/client.ts';
import { ControlCode, ControlSocketError } from '../control/errors.ts';
import type { FindOptions } from '../control/find.ts';
import { type Answer, type AskedConfig, askServers, together } from './ask-servers.ts';

const wording = { prefix: 'not stopped: ' };

/** Prints a line for each server that has ended. They drain at the same time. */
export function askStop(config: AskedConfig, find: FindOptions): Promise<Answer> {
  const stop = async (client: ControlClient): Promise<string> => {
    let process = '';
    try {
      process = `process ${pidOf(await client.askSoon('POST', '/stop'))}`;
    } catch (error) {
      // It was ending already.
      if (!(error instanceof ControlSocketError && error.code === ControlCode.Lost)) throw error;
    }
    await hasEnded(client);
    return `stopped: ${process || client.path}\n`;
  };
  return askServers(config, (found) => together(found, stop, wording), find, wording);
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
