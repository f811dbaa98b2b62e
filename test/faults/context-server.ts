/** A server with one thread for each kind of application that enters async contexts, and who asks it. */
import { application, type PoolInput, type Scope, startServer, type TestServer } from '../server/harness.ts';

/** At once, so that the thread finds many in one turn. */
const CONCURRENT = 40;

/** Every second one says who it is. */
export const users = Array.from({ length: CONCURRENT }, (_, index) =>
  index % 2 === 0 ? `user${index}` : undefined,
);

/** @param socketKind takes WebSockets at `/` and its name; the others have all that is below theirs */
export function startContextServer(
  scope: Scope,
  kinds: readonly string[],
  socketKind: string,
  more: Partial<PoolInput> = {},
): Promise<TestServer> {
  const pool = (kind: string) => ({
    application: application('faults', `contexts/${kind}`),
    threads: { min: 1, max: 1 },
    ...more,
  });
  return startServer(scope, {
    pools: Object.fromEntries([...kinds, socketKind].map((kind) => [kind, pool(kind)])),
    routes: [
      ...kinds.map((kind) => ({ path: `/${kind}/*`, pool: kind })),
      { path: `/${socketKind}`, pool: socketKind, websocket: true },
    ],
  });
}
