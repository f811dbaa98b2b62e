/** `testServer` as tests meet it: applications as modules and as functions, and what is left behind. */
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { inlineModule } from '../../runtime/embedding/inline-application.ts';
import { testServer } from '../../runtime/testing/testing.ts';
import type { Exchange } from '../../workers/gateway.ts';

const module = new URL('./applications/answers.ts', import.meta.url);
const root = fileURLToPath(new URL('../..', import.meta.url));
const pool = { startTimeoutMs: 60_000 };

test('a module gets every request on a free port, which is free again afterwards', async (t) => {
  const server = await testServer(module, { pool });
  t.teardown(() => server.close());
  const other = await testServer('./applications/answers.ts', { pool, directory: import.meta.dirname });
  t.not(server.origin, other.origin);
  for (const { origin } of [server, other]) t.is(await (await fetch(`${origin}/here`)).text(), '/here');
  t.like(server.server.status(), { pools: [{ name: 'app', minThreads: 1, maxThreads: 1 }] });
  await other.close();
  await t.throwsAsync(fetch(other.origin));
});

test('a function runs in a thread, where it can import packages and cannot see the test’s variables', async (t) => {
  const outside = 'here';
  const server = await testServer(
    async (exchange: Exchange) => {
      const { threadName } = await import('node:worker_threads');
      const { default: mime } = await import('mime');
      if (exchange.request.path === '/outside') exchange.respond(200, {}, outside);
      exchange.respond(200, {}, `${threadName} ${mime.getType('a.html')}`);
    },
    { pool },
  );
  t.teardown(() => server.close());
  t.regex(await (await fetch(server.origin)).text(), / text\/html$/);
  t.is((await fetch(`${server.origin}/outside`)).status, 500);
  const [line] = server.log;
  t.like(line, { level: 'error', msg: 'application failed on an exchange' });
  t.regex(String(line?.err?.message), /outside is not defined/);
});

test('handlers of other kinds are functions too, and the pool is set as in a configuration', async (t) => {
  const handler = {
    async answer(request: Request): Promise<Response> {
      return new Response(`${process.env.WORD} ${new URL(request.url).pathname}`);
    },
  };
  const server = await testServer(handler.answer, {
    pool: { ...pool, kind: 'fetch', env: { WORD: 'set' } },
    configuration: { limits: { maxTargetBytes: 64 } },
  });
  t.teardown(() => server[Symbol.asyncDispose]());
  t.is(await (await fetch(`${server.origin}/path`)).text(), 'set /path');
  t.is((await fetch(`${server.origin}/${'x'.repeat(64)}`)).status, 414);
});

const leftBehind = () =>
  [`${root}node_modules`, tmpdir()].flatMap((folder) =>
    readdirSync(folder).filter((name) => name.startsWith('.sluice-test-')),
  );

test.serial('a function leaves no file behind, whether its server was closed or did not start', async (t) => {
  const before = leftBehind().length;
  const server = await testServer((exchange: Exchange) => exchange.respond(204), { pool });
  t.is(leftBehind().length, before + 1);
  await server.close();
  await server.close();
  t.is(leftBehind().length, before);
  await t.throwsAsync(
    testServer((exchange: Exchange) => exchange.respond(204), {
      pool: { ...pool, kind: 'server' },
    }),
    { code: 'SLUICE_APPLICATION_LOAD_FAILED' },
  );
  t.is(leftBehind().length, before);
  t.true(existsSync(root));
});

test('a value that is not an application is refused before anything starts', async (t) => {
  await t.throwsAsync(testServer(fetch.bind(null) as never), {
    instanceOf: TypeError,
    message:
      /^application: expected a function with source text, got "function \(\) \{ \[native code\] \}"; write a module/,
  });
  await t.throwsAsync(testServer('./not-there.ts'), {
    code: 'SLUICE_CONFIG_INVALID',
    message: /\$\.pools\.app\.application.*not-there\.ts/s,
  });
});

test('methods, generators and arrow functions have the text that a module needs', (t) => {
  const methods = { plain() {}, async *'quoted name'() {} };
  for (const [application, text] of [
    [(): void => undefined, 'export default (()'],
    [function named(): void {}, 'export default (function named()'],
    [async function* (): AsyncGenerator<never> {}, 'export default (async function* ()'],
    [methods.plain, 'export default Object.values({ plain()'],
    [methods['quoted name'], "export default Object.values({ async *'quoted name'()"],
  ] as const)
    t.true(inlineModule(application).startsWith(text), inlineModule(application));
});
