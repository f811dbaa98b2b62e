/** What becomes of exchanges whose applications do not look at a refusal: each fails by itself, at once, and gives its place back. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';

const INTERNAL_ERROR = 0x2;
const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: {
      careless: {
        application: fileURLToPath(new URL('applications/careless.ts', import.meta.url)),
        threads: { min: 1, max: 1 },
        // One that never ended would be the last.
        exchangesPerThread: 1,
        validate: false,
      },
    },
  });
});
test.after.always(() => scope.end());

for (const [path, code] of [
  ['/respond', 'SLUICE_VALUE_INVALID'],
  ['/fields', 'SLUICE_VALUE_INVALID'],
  ['/status', 'SLUICE_STATUS_INVALID'],
] as const) {
  test.serial(`a wrong value in front of the head is answered 500: ${path}`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const http2 = await request(session, { ':path': path });
    t.deepEqual([http2.status, http2.body.toString()], [500, '500 Internal Server Error\n']);
    t.is((await requestHttp1(server.origin + path)).status, 500);
    const line = await server.log.until('application failed', (line) => line.path === path);
    t.like(line.err, { code });
    t.is((await request(session, { ':path': '/' })).body.toString(), 'hello');
  });
}

for (const path of ['/write', '/write-unawaited', '/end', '/transferred', '/transferred-whole']) {
  test.serial(
    `a wrong value behind the head cuts the response off, which never looks whole: ${path}`,
    async (t) => {
      const session = await connectHttp2(t, server.origin);
      const http2 = await request(session, { ':path': path });
      t.deepEqual([http2.status, http2.resetCode], [200, INTERNAL_ERROR]);
      const http1 = await requestHttp1(server.origin + path);
      t.deepEqual([http1.status, http1.how], [200, 'cut']);
      const line = await server.log.until('application failed', (line) => line.path === path);
      t.like(line.err, { code: 'SLUICE_VALUE_INVALID' });
      t.is((await request(session, { ':path': '/' })).body.toString(), 'hello');
    },
  );
}

test.serial('none of it has cost the thread', async (t) => {
  t.is(server.log.count('thread started'), 1);
  t.is(server.log.count('thread died'), 0);
});
