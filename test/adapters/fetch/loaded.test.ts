/**
 * Node loads its Fetch implementation when `Request` is first looked at, even by its descriptor. A thread that has it takes uploads a third
 * slower, so one that does not use it must not have it.
 */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';

const scope = new FileScope();
const application = fileURLToPath(new URL('applications/loaded.ts', import.meta.url));
const threads = { min: 1, max: 1 };
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: {
      found: { application, export: 'native', threads },
      named: { application, export: 'native', kind: 'exchange', threads },
      handler: { application, export: 'handler', threads },
      fetch: { application, export: 'handler', kind: 'fetch', threads },
    },
    routes: ['found', 'named', 'handler', 'fetch'].map((pool) => ({ path: `/${pool}`, pool })),
  });
});
test.after.always(() => scope.end());

for (const [path, expected] of [
  ['/found', { atLoad: false, now: false }],
  ['/named', { atLoad: false, now: false }],
  ['/handler', { atLoad: false, isLazy: true }],
  ['/fetch', { atLoad: true, isLazy: true }],
] as const) {
  test(`${path}: ${JSON.stringify(expected)}`, async (t) => {
    const { body } = await requestHttp1(server.origin + path);
    t.deepEqual(JSON.parse(body.toString()), expected);
  });
}
