/** A server for tests of HTTP/1 connections. */
import { fileURLToPath } from 'node:url';
import { type Scope, type ServerInput, startServer, type TestServer } from '../server/harness.ts';

const steps = fileURLToPath(new URL('applications/steps.ts', import.meta.url));

export function startHttp1Server(
  scope: Scope,
  input: Omit<ServerInput, 'pools'> = {},
  pool: Partial<ServerInput['pools'][string]> = {},
): Promise<TestServer> {
  return startServer(scope, {
    pools: { steps: { application: steps, threads: { min: 1, max: 1 }, ...pool } },
    ...input,
  });
}
