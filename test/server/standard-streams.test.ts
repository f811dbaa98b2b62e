/** Standard streams that stall, fill up, fail and come back, and applications that print to them meanwhile. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, createReadStream, mkdtempSync, openSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { application } from './harness.ts';
import { requestHttp1 } from './http1-client.ts';
import { LogLines } from './log-lines.ts';
import { startProcess } from './process.ts';

const pools = {
  printing: {
    application: application('server', 'printing'),
    threads: { min: 1, max: 1 },
    resourceLimits: { maxOldGenerationSizeMb: 32 },
  },
};

const MAX_WAITING_BYTES = 1_048_576;
/** Together more than twice the heap of a thread. */
const PIECES = 130;
const PIECE_BYTES = 524_288;

function temporaryDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

for (const [prints, stream] of [
  ['untouched', 'stdout'],
  ['untouched', 'stderr'],
  ['labelled', 'stdout'],
  ['labelled', 'stderr'],
] as const) {
  test.serial(
    `a reader that stalls costs what applications print, and no thread; then writing goes on: ${stream} ${prints}`,
    async (t) => {
      const { child, log, listening } = startProcess(t, { pools, log: { format: 'json', prints } });
      const origin = await listening();
      // Lines of the log go there, whatever they were printed to.
      const stalled = child[prints === 'labelled' ? 'stdout' : stream];
      stalled?.pause();
      for (let piece = 0; piece < PIECES; piece++) {
        const { status } = await requestHttp1(`${origin}/?to=${stream}&bytes=${PIECE_BYTES}`);
        t.is(status, 200);
      }
      t.is((await requestHttp1(`${origin}/served`)).body.toString(), String(PIECES + 1), 'in one thread');
      stalled?.resume();
      const dropped = await log.until('application output was dropped: the');
      t.like(dropped, { level: 'warn', ...(prints === 'untouched' && { stream }) });
      t.true(Number(dropped.writes) > 0 && Number(dropped.writes) < PIECES);
      if (prints === 'untouched' && stream === 'stderr') return;
      await requestHttp1(`${origin}/?to=${stream}&text=${encodeURIComponent('{"msg":"printed again"}')}`);
      await log.until('printed again');
    },
  );
}

test.serial(
  'endless output of an application is limited in its thread, and the loss is counted',
  async (t) => {
    const { log, listening } = startProcess(t, { pools, log: { level: 'info', maxWaitingBytes: 1_048_576 } });
    const origin = await listening();
    const { status } = await requestHttp1(`${origin}/?bytes=65536&lines=2000&atOnce`);
    t.is(status, 200);
    const dropped = await log.until('application output was dropped: too much');
    t.like(dropped, { level: 'warn', pool: 'printing', thread: 'printing-1', stream: 'stdout' });
    t.true(Number(dropped.writes) > 1_900);
    t.is((await requestHttp1(`${origin}/served`)).body.toString(), '2');
  },
);

test.serial('what waits in a thread is counted in bytes, whatever is printed', async (t) => {
  const { log, listening } = startProcess(t, {
    pools,
    log: { level: 'info', maxWaitingBytes: MAX_WAITING_BYTES },
  });
  const origin = await listening();
  const lines = 200;
  const [characters, bytesOfEach] = [10_000, 30_000];
  await requestHttp1(`${origin}/?bytes=${characters + 1}&character=%E4%B8%AD&lines=${lines}&atOnce`);
  const dropped = await log.until('application output was dropped: too much');
  t.is(dropped.writes, lines - Math.floor(MAX_WAITING_BYTES / (bytesOfEach + 1)));
});

for (const prints of ['untouched', 'labelled'] as const) {
  for (const stream of ['stdout', 'stderr'] as const) {
    test.serial(`one write of 100 MB is cut or dropped, and counted: ${stream} ${prints}`, async (t) => {
      const large = { printing: { ...pools.printing, resourceLimits: {} } };
      const { child, log, listening } = startProcess(t, {
        pools: large,
        log: { format: 'json', prints, maxWaitingBytes: MAX_WAITING_BYTES },
      });
      const origin = await listening();
      const stalled = child[prints === 'labelled' ? 'stdout' : stream];
      let bytes = 0;
      stalled?.on('data', (piece) => {
        bytes += Buffer.byteLength(piece);
      });
      stalled?.pause();
      for (const as of ['text', 'bytes']) {
        const before = bytes;
        t.is((await requestHttp1(`${origin}/?to=${stream}&large=100000000&as=${as}`)).status, 200);
        stalled?.resume();
        const dropped = await log.until('application output was dropped', ({ writes }) => Number(writes) > 0);
        t.is(dropped.level, 'warn');
        t.true(bytes - before < 2 * MAX_WAITING_BYTES, `${bytes - before} bytes`);
        log.lines.length = 0;
      }
      await requestHttp1(`${origin}/?to=${stream}&large=100000000&as=part`);
      await requestHttp1(`${origin}/?to=${stream}&text=${encodeURIComponent('{"msg":"printed again"}')}`);
      if (prints === 'labelled' || stream === 'stdout') await log.until('printed again');
      t.is((await requestHttp1(`${origin}/served`)).body.toString(), '5', 'in one thread');
    });
  }
}

for (const prints of ['untouched', 'labelled'] as const)
  test.serial(`applications print without end to a full disk, and go on: ${prints}`, async (t) => {
    const full = openSync('/dev/full', constants.O_WRONLY);
    const { path, child, ended } = startOnSocket(t, { stdout: full, stderr: full }, prints);
    closeSync(full);
    await reachable(path);
    for (let piece = 0; piece < PIECES; piece++) {
      const to = piece % 2 === 0 ? 'stdout' : 'stderr';
      t.is((await get(path, `/?to=${to}&bytes=${PIECE_BYTES}`)).status, 200);
    }
    t.is((await get(path, '/served')).body, String(PIECES + 1));
    child.kill('SIGTERM');
    t.deepEqual(await ended, { code: 0, signal: null });
  });

for (const prints of ['untouched', 'labelled'] as const) {
  test.serial(
    `a reader that goes ends neither log nor prints: the next one has what follows, and the count: ${prints}`,
    async (t) => {
      const fifo = join(temporaryDirectory(t), 'fifo');
      execFileSync('mkfifo', [fifo]);
      const first = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
      const output = openSync(fifo, constants.O_WRONLY);
      const { path } = startOnSocket(t, { stdout: output }, prints);
      closeSync(output);
      await reachable(path);
      closeSync(first);
      for (let piece = 0; piece < PIECES; piece++) {
        t.is((await get(path, `/?bytes=${PIECE_BYTES}`)).status, 200);
      }
      const log = new LogLines();
      const next = createReadStream(fifo, { encoding: 'utf8' });
      next.on('data', (text) => log.push(String(text)));
      t.teardown(() => next.destroy());
      let isThere = false;
      const dropped = log.until('application output was dropped: the').finally(() => {
        isThere = true;
      });
      // The stream is tried about once a second, with what is printed then.
      while (!isThere) await get(path, `/?text=${encodeURIComponent('{"msg":"printed again"}')}`);
      t.true(Number((await dropped).writes) >= PIECES);
      await log.until('printed again');
      const served = (await get(path, '/served')).body;
      t.true(Number(served) > PIECES, 'in one thread');
    },
  );
}

function startOnSocket(
  t: ExecutionContext,
  streams: { stdout?: number; stderr?: number },
  prints: 'untouched' | 'labelled' = 'untouched',
) {
  const path = join(temporaryDirectory(t), 'socket');
  const { child, ended } = startProcess(
    t,
    { pools, listeners: [{ address: `unix:${path}` }], log: { format: 'json', prints } },
    [],
    {},
    streams,
  );
  return { path, child, ended };
}

/** Resolves when somebody listens there: no log says so. */
async function reachable(path: string): Promise<void> {
  for (;;) {
    const socket = connect(path);
    const isThere = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isThere) return;
  }
}

function get(socketPath: string, path: string): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const outgoing = request({ socketPath, path, agent: false }, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
  });
  outgoing.on('error', reject).end();
  return promise;
}
