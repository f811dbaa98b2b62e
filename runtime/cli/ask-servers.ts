/** Commands that ask the servers that run a configuration, over their control sockets. */
import type { Config } from '../config/config.ts';
import { type ControlClient, connectControls, type FindOptions } from '../control/client.ts';
import { ControlRefusal, ControlSocketError } from '../control/errors.ts';
import { ExitCode } from './exit-code.ts';

/** What a command says, and its exit code. */
export interface Answer {
  readonly exitCode: ExitCode;
  /** For standard output; where the exit code says that something failed, for standard error. */
  readonly text: string;
}

type Refused = ControlSocketError | ControlRefusal;

/**
 * @param ask is given a client of each server, at least one; they are closed when it has answered
 * @param refused answers when there is nobody to ask, or one of them refuses
 * @param find which of several servers
 */
export async function askServers(
  config: Config,
  ask: (clients: readonly ControlClient[]) => Promise<Answer>,
  refused: (why: Refused) => Answer = ({ message, code }) => ({
    exitCode: ExitCode.Failed,
    text: `${message} [${code}]`,
  }),
  find: FindOptions = {},
): Promise<Answer> {
  let clients: readonly ControlClient[] = [];
  try {
    clients = await connectControls(config, find);
    return await ask(clients);
  } catch (error) {
    if (!(error instanceof ControlSocketError || error instanceof ControlRefusal)) throw error;
    return refused(error);
  } finally {
    for (const client of clients) client.close();
  }
}
