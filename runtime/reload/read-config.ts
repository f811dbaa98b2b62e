/**
 * Reads the configuration file again for a running server, in a thread, because the reactor must not wait for a
 * disk.
 */
import type { Config } from '../config/config.ts';
import { ConfigError, ConfigErrorCode } from '../config/errors.ts';
import { impliedText } from '../config/implied.ts';
import { parseConfig } from '../config/load.ts';
import type { ConfigOverrides } from '../config/overrides.ts';
import { FileReader } from '../tls/file-reader.ts';

const READ_TIMEOUT_MS = 10_000;

/**
 * @param overrides the command line's and the environment's, as at the start
 * @throws ConfigError
 */
export function configReader(file: string, overrides: ConfigOverrides): () => Promise<Config> {
  const implied = impliedText(file);
  if (implied !== null) return async () => parseConfig(implied, file, overrides);
  const reader = new FileReader();
  return async () => {
    const read = await reader.read([file], AbortSignal.timeout(READ_TIMEOUT_MS));
    let text: string;
    try {
      text = read(file).toString();
    } catch (error) {
      throw new ConfigError(file, [
        {
          code: ConfigErrorCode.FileUnreadable,
          where: '$',
          expected: 'a configuration file that can be read',
          received: error instanceof Error ? error.message : String(error),
        },
      ]);
    }
    return parseConfig(text, file, overrides);
  };
}
