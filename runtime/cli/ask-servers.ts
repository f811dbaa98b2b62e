/** For commands that ask the servers of a configuration, over their control sockets. */
import type { Config } from '../config/config.ts';
import { type ControlClient, connectControls, type FindOptions } from '../control/client.ts';
import { ControlRefusal, ControlSocketError } from '../control/errors.ts';
import { ExitCode } from './exit-code.ts';

/** What leads to the servers of a configuration. */
export type AskedConfig = Pick<Config, 'file' | 'control'>;

/** Output and exit code of a command. */
export interface Answer {
  readonly exitCode: ExitCode;
  /** For standard output, or for standard error if the exit code reports a failure. */
  readonly text: string;
}

type Refused = ControlSocketError | ControlRefusal;

/**
 * @param ask gets a client for each server, at least one; the clients are closed afterwards
 * @param find selects one of several servers
 * @param refused makes the answer if no server runs, or one of them refuses
 */
export async function askServers(
  config: AskedConfig,
  ask: (clients: readonly ControlClient[]) => Promise<Answer>,
  find: FindOptions = {},
  refused: (why: Refused) => Answer = ({ message, code }) => ({
    exitCode: ExitCode.Failed,
    text: `${message} [${code}]`,
  }),
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
