/** Upgrade listeners that do what cannot be done: the exchange fails, with a line in the log as for any application, and nothing else. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { RefusedError, ways } from '../../websocket/byte-streams.ts';
import type { SocketServer } from '../../websocket/server.ts';

const application = fileURLToPath(new URL('applications/mistakes.mjs', import.meta.url));
const FAILED = 'application failed on an exchange';
const scope = new FileScope();
let server: SocketServer;

test.before(async () => {
  const started = await startServer(scope, {
    pools: { mistakes: { application, threads: { min: 1, max: 1 } } },
    routes: [{ path: '/*', pool: 'mistakes', websocket: true }],
  });
  server = { ...started, scope };
});
test.after.always(() => scope.end());

const mistakes: readonly (readonly [path: string, message: RegExp])[] = [
  ['/no-status', /expected a final status, 200 to 599.*got 999/],
  ['/no-head', /expected an upgrade listener to write an HTTP response first, it wrote hello/],
  ['/no-field', /expected .*name/],
  ['/endless-head', /expected an upgrade listener to write a response head of at most 65536 bytes/],
  ['/ends-first', /expected an upgrade listener to answer before it ends the socket/],
  ['/later', /expected a final status, 200 to 599.*got 999/],
  ['/member', /socket\.connect/],
  ['/throws', /thrown by a listener/],
  ['/rejects', /rejected by a listener/],
];

for (const way of ways) {
  for (const [path, message] of mistakes) {
    test(`an upgrade listener's mistake, ${path.slice(1)}, is answered 500 and logged over HTTP/${way.version}`, async (t) => {
      const error = await t.throwsAsync(way.webSocket(t, server, `${path}?${way.version}`), {
        instanceOf: RefusedError,
      });
      t.is(error?.status, 500);
      const line = await server.log.until(FAILED, (each) => each.path === `${path}?${way.version}`);
      t.regex((line.err as Error).message, message);
    });
  }

  test(`a listener that destroys its socket means to, and the log says nothing over HTTP/${way.version}`, async (t) => {
    await t.throwsAsync(way.webSocket(t, server, `/destroys?${way.version}`));
    t.is((await requestHttp1(`${server.origin}/page`)).body.toString(), 'alive');
    t.is(
      server.log.lines.filter(({ msg, path }) => msg === FAILED && path === `/destroys?${way.version}`)
        .length,
      0,
    );
  });
}
