/** Servers of a configuration that has become invalid since they were started. */
import { resolve } from 'node:path';
import * as v from 'valibot';
import { controlSection } from '../config/control-schema.ts';
import { ConfigError } from '../config/errors.ts';
import { ControlSocketError } from '../control/errors.ts';
import { type FindOptions, findServers } from '../control/find.ts';
import type { AskedConfig } from './ask-servers.ts';

/**
 * Reads the configuration. If it is invalid, the servers that run it are still where servers without a `control.path` are, and an operator needs
 * the command no less.
 * @param warn gets a sentence for the user if that is so
 * @throws ConfigError if the configuration is invalid and no server is found
 */
export async function readAsked(
  file: string,
  read: () => AskedConfig,
  find: FindOptions,
  warn: (text: string) => void,
): Promise<AskedConfig> {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const asked = { file: resolve(file), control: { ...v.parse(controlSection, {}), path: null } };
    try {
      const { clients } = await findServers(asked, find);
      for (const client of clients) client.close();
    } catch (failure) {
      if (!(failure instanceof ControlSocketError)) throw failure;
      // Without a server the configuration is what the user has to hear about.
      throw error;
    }
    warn(`warning: ${file} is invalid now, which the server that runs it has not noticed: see sluice check`);
    return asked;
  }
}
