/** `sluice ps` and `sluice top`: what they say of a server, and what they make of its words. */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { poolsTable } from '../../runtime/cli/pools-table.ts';
import { processScreen, type Screen, watchPools } from '../../runtime/cli/top.ts';
import type {
  PoolStatus,
  ServerStatus,
  ThreadStatus,
  WaitStatus,
} from '../../runtime/status/status-types.ts';
import { configOf, ownFolder, startControl } from '../control/control-server.ts';
import { application } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { startProcess } from '../server/process.ts';

const command = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));

const wait = (...buckets: [number, number][]) => ({ buckets }) as unknown as WaitStatus;

const thread = {
  name: 'render-1',
  state: 'ready',
  running: 2,
  waiting: 1,
  longestRunningMs: 12_000,
  creditStalled: 1,
  turnAgeMs: 3_000,
  isAsleep: false,
  heapBytes: 20 * 1_048_576,
  loop: { utilization: 0.5 },
} as unknown as ThreadStatus;

function pool(more: object = {}): PoolStatus {
  return {
    name: 'render',
    state: 'running',
    queued: 3,
    maxQueued: 1_024,
    exchanges: { open: 6 },
    threads: [thread],
    diedThreads: 0,
    hungThreads: 0,
    lastDeath: null,
    nextStartInMs: null,
    stale: null,
    total: { ended: 100, queueWait: wait([1, 90], [20, 10]), service: wait([50, 100]) },
    ...more,
  } as unknown as PoolStatus;
}

function status(pools: PoolStatus[], uptimeMs: number): ServerStatus {
  return {
    version: '1.2.3',
    pid: 42,
    state: 'running',
    uptimeMs,
    connections: { open: 5, max: 100 },
    reactor: { utilization: 0.25 },
    pools,
  } as unknown as ServerStatus;
}

test('one status gives figures since the server’s start', (t) => {
  t.is(
    poolsTable(status([pool()], 61_000)),
    `Sluice 1.2.3, process 42, running for 61s
5 of 100 connections, 6 exchanges open, reactor 25% busy

            state    open  queued  busy  heap  per s  p50 wait  p99 wait  p50 run  p99 run  note
render      running     6  3/1024   50%   20M            1.0ms      20ms     50ms     50ms
  render-1  ready       2       1   50%   20M                                               oldest 12s; 1 wait for their peers to read; computes for 3s
`,
  );
});

test('two statuses give figures for the time between them', (t) => {
  const later = pool({
    total: { ended: 350, queueWait: wait([1, 90], [20, 260]), service: wait([50, 100]) },
  });
  const line = poolsTable(status([later], 63_000), status([pool()], 61_000)).split('\n')[4] ?? '';
  // 250 in two seconds, all of which waited 20 ms; none has ended a run of a bucket that was not there.
  t.regex(line, /^render +running +6 +3\/1024 +50% +20M +125 +20ms +20ms$/);
});

test('an application’s text neither moves the cursor nor adds a line', (t) => {
  const lastDeath = {
    thread: 'render-1',
    name: 'Error',
    message: `\x1b[2Jfirst${'x'.repeat(200)}\nsecond`,
    agoMs: 5,
  };
  const text = poolsTable(
    status(
      [pool({ diedThreads: 3, hungThreads: 1, lastDeath, state: 'degraded', nextStartInMs: 4_000 })],
      1_000,
    ),
  );
  t.false(text.includes('\x1b'));
  t.is(text.split('\n').length, 7);
  t.regex(text, /next thread in 4s; 3 died, 1 of them hung; last: Error: \?\[2Jfirstx+…\n/);
});

test('ps prints the table of a running server, and says why if none runs', async (t) => {
  const variables = { XDG_RUNTIME_DIR: ownFolder(t) };
  const pools = { app: { application: application('server', 'pool-name'), threads: { min: 1, max: 1 } } };
  const server = startProcess(t, { pools }, [], variables);
  await requestHttp1(await server.listening());
  const run = () =>
    new Promise<[string, string, number | null]>((resolve) => {
      const env = { ...process.env, ...variables };
      const words = [command, 'ps', '--config', server.file];
      const child = execFile(process.execPath, words, { env }, (_error, out, err) =>
        resolve([out, err, child.exitCode]),
      );
    });
  const [table, , code] = await run();
  t.is(code, 0);
  t.regex(table, /^app +running +0 +0\/\d+ .*$/m);
  t.regex(table, /^ {2}app-1 +ready +0 +0 /m);
  server.child.kill('SIGTERM');
  await server.ended;
  const [, complaint, failed] = await run();
  t.is(failed, 1);
  t.regex(complaint, /\[SLUICE_CONTROL_NO_SERVER\]\n$/);
});

for (const [end, endsIt] of [
  ['Ctrl-C', (top: ChildProcessByStdio<null, Readable, null>) => top.kill('SIGINT')],
  ['nobody reads it', (top: ChildProcessByStdio<null, Readable, null>) => top.stdout.destroy()],
] as const) {
  test(`top shows a server that runs again and again, until ${end}`, async (t) => {
    const variables = { XDG_RUNTIME_DIR: ownFolder(t) };
    const app = { application: application('server', 'pool-name'), threads: { min: 1, max: 1 } };
    const server = startProcess(t, { pools: { app } }, [], variables);
    await server.listening();
    const top = spawn(process.execPath, [command, 'top', '--config', server.file], {
      env: { ...process.env, ...variables },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => top.kill('SIGKILL'));
    const closed = once(top, 'close');
    let written = '';
    const pictures = new RegExp(`process ${server.child.pid}, running`, 'g');
    const seen = new Promise<void>((resolve) => {
      top.stdout.setEncoding('utf8').on('data', (piece: string) => {
        written += piece;
        if ((written.match(pictures)?.length ?? 0) >= 2) resolve();
      });
    });
    t.is(await Promise.race([seen, closed]), undefined, 'it has not ended by itself');
    t.regex(written, /^ {2}app-1 +ready /m);
    endsIt(top);
    t.deepEqual(await closed, [0, null]);
  });
}

test('top runs until its reader leaves or its server ends, and clears only a terminal', async (t) => {
  const folder = ownFolder(t);
  const { path, routes, control } = await startControl(t, folder);
  let uptimeMs = 0;
  routes.add('GET', '/status', (exchange) => {
    uptimeMs += 1_000;
    exchange.answer(
      200,
      status([pool({ total: { ended: uptimeMs / 10, queueWait: wait(), service: wait() } })], uptimeMs),
    );
  });
  const config = configOf({ path }, `${folder}/runtime.config.json`);
  let written = '';
  const screen = (pictures: number, isTerminal: boolean): Screen => ({
    isTerminal,
    signal: new AbortController().signal,
    write: (text) => {
      written += text;
    },
    next: async () => --pictures > 0,
  });
  t.is((await watchPools(config, {}, screen(3, false))).exitCode, 0);
  t.is(written.match(/process 42/g)?.length, 3);
  t.is(written.match(/ {2}100$/gm)?.length, 2, 'a hundred a second, from the second picture on');
  t.false(written.includes('\x1b'));
  written = '';
  await watchPools(config, {}, screen(1, true));
  t.true(written.startsWith('\x1b[H\x1b[2J'));
  control.close();
  const ended = await watchPools(config, {}, screen(3, false));
  t.is(ended.exitCode, 1);
  t.regex(ended.complaints?.join() ?? '', /SLUICE_CONTROL/);
});

test('top goes on with the others when one of several servers ends', async (t) => {
  const folder = ownFolder(t);
  const servers = [await startControl(t, folder), await startControl(t, folder)];
  for (const [index, { routes }] of servers.entries()) {
    routes.add('GET', '/status', (exchange) =>
      exchange.answer(200, status([pool({ name: `of-${index}` })], 1_000)),
    );
  }
  const pictures: string[] = [];
  const screen: Screen = {
    isTerminal: false,
    signal: new AbortController().signal,
    write: (text) => void pictures.push(text),
    next: async () => {
      servers[pictures.length - 1]?.control.close();
      return true;
    },
  };
  const { config, environment } = servers[0] as (typeof servers)[number];
  const ended = await watchPools(config, { environment }, screen);
  t.deepEqual(
    pictures.map((text) => text.match(/^of-\d/gm)?.toSorted()),
    [['of-0', 'of-1'], ['of-1']],
  );
  t.is(ended.exitCode, 1, 'the last one has ended');
  t.regex(ended.complaints?.join() ?? '', /SLUICE_CONTROL_LOST/);
});

test('Ctrl-C ends top while a server does not answer', async (t) => {
  const folder = ownFolder(t);
  const { path, routes } = await startControl(t, folder);
  const ended = new AbortController();
  routes.add('GET', '/status', async (exchange) => {
    ended.abort();
    await once(exchange.signal, 'abort');
  });
  const answer = await watchPools(
    configOf({ path }, `${folder}/runtime.config.json`),
    {},
    processScreen(ended.signal),
  );
  t.deepEqual(answer, { exitCode: 0, text: '' });
});

test('a screen that is looked at for long keeps nothing for each picture', async (t) => {
  const ended = new AbortController();
  const screen = processScreen(ended.signal);
  for (let picture = 0; picture < 20; picture++) t.true(await screen.next(0));
  t.is(getEventListeners(ended.signal, 'abort').length, 0);
  const next = screen.next(1_000_000);
  ended.abort();
  t.false(await next);
  t.false(await screen.next(0));
});
