/** Proxies and servers of others, whose upstreams and clients do not do as they should. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { ways } from '../ways.ts';
import { fastifyProxy } from './applications/fastify-proxy.ts';

const NOWHERE = 'http://127.0.0.1:1';
const POOLS = ['fastify-proxy', 'http-proxy', 'hono-listening', 'promises'] as const;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const application = (name: string): string =>
    fileURLToPath(new URL(`applications/${name}.ts`, import.meta.url));
  server = await startServer(scope, {
    pools: Object.fromEntries(
      POOLS.map((name) => [name, { application: application(name), threads: { min: 1, max: 1 } }]),
    ),
  });
});
test.after.always(() => scope.end());
test.afterEach.always((t) => {
  t.is(server.log.count('thread died'), 0);
});

/** Answers everything with these bytes. */
async function upstream(t: ExecutionContext, response: string): Promise<string> {
  const listening = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(response));
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  t.teardown(() => listening.close());
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

for (const [version, over] of Object.entries(ways)) {
  for (const method of ['GET', 'POST']) {
    test(`@fastify/http-proxy answers ${method} when its upstream is down, over HTTP/${version}`, async (t) => {
      const ask = {
        method,
        headers: { 'x-upstream': NOWHERE, 'content-type': 'text/plain' },
        ...(method === 'POST' && { body: 'hello' }),
      };
      const app = await fastifyProxy();
      t.teardown(() => app.close());
      const origin = await app.listen({ port: 0, host: '127.0.0.1' });
      const expected = await (ways['1.1'] as typeof over)({ origin, port: 0 }).ask(
        t,
        '/fastify-proxy/a',
        ask,
      );
      const seen = await over(server).ask(t, '/fastify-proxy/a', ask);
      t.deepEqual([seen.status, seen.body, seen.how], [expected.status, expected.body, 'whole']);
      t.true(seen.status >= 500);
    });
  }

  const refuses = async (
    t: ExecutionContext,
    path: string,
    response: string,
    message: RegExp,
  ): Promise<void> => {
    const headers = { 'x-upstream': await upstream(t, response) };
    const seen = await over(server).ask(t, path, { headers });
    t.deepEqual([seen.status, seen.how], [500, 'whole']);
    const line = await server.log.until('application failed on an exchange', (each) => each.path === path);
    t.regex((line.err as Error).message, message);
  };

  // What each of the two lets pass: undici refuses the status, and Node's client drops the second line.
  test(`@fastify/http-proxy: an upstream that says Content-Type twice fails its exchange alone, over HTTP/${version}`, async (t) => {
    await refuses(
      t,
      `/fastify-proxy/${version}/twice`,
      'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: a/c\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx',
      /expected at most one 'content-type' field/,
    );
  });

  test(`http-proxy-middleware: an upstream with a status of 999 fails its exchange alone, over HTTP/${version}`, async (t) => {
    await refuses(
      t,
      `/http-proxy/${version}/status`,
      'HTTP/1.1 999 Denied\r\nContent-Length: 6\r\nConnection: close\r\n\r\ndenied',
      /expected a final status, 200 to 599.*got 999/,
    );
  });

  test(`what a handler throws or rejects with behind its end harms nobody else, over HTTP/${version}`, async (t) => {
    const thrown = await over(server).ask(t, '/promises/thrown');
    t.is(thrown.status, 500);
    const path = '/promises/rejected';
    await over(server)
      .ask(t, path)
      .catch(() => undefined);
    t.is((await over(server).ask(t, '/promises/alive')).body, 'alive');
  });
}

for (const [version, over] of Object.entries(ways)) {
  test(`an upload that @hono/node-server refuses unread is answered, over HTTP/${version}`, async (t) => {
    const seen = await over(server).ask(t, '/hono-listening/upload', { method: 'POST', body: 'hello' });
    t.deepEqual([seen.status, seen.body, seen.how], [403, 'not allowed', 'whole']);
  });
}

test('every thread is there still', async (t) => {
  t.is((await requestHttp1(`${server.origin}/promises/alive`)).body.toString(), 'alive');
});
