/** What a Fetch handler may give: any implementation's Response, and bytes that are its own from then on. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const application = fileURLToPath(new URL('applications/foreign.ts', import.meta.url));
  server = await startServer(scope, {
    pools: {
      fetch: { application, kind: 'fetch', threads: { min: 1, max: 1 } },
      // Its kind is found behind the module, which has kept the platform's class by then.
      found: { application, threads: { min: 1, max: 1 } },
    },
    routes: [
      { path: '/found/*', pool: 'found' },
      { path: '/*', pool: 'fetch' },
    ],
  });
});
test.after.always(() => scope.end());

test("another implementation's Response is sent with its status, fields and body", async (t) => {
  const { status, headers, body } = await requestHttp1(`${server.origin}/foreign`);
  t.deepEqual([status, headers['content-type'], headers['set-cookie']], [201, 'text/plain', ['a=1', 'b=2']]);
  t.is(body.toString(), 'of another implementation');
  t.is((await requestHttp1(`${server.origin}/empty`)).status, 204);
});

test('what has no more of a Response than a status is refused', async (t) => {
  t.is((await requestHttp1(`${server.origin}/object`)).status, 500);
});

test('a Response has a copy of the bytes that it was made with', async (t) => {
  const names = ['/alice', '/bob', '/carol', '/dave'];
  const bodies = await Promise.all(
    names.map(async (name) => (await requestHttp1(server.origin + name)).body.toString()),
  );
  t.deepEqual(
    bodies,
    names.map((name) => name.padEnd(8, '.')),
  );
});

for (const place of ['', '/found']) {
  test(`a class that extends Request, and a fetch that was kept at load, know the requests of handlers: ${place}/kept`, async (t) => {
    const { body } = await requestHttp1(`${server.origin}${place}/kept`, { headers: { 'x-user': 'ann' } });
    t.deepEqual(JSON.parse(body.toString()), {
      user: 'ann',
      answers: ['GET ', 'POST mine', 'GET '],
      isRequest: true,
      name: ['Request', 'fetch', 'http://a/b'],
    });
  });
}

test('more names than a thread keeps go out in lower case as well', async (t) => {
  for (const from of [0, 200, 400, 0]) {
    const { headers } = await requestHttp1(`${server.origin}/names?from=${from}`);
    const sent = Object.keys(headers).filter((name) => name.startsWith('x-name-'));
    t.deepEqual(sent.sort(), Array.from({ length: 200 }, (_, n) => `x-name-${from + n}`).sort());
  }
  t.is((await requestHttp1(`${server.origin}/wrong-name`)).status, 500);
});
