/** `sluice status`: the status of a configuration's servers as JSON. */
import type { ControlClient, FindOptions } from '../control/client.ts';
import { type Answer, type AskedConfig, askServers } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';

/** One JSON object for each server, on one line, or indented on a terminal. */
export function askStatus(config: AskedConfig, find: FindOptions, isForPerson: boolean): Promise<Answer> {
  const ask = async (clients: readonly ControlClient[]): Promise<Answer> => {
    let text = '';
    for (const client of clients) {
      const status = await client.ask('GET', '/status');
      text += `${JSON.stringify(status, null, isForPerson ? 2 : 0)}\n`;
    }
    return { exitCode: ExitCode.Ok, text };
  };
  return askServers(config, ask, find);
}
