/** A server whose limits a few bytes can reach. */
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { type PoolInput, type Scope, startServer, type TestServer } from '../server/harness.ts';

export function startLimited(
  scope: Scope,
  limits: NonNullable<ConfigInput['limits']>,
  more: Pick<ConfigInput, 'http2' | 'listeners'> = {},
  pool: Partial<PoolInput> = {},
): Promise<TestServer> {
  const application = fileURLToPath(new URL('applications/measured.ts', import.meta.url));
  return startServer(scope, {
    pools: { measured: { application, threads: { min: 1, max: 1 }, ...pool } },
    limits,
    ...more,
  });
}
