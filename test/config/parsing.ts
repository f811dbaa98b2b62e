/** A small configuration, and what its loader makes of it with changes. */
import { ConfigError, type ConfigProblem } from '../../runtime/config/errors.ts';
import { parseConfig } from '../../runtime/config/load.ts';
import type { ConfigOverrides } from '../../runtime/config/overrides.ts';
import type { ConfigInput } from '../../runtime/config/schema.ts';

export const small = {
  pools: { app: { application: './app.ts' } },
  routes: [{ path: '/*', pool: 'app' }],
} satisfies ConfigInput;

export function parse(input: unknown, overrides: ConfigOverrides = {}, parallelism = 4) {
  return parseConfig(JSON.stringify(input), '/srv/runtime.config.json', overrides, [], parallelism);
}

/** The error of a configuration that must be wrong. */
export function errorOf(text: string, known: readonly ConfigProblem[] = []): ConfigError {
  try {
    parseConfig(text, '/srv/runtime.config.json', {}, known);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

/** The problems of `small` with members replaced. */
export function problemsOf(changes: object): readonly ConfigProblem[] {
  return errorOf(JSON.stringify({ ...small, ...changes })).problems;
}
