/** `sluice status`: the status of a configuration's servers as JSON. */
import type { FindOptions } from '../control/find.ts';
import { type Answer, type AskedConfig, askServers, together } from './ask-servers.ts';

/** One JSON object for each server, on one line, or indented on a terminal. */
export function askStatus(config: AskedConfig, find: FindOptions, isForPerson: boolean): Promise<Answer> {
  return askServers(
    config,
    (found) =>
      together(found, async (client) => {
        const status = await client.askSoon('GET', '/status');
        return `${JSON.stringify(status, null, isForPerson ? 2 : 0)}\n`;
      }),
    find,
  );
}
