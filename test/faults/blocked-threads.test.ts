/**
 * Threads that wait for what never comes, in a process of its own: libuv's, which all threads of the process share, and
 * those of applications. Nobody else waits for them, and the process ends
 * when it should, with the exit code that it should.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { application } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { makePipe } from '../server/pipes.ts';
import { type ServerProcess, startProcess } from '../server/process.ts';
import { makeDirectory } from '../static/directory.ts';

/** Windows has no named pipes in its directories. */
const onPosix = process.platform === 'win32' ? test.skip : test;
/** libuv's own number, whatever the configuration would make of it: what is started is more. */
const FOUR_THREADS = { UV_THREADPOOL_SIZE: '4' };

const pools = { blocking: { application: application('faults', 'blocking'), threads: { max: 1 } } };

const occupations: readonly { readonly what: string; readonly path: (pipe: string) => string }[] = [
  { what: '64 pbkdf2 compute', path: () => '/blocking/hash?times=64' },
  { what: 'eight reads of a named pipe wait', path: (pipe) => `/blocking/read?times=8&pipe=${pipe}` },
];

const large = randomBytes(3_000_000);
const style = 'a { color: #123456 }\n'.repeat(200);

function startWithFiles(t: ExecutionContext): ServerProcess {
  const directory = makeDirectory(t);
  directory.write('index.html', 'the index');
  directory.write('large.bin', large);
  directory.write('style.css', style);
  directory.write('style.css.br', brotliCompressSync(style));
  const routes = [
    { path: '/blocking/*', pool: 'blocking' },
    { path: '/*', static: { root: directory.root } },
  ];
  return startProcess(t, { pools, routes }, [], FOUR_THREADS);
}

for (const { what, path } of occupations) {
  onPosix(`files are answered while ${what} in another pool, and SIGTERM ends the process`, async (t) => {
    const { child, listening, ended } = startWithFiles(t);
    const origin = await listening();
    const session = await connectHttp2(t, origin);
    t.is((await request(session, { ':path': path(makePipe(t).path) })).body.toString(), 'under way');

    t.is((await request(session, { ':path': '/' })).body.toString(), 'the index');
    t.true((await request(session, { ':path': '/large.bin' })).body.equals(large));
    const coded = await request(session, { ':path': '/style.css', 'accept-encoding': 'br' });
    t.is(brotliDecompressSync(coded.body).toString(), style);
    t.is((await request(session, { ':path': '/missing' })).status, 404);

    t.is((await requestHttp1(`${origin}/`)).body.toString(), 'the index');
    t.true((await requestHttp1(`${origin}/large.bin`)).body.equals(large));
    const headers = { range: 'bytes=1-3' };
    t.deepEqual((await requestHttp1(`${origin}/large.bin`, { headers })).body, large.subarray(1, 4));

    child.kill('SIGTERM');
    t.deepEqual(await ended, { code: 0, signal: null });
  });
}

/** A server whose application's threads wait for a pipe: libuv's, as many as there are, or one of its own. */
async function startBlocked(
  t: ExecutionContext,
  kind: 'read-whole' | 'read-at-once',
  drainTimeoutMs: number,
): Promise<ServerProcess> {
  const pipe = makePipe(t);
  const server = startProcess(t, { pools, drainTimeoutMs }, [], FOUR_THREADS);
  const session = await connectHttp2(t, await server.listening());
  const streams = Array.from({ length: 8 }, () => {
    const stream = session.request({ ':path': `/${kind}?pipe=${pipe.path}` });
    return stream.on('error', () => undefined);
  });
  if (kind === 'read-at-once') await pipe.opened();
  else await Promise.all(streams.map((stream) => once(stream, 'response')));
  return server;
}

for (const [kind, signal, code] of [
  ['read-whole', 'SIGTERM', 143],
  ['read-at-once', 'SIGINT', 130],
] as const) {
  const what = kind === 'read-whole' ? 'exchanges wait' : 'a thread waits';

  onPosix(`while ${what} for a named pipe SIGTERM ends the process at the deadline, with 0`, async (t) => {
    const { child, ended } = await startBlocked(t, kind, 100);
    child.kill('SIGTERM');
    t.deepEqual(await ended, { code: 0, signal: null });
  });

  onPosix(`while ${what} for a named pipe a second ${signal} ends the process`, async (t) => {
    const { child, log, endBySecond } = await startBlocked(t, kind, 600_000);
    child.kill(signal);
    await log.until('draining');
    t.deepEqual(await endBySecond(signal), { code, signal: null });
  });
}

onPosix('what the main thread itself waits for does not keep the process from ending', async (t) => {
  const pipe = makePipe(t);
  const preload = `import { readFile } from 'node:fs/promises';
import { isMainThread } from 'node:worker_threads';
for (let i = 0; isMainThread && i < 8; i++) readFile(${JSON.stringify(pipe.path)}).catch(() => undefined);`;
  const { child, listening, log, ended } = startProcess(t, { pools, drainTimeoutMs: 100 }, [], {
    ...FOUR_THREADS,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
  });
  await listening();
  await pipe.opened();
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
  t.true(Number(log.find('threads did not end in time')?.requests) > 0);
});

for (const name of ['load-pipe-at-once', 'load-pipe']) {
  onPosix(
    `a start that fails ends with 3 while another application waits for a named pipe (${name})`,
    async (t) => {
      const [pipe, begun, gate] = [makePipe(t), makePipe(t), makePipe(t)];
      const waits = { application: application('faults', name), startTimeoutMs: 600_000 };
      const fails = { application: application('faults', 'load-gate'), startTimeoutMs: 600_000 };
      const paths = { TEST_PIPE: pipe.path, TEST_BEGUN: begun.path, TEST_GATE: gate.path };
      const { ended, log } = startProcess(t, { pools: { waits, fails } }, [], { ...FOUR_THREADS, ...paths });
      await readFile(begun.path);
      await gate.opened();
      await gate.close();
      t.deepEqual(await ended, { code: 3, signal: null });
      t.is(log.find('through the gate')?.code, 'SLUICE_APPLICATION_LOAD_FAILED');
    },
  );
}

onPosix('SIGTERM ends a server that still waits for an application to load, with 0', async (t) => {
  const [pipe, begun] = [makePipe(t), makePipe(t)];
  const slow = { application: application('faults', 'load-pipe-at-once'), startTimeoutMs: 600_000 };
  const { child, ended, log } = startProcess(t, { pools: { slow } }, [], {
    TEST_PIPE: pipe.path,
    TEST_BEGUN: begun.path,
  });
  await readFile(begun.path);
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
  t.deepEqual(
    log.lines.map(({ level }) => level).filter((level) => level === 'fatal'),
    [],
  );
});

onPosix(
  "a server listens on a name although an application takes libuv's threads while it loads",
  async (t) => {
    const input = {
      listeners: [{ address: 'localhost:0' }],
      pools: { reads: { application: application('faults', 'load-reads') } },
    };
    const { log } = startProcess(t, input, [], { ...FOUR_THREADS, TEST_PIPE: makePipe(t).path });
    const { address } = await log.until('listening on');
    t.is((await requestHttp1(`http://${address}/`)).body.toString(), 'loaded');
  },
);

onPosix('a thread that exits while it waits for a named pipe is replaced', async (t) => {
  // On a busy machine a thread takes its time to start.
  const patient = { blocking: { ...pools.blocking, queue: { maxWaitMs: 100_000 }, startTimeoutMs: 100_000 } };
  const { listening, log } = startProcess(t, { pools: patient }, [], FOUR_THREADS);
  const session = await connectHttp2(t, await listening());
  const exited = await request(session, { ':path': `/exit?times=2&pipe=${makePipe(t).path}` });
  t.is(exited.status, 502);
  t.is((await request(session, { ':path': '/' })).body.toString(), 'under way');
  t.is(log.count('thread died: it is replaced'), 1);
});
