/** Every admin endpoint on a server that runs, held against the document that it gives of them. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import test, { type ExecutionContext } from 'ava';
import { operations } from '../../runtime/admin/operations.ts';
import type { EffectiveValue } from '../../runtime/config/effective.ts';
import { ControlRefusal } from '../../runtime/control/errors.ts';
import type { PoolEvent, PoolStatus, ServerStatus } from '../../runtime/status/status-types.ts';
import { ownFolder, startControl } from '../control/control-server.ts';
import { connectHttp2 } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { type AdminTestServer, startAdministered, stuckApplication } from './admin-server.ts';

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: { readonly schemas: object };
}

interface DocumentedOperation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

const minUptimeMs = 0;

function start(
  t: ExecutionContext,
  threads = { min: 1, max: 4 },
  exchangesPerThread = 1,
): Promise<AdminTestServer> {
  const pool = { application: stuckApplication('stuck'), minUptimeMs, exchangesPerThread };
  return startAdministered(t, {
    pools: {
      app: { ...pool, threads, env: { SECRET: 'of the application' } },
      other: { ...pool, threads: 1 },
    },
  });
}

/** Holds what comes against the schema that the document has for it. */
async function validated(t: ExecutionContext, { client }: AdminTestServer) {
  const document = (await client.ask('GET', '/openapi.json')) as Document;
  t.is(document.openapi, '3.1.0');
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ $id: 'document', ...document });
  return {
    document,
    hold: (pattern: string, method: string, status: number, value: unknown): void => {
      const operation = document.paths[pattern]?.[method.toLowerCase()];
      const name = operation?.responses[status] === undefined ? 'default' : String(status);
      const place = [
        'paths',
        pattern,
        method.toLowerCase(),
        'responses',
        name,
        'content',
        'application/json',
      ];
      const pointer = [...place, 'schema'].map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'));
      const validate = ajv.compile({ $ref: `document#/${pointer.map(encodeURIComponent).join('/')}` });
      t.true(validate(value), `${method} ${pattern}: ${JSON.stringify(validate.errors)}`);
    },
  };
}

async function refused(asked: Promise<unknown>): Promise<ControlRefusal> {
  try {
    await asked;
  } catch (error) {
    if (error instanceof ControlRefusal) return error;
    throw error;
  }
  throw new Error('expected a refusal, got an answer');
}

test('the document has every endpoint, and nothing else', async (t) => {
  const running = await start(t);
  const { document } = await validated(t, running);
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const offered = [...running.routes.entries()].map(([method, path]) => `${method} ${path}`);
  t.deepEqual(documented.toSorted(), offered.toSorted());
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  t.is(new Set(ids).size, ids.length);
});

test('what is only read is as the document says', async (t) => {
  const running = await start(t);
  const { hold } = await validated(t, running);
  const session = await connectHttp2(t, running.origin);
  const asked = session.request({ ':path': '/await', [SIGNALS_FIELD]: running.signals.name });
  asked.on('error', () => undefined);
  await running.signals.until('awaits');
  const paths: Readonly<Record<string, string>> = {
    '/pools/{pool}': '/pools/app',
    '/threads/{thread}': '/threads/app-1',
    '/exchanges': '/exchanges?pool=app&limit=5&olderThanMs=0',
  };
  const read = operations.filter(
    ({ method, type, path }) =>
      method === 'GET' &&
      type === undefined &&
      [...running.routes.entries()].some(([, each]) => each === path),
  );
  for (const { path } of read) hold(path, 'GET', 200, await running.client.ask('GET', paths[path] ?? path));
  t.true(read.length >= 10);
  const { exchanges } = await running.exchanges();
  t.is(exchanges.length, 1);
});

test('unknown pools, threads and paths are told which there are', async (t) => {
  const running = await start(t);
  const { hold } = await validated(t, running);
  const { client } = running;
  const pool = await refused(client.ask('GET', '/pools/ap'));
  t.is(pool.status, 404);
  t.is(pool.code, 'SLUICE_ADMIN_UNKNOWN_POOL');
  t.is(pool.message, 'pool: expected one of app, other, got "ap"; did you mean app?');
  hold('/pools/{pool}', 'GET', 404, { error: { code: pool.code, message: pool.message } });
  const thread = await refused(client.ask('POST', '/threads/app-9/recycle'));
  t.is(thread.code, 'SLUICE_ADMIN_UNKNOWN_THREAD');
  t.regex(thread.message, /^thread: expected one of app-1, other-1, got "app-9"/);
  for (const path of ['/exchanges?pool=none', '/exchanges?thread=none'])
    t.is((await refused(client.ask('GET', path))).status, 404);
  for (const path of [
    '/exchanges?limit=0',
    '/exchanges?limit=x',
    '/exchanges?olderThanMs=-1',
    '/logs?lines=x',
    '/logs?follow=perhaps',
  ])
    t.is((await refused(client.ask('GET', path))).code, 'SLUICE_ADMIN_BAD_REQUEST', path);
  t.is((await refused(client.ask('GET', '/pools/app/nothing'))).code, 'SLUICE_CONTROL_NOT_FOUND');
  t.is((await refused(client.ask('GET', '/pools/%zz'))).code, 'SLUICE_CONTROL_NOT_FOUND');
  const method = await refused(client.ask('GET', '/pools/app/recycle'));
  t.is(method.message, '/pools/app/recycle: expected POST, got GET');
});

test('a pool is resized at once, up and down, and what runs finishes', async (t) => {
  const running = await start(t, { min: 1, max: 1 });
  const { client, signals } = running;
  const { hold } = await validated(t, running);
  const body = { min: 3, max: 3 };
  const answer = await client.ask('POST', '/pools/app/resize', { body });
  hold('/pools/{pool}/resize', 'POST', 200, answer);
  t.deepEqual(answer, { pool: 'app', threads: body });
  const untilThreads = async (count: number) => {
    for (;;) {
      const pool = (await client.ask('GET', '/pools/app')) as PoolStatus;
      if (pool.threads.length === count && pool.threads.every(({ state }) => state === 'ready')) return pool;
    }
  };
  t.like(await untilThreads(3), { minThreads: 3, maxThreads: 3, state: 'running' });
  const session = await connectHttp2(t, running.origin);
  const asked = session.request({ ':path': '/await', [SIGNALS_FIELD]: signals.name });
  await signals.until('awaits');
  await client.ask('POST', '/pools/app/resize', { body: { min: 1, max: 1 } });
  const left = await untilThreads(1);
  t.is(left.threads[0]?.running, 1, 'the one that has something to do stays');
  signals.tell('release');
  let text = '';
  for await (const piece of asked) text += piece;
  t.is(text, 'awaited');
  const { values } = (await client.ask('GET', '/config')) as { readonly values: readonly EffectiveValue[] };
  const find = (where: string) => values.find((value) => value.where === where);
  t.deepEqual(find('$.pools.app.threads.min'), {
    where: '$.pools.app.threads.min',
    value: 1,
    source: 'admin',
  });
  t.like(find('$.pools.other.threads.min'), { source: 'file' });
  for (const wrong of [
    {},
    { min: 2, max: 1 },
    { min: 0, max: 1 },
    { min: 1, max: 1, more: 1 },
    { min: '1', max: 2 },
    [1, 2],
  ])
    t.is(
      (await refused(client.ask('POST', '/pools/app/resize', { body: wrong }))).code,
      'SLUICE_ADMIN_BAD_REQUEST',
    );
  t.is((await refused(client.ask('POST', '/pools/app/resize'))).status, 400);
});

test('the configuration in force hides what may be secret', async (t) => {
  const running = await start(t);
  const answer = (await running.client.ask('GET', '/config')) as {
    readonly values: readonly EffectiveValue[];
  };
  const secret = answer.values.find(({ where }) => where === '$.pools.app.env.SECRET');
  t.is(secret?.value, '(hidden)');
  t.false(JSON.stringify(answer).includes('of the application'));
});

test('a thread and a pool are recycled without a lost request, one recycling at a time', async (t) => {
  const running = await start(t, { min: 2, max: 2 });
  const { client, signals } = running;
  const { hold } = await validated(t, running);
  const one = await client.ask('POST', '/threads/app-1/recycle');
  hold('/threads/{thread}/recycle', 'POST', 200, one);
  t.deepEqual(one, { pool: 'app', threads: ['app-1'] });
  const session = await connectHttp2(t, running.origin);
  const asked = session.request({ ':path': '/await', [SIGNALS_FIELD]: signals.name });
  await signals.until('awaits');
  // It waits for the exchange that runs.
  const whole = client.ask('POST', '/pools/app/recycle');
  await running.untilSeen('/await', ({ thread }) => thread !== null);
  const second = await refused(client.ask('POST', '/pools/app/recycle'));
  t.is(second.code, 'SLUICE_ADMIN_CONFLICT');
  signals.tell('release');
  let text = '';
  for await (const piece of asked) text += piece;
  t.is(text, 'awaited');
  const all = (await whole) as { readonly threads: readonly string[] };
  hold('/pools/{pool}/recycle', 'POST', 200, all);
  t.deepEqual(all.threads.toSorted(), ['app-2', 'app-3']);
  const { events } = (await client.ask('GET', '/events')) as { readonly events: readonly PoolEvent[] };
  const recycled = events.filter(({ what }) => what === 'recycled');
  t.deepEqual(
    recycled.map(({ thread, why }) => `${thread} ${why}`),
    ['app-1 asked', ...all.threads.map((name) => `${name} asked`)],
  );
  t.like(await client.ask('GET', '/pools/app'), { recycledThreads: 3 });
});

test('a reload, and a level of the log', async (t) => {
  const running = await start(t);
  const { client, log } = running;
  const { hold } = await validated(t, running);
  const report = await client.ask('POST', '/reload');
  hold('/reload', 'POST', 200, report);
  t.like(report, { pools: [{ pool: 'app', change: 'replaced' }, { pool: 'other' }] });
  t.deepEqual(await client.ask('GET', '/log-level'), { level: 'debug' });
  t.deepEqual(await client.ask('PUT', '/log-level', { body: { level: 'warn' } }), { level: 'warn' });
  t.deepEqual(await client.ask('GET', '/log-level'), { level: 'warn' });
  const before = log.lines.length;
  await client.ask('POST', '/threads/other-2/recycle');
  t.false(log.lines.slice(before).some(({ msg }) => msg === 'thread recycled: another takes its place'));
  const wrong = await refused(client.ask('PUT', '/log-level', { body: { level: 'loud' } }));
  t.regex(wrong.message, /^level: expected one of trace, debug, .*, got "loud"$/);
});

test('a drain is asked for, and answered with what is open', async (t) => {
  const running = await start(t);
  const { hold } = await validated(t, running);
  const answer = await running.client.ask('POST', '/drain');
  hold('/drain', 'POST', 202, answer);
  t.like(answer, { pid: process.pid, open: 0, drainTimeoutMs: 30_000 });
  t.is(running.stops.count, 1);
  await running.server.drain();
  t.is((await refused(running.client.ask('POST', '/pools/app/recycle'))).code, 'SLUICE_ADMIN_NOT_RUNNING');
  t.like((await running.client.ask('GET', '/status')) as ServerStatus, { state: 'ended' });
});

test('the log: its newest lines, and those that come', async (t) => {
  const running = await start(t);
  const { client } = running;
  await client.ask('POST', '/reload');
  const newest = await client.request('GET', '/logs?lines=1');
  t.is(newest.type, 'application/x-ndjson');
  let text = '';
  for await (const piece of newest.body) text += piece;
  t.like(JSON.parse(text), { level: 'info' });
  const cancel = new AbortController();
  const following = await client.request('GET', '/logs?lines=0&follow=true', { signal: cancel.signal });
  const reading = following.body[Symbol.asyncIterator]();
  const first = reading.next();
  await client.ask('POST', '/pools/other/resize', { body: { min: 1, max: 2 } });
  t.like(JSON.parse(String((await first).value).split('\n')[0] ?? ''), {
    pool: 'other',
    msg: 'pool resized on request',
  });
  cancel.abort();
  await t.throwsAsync(reading.next());
});

test('more requests in a second than the limit are answered 429', async (t) => {
  const { routes, client } = await startControl(t, ownFolder(t), { maxRequestsPerSecond: 2 });
  routes.add('GET', '/here', (exchange) => exchange.answer(200, 'here'));
  const asked = await client();
  const answers = await Promise.allSettled(Array.from({ length: 50 }, () => asked.ask('GET', '/here')));
  const refusals = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  t.true(refusals.length > 0 && refusals.length < 50);
  for (const refusal of refusals) {
    t.is(refusal.code, 'SLUICE_CONTROL_TOO_MANY');
    t.is(refusal.status, 429);
    t.regex(refusal.message, /control\.maxRequestsPerSecond \(2\)/);
  }
});
