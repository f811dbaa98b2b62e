/** Applications as the frameworks' own documentation has them, unmodified: the configuration names the file and nothing else. */
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';

interface Expected {
  readonly status?: number;
  readonly body: string;
  readonly headers?: { readonly [name: string]: string };
}
interface Ask {
  readonly path: string;
  readonly json?: unknown;
  readonly expected: Expected;
}

const file = (name: string): string => fileURLToPath(new URL(`examples/${name}`, import.meta.url));

const examples: { readonly [name: string]: readonly Ask[] } = {
  'express-hello-world.cjs': [{ path: '/', expected: { body: 'Hello World!' } }],
  'express-routing.cjs': [
    { path: '/birds', expected: { body: 'Birds home page', headers: { 'x-time': 'now' } } },
    { path: '/birds/wren?size=small', expected: { body: '{"name":"wren","size":"small"}' } },
    { path: '/birds/wren', json: { seen: 3 }, expected: { status: 201, body: '{"seen":3}' } },
    {
      path: '/static/file.txt',
      expected: { body: 'a file of Express\n', headers: { 'content-type': 'text/plain; charset=utf-8' } },
    },
    { path: '/broken', expected: { status: 500, body: 'Something broke: BROKEN' } },
    { path: '/nowhere', expected: { status: 404, body: 'Cannot GET /nowhere' } },
  ],
  'fastify-first-server.cjs': [{ path: '/', expected: { body: '{"hello":"world"}' } }],
  'fastify-plugins.mjs': [
    {
      path: '/keys',
      json: { someKey: 21 },
      expected: { body: '{"twice":42}', headers: { 'x-hook': 'called' } },
    },
    { path: '/keys', json: {}, expected: { status: 400, body: 'someKey' } },
  ],
  'fastify-exported.mjs': [{ path: '/you', expected: { body: '{"hello":"you"}' } }],
  'koa-cascading.cjs': [
    { path: '/a?b', expected: { body: 'Hello World', headers: { 'x-logged': 'GET /a?b - 1ms' } } },
  ],
  'koa-exported.mjs': [{ path: '/hello/koa', expected: { body: '{"hello":"koa"}' } }],
  'hono-getting-started.ts': [
    { path: '/', expected: { body: 'Hono!' } },
    { path: '/posts/1?page=2', expected: { body: '{"id":"1","page":"2"}', headers: { 'x-message': 'Hi!' } } },
    { path: '/stream', expected: { body: 'one two three' } },
  ],
  'h3-getting-started.ts': [
    { path: '/', expected: { body: '⚡️ Tadaa!' } },
    { path: '/echo', json: { a: 1 }, expected: { body: '"got"' } },
  ],
  'h3-serve.mjs': [
    { path: '/', expected: { body: '⚡️ Tadaa!' } },
    { path: '/hello/you', expected: { body: '"hello":' } },
    { path: '/body', json: { a: 1 }, expected: { body: '"got":' } },
  ],
  'connect-readme.cjs': [
    { path: '/', expected: { body: 'Hello from Connect!\n', headers: { 'x-middleware': 'ran' } } },
  ],
  // Bound, it would have a port.
  'listens-late.ts': [{ path: '/', expected: { body: '"port":0' } }],
  'node-about.mjs': [{ path: '/', expected: { body: 'Hello World!\n' } }],
  'ws-shared-server.mjs': [{ path: '/', expected: { body: 'no WebSocket' } }],
};
const SHARED = Object.keys(examples).indexOf('ws-shared-server.mjs');

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const names = Object.keys(examples);
  server = await startServer(scope, {
    pools: Object.fromEntries(
      names.map((name, n) => [`p${n}`, { application: file(name), threads: { min: 1, max: 1 } }]),
    ),
    routes: names.map((_, n) => ({ host: `p${n}.test`, path: '/*', pool: `p${n}`, websocket: true })),
  });
});
test.after.always(() => scope.end());

function check(
  t: ExecutionContext,
  { status = 200, body, headers = {} }: Expected,
  answer: {
    readonly status: number;
    readonly body: Buffer;
    readonly headers: { readonly [name: string]: unknown };
  },
): void {
  t.is(answer.status, status);
  t.true(answer.body.toString().includes(body), answer.body.toString());
  for (const [name, value] of Object.entries(headers)) t.is(answer.headers[name], value);
}

for (const [n, [name, asks]] of Object.entries(examples).entries()) {
  test(`${name} runs as it is, over both versions`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    for (const { path, json, expected } of asks) {
      const body = json === undefined ? undefined : JSON.stringify(json);
      const method = body === undefined ? 'GET' : 'POST';
      const fields = body === undefined ? {} : { 'content-type': 'application/json' };
      const host = `p${n}.test`;
      check(
        t,
        expected,
        await requestHttp1(`${server.origin}${path}`, {
          method,
          headers: { host, ...fields },
          ...(body === undefined ? {} : { body }),
        }),
      );
      const head = { ':method': method, ':authority': host, ':path': path, ...fields };
      check(t, expected, await request(session, head, body));
    }
  });
}

for (const [path, got] of [
  ['/greeting', 'hello'],
  ['/echoing', 'sent'],
  ['/neither', 404],
] as const) {
  test(`two servers of ws share one of node:http: ${path}`, async (t) => {
    const address = `${server.origin.replace('http', 'ws')}${path}`;
    const socket = new WebSocket(address, { headers: { host: `p${SHARED}.test` } });
    t.teardown(() => socket.terminate());
    const answer = await new Promise((resolve, reject) => {
      socket.on('open', () => socket.send('sent'));
      socket.on('message', (message) => resolve(String(message)));
      socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
      socket.on('error', reject);
    });
    t.is(answer, got);
  });
}

test('a module without an application is refused with what it has instead', async (t) => {
  const error = await t.throwsAsync(
    startServer(t, { pools: { wrong: { application: file('nothing.ts'), threads: { min: 1, max: 1 } } } }),
  );
  t.is((error as { code?: string } | undefined)?.code, 'SLUICE_APPLICATION_LOAD_FAILED');
  t.regex(error?.message ?? '', /expected a default export that is an application .*: it exports settings/);
});

test('a kind that is stated and not met is refused with what was found', async (t) => {
  const application = file('hono-getting-started.ts');
  const pools = { wrong: { application, kind: 'server', threads: { min: 1, max: 1 } } } as const;
  const error = await t.throwsAsync(startServer(t, { pools }));
  t.regex(error?.message ?? '', /expected a default export of the kind 'server'.*an instance of Hono/);
});

test('a Fetch handler that was taken for a native application fails with the kind that it needs', async (t) => {
  const pool = { application: file('fetch-response.ts'), threads: { min: 1, max: 1 }, validate: false };
  const guessed = await startServer(t, { pools: { guessed: pool } });
  t.is((await requestHttp1(`${guessed.origin}/`)).status, 500);
  const told = guessed.log.lines.map((line) => JSON.stringify(line)).find((line) => line.includes("'fetch'"));
  t.regex(told ?? '', /kind/);
  const stated = await startServer(t, { pools: { stated: { ...pool, kind: 'fetch' } } });
  const { status, body } = await requestHttp1(`${stated.origin}/`);
  t.deepEqual([status, body.toString()], [200, 'fetched']);
});
