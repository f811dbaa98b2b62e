/** `sluice status`: what the servers of a configuration say of themselves. */
import type { Config } from '../config/config.ts';
import { connectControls } from '../control/client.ts';
import { ControlRefusal, ControlSocketError } from '../control/errors.ts';

export type StatusAnswer =
  /** One JSON object for each server, on a line of its own, or laid out for a person. */
  | { readonly isAnswered: true; readonly text: string }
  /** There is nobody to ask, or no answer: why, and what to do. */
  | { readonly isAnswered: false; readonly complaint: string };

export async function askStatus(config: Config, isForPerson: boolean): Promise<StatusAnswer> {
  try {
    let text = '';
    for (const client of await connectControls(config)) {
      const status = await client.ask('GET', '/status');
      client.close();
      text += `${JSON.stringify(status, null, isForPerson ? 2 : 0)}\n`;
    }
    return { isAnswered: true, text };
  } catch (error) {
    if (!(error instanceof ControlSocketError || error instanceof ControlRefusal)) throw error;
    return { isAnswered: false, complaint: `${error.message} [${error.code}]` };
  }
}
