/** `sluice status`: the status of a configuration's servers as JSON. */
import type { Config } from '../config/config.ts';
import { type Answer, askServers } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';

/** One JSON object for each server, on one line, or indented on a terminal. */
export function askStatus(config: Config, isForPerson: boolean): Promise<Answer> {
  return askServers(config, async (clients) => {
    let text = '';
    for (const client of clients) {
      const status = await client.ask('GET', '/status');
      text += `${JSON.stringify(status, null, isForPerson ? 2 : 0)}\n`;
    }
    return { exitCode: ExitCode.Ok, text };
  });
}
