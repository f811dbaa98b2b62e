/** Clients that request files and do not read them. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync, truncateSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { join } from 'node:path';
import test from 'ava';
import { startServer } from '../server/harness.ts';
import { answer, connectHttp2, request } from '../server/http2-client.ts';
import { startProcess } from '../server/process.ts';
import { makeDirectory } from './directory.ts';

/** How often this process, including the server's threads, has a file open. */
function openTimes(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      // The descriptor of the listing itself, or one that was closed meanwhile.
      return false;
    }
  }).length;
}

// Open files are counted in /proc, which Linux has.
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  'a hundred clients that take nothing hold one file each, nobody else waits, and all are closed when they go',
  async (t) => {
    const directory = makeDirectory(t);
    directory.write('large.bin', Buffer.alloc(2_000_000));
    directory.write('small.txt', 'small');
    const { origin } = await startServer(t, {
      pools: {},
      routes: [{ path: '/*', static: { root: directory.root } }],
    });
    const stalled = await connectHttp2(t, origin, { settings: { initialWindowSize: 0 } });
    const heads = Array.from({ length: 100 }, () => {
      const stream = stalled.request({ ':path': '/large.bin' });
      stream.on('error', () => undefined);
      return new Promise((resolve) => {
        stream.on('response', resolve);
      });
    });
    await Promise.all(heads);
    t.is(openTimes(`${directory.root}/large.bin`), 100);

    const other = await connectHttp2(t, origin);
    t.is((await request(other, { ':path': '/small.txt' })).body.toString(), 'small');

    stalled.destroy();
    // The thread learns of each by a message; a request takes as long as one turn of the thread.
    for (let turn = 0; turn < 1_000 && openTimes(`${directory.root}/large.bin`) > 0; turn++) {
      await request(other, { ':path': '/small.txt' });
    }
    t.is(openTimes(`${directory.root}/large.bin`), 0);
  },
);

test('exchangesPerThread responses are in progress at once, and the next is answered when one of them ends', async (t) => {
  const directory = makeDirectory(t);
  directory.write('large.bin', Buffer.alloc(2_000_000));
  const { origin } = await startServer(t, {
    pools: {},
    routes: [{ path: '/*', static: { root: directory.root, exchangesPerThread: 2 } }],
  });
  const session = await connectHttp2(t, origin, { settings: { initialWindowSize: 0 } });
  const [first, second] = [1, 2].map(() => session.request({ ':path': '/large.bin' }));
  const headOf = (stream: ReturnType<typeof session.request>) =>
    new Promise((resolve) => {
      stream.on('error', () => undefined);
      stream.on('response', resolve);
    });
  await Promise.all([first, second].map((stream) => headOf(stream!)));
  const third = session.request({ ':path': '/large.bin' });
  const answered = headOf(third).then(() => 'answered');
  // Anything that the server would have answered by now arrives before the answer to this.
  await new Promise((resolve) => {
    session.ping(() => resolve(undefined));
  });
  t.is(await Promise.race([answered, 'waits']), 'waits');
  first!.close();
  t.is(await answered, 'answered');
});

test('a file that is truncated during a response ends it with a reset, and the log says why', async (t) => {
  const directory = makeDirectory(t);
  directory.write('large.bin', Buffer.alloc(2_000_000));
  const { origin, log } = await startServer(t, {
    pools: {},
    routes: [{ path: '/*', static: { root: directory.root } }],
  });
  const session = await connectHttp2(t, origin, { settings: { initialWindowSize: 0 } });
  const stream = session.request({ ':path': '/large.bin' });
  const answered = answer(stream);
  await new Promise((resolve) => {
    stream.on('response', resolve);
  });
  truncateSync(join(directory.root, 'large.bin'), 1_000);
  session.settings({ initialWindowSize: 1_000_000 });
  const { resetCode, body } = await answered;
  t.is(resetCode, constants.NGHTTP2_INTERNAL_ERROR);
  t.true(body.length < 2_000_000);
  const line = await log.until('application failed on an exchange');
  t.like(line, { path: '/large.bin', err: { code: 'SLUICE_STATIC_FILE_CHANGED' } });
});

/** A response without content that can leave: its stream stays open, with no file. */
async function park(session: ClientHttp2Session): Promise<ClientHttp2Stream> {
  const stream = session.request({ ':path': '/missing' });
  stream.on('error', () => undefined);
  await new Promise((resolve) => stream.on('response', resolve));
  return stream;
}

onLinux(
  'a server that may open no more files answers 503 with Retry-After, says so, and recovers',
  async (t) => {
    const directory = makeDirectory(t);
    directory.write('large.bin', Buffer.alloc(2_000_000));
    const server = startProcess(t, {
      pools: {},
      // One thread: another would need files for itself, and start while requests wait.
      routes: [{ path: '/*', static: { root: directory.root, threads: 1 } }],
      limits: { idleTimeoutMs: 1_000 },
    });
    const origin = await server.listening();
    const settings = { initialWindowSize: 0 };
    const stalled = await connectHttp2(t, origin, { settings });
    const other = await connectHttp2(t, origin, { settings });
    const idle = await connectHttp2(t, origin, { settings });
    const [, parked] = await Promise.all([park(other), park(idle)]);
    const pid = String(server.child.pid);
    // The limit applies to descriptor numbers: ten free ones must lie below it.
    const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
    let limit = 0;
    for (let free = 0; free < 10; limit++) if (!used.has(limit)) free++;
    execFileSync('prlimit', ['--pid', pid, `--nofile=${limit}:`]);

    const ask = () => {
      const stream = stalled.request({ ':path': '/large.bin' });
      stream.on('error', () => undefined);
      return new Promise<string>((resolve) => {
        stream.on('response', (headers) => resolve(`${headers[':status']} ${headers['retry-after'] ?? ''}`));
        stream.on('close', () => resolve('none'));
      });
    };
    const statuses = await Promise.all(Array.from({ length: 50 }, ask));
    t.deepEqual([...new Set(statuses)].sort(), ['200 ', '503 1']);
    t.like(await server.log.until('application failed on an exchange'), { err: { code: 'EMFILE' } });

    // What the server does once a second goes on: it looks at its memory, in a file, and ends idle connections.
    const closed = new Promise((resolve) => idle.once('close', resolve));
    parked.close();
    await closed;
    let again = '';
    // The connection that has ended leaves room for one file.
    do again = await ask();
    while (again === '200 ');
    t.is(again, '503 1');

    stalled.destroy();
    let status = 503;
    for (let turn = 0; turn < 1_000 && status === 503; turn++) {
      ({ status } = await request(other, { ':path': '/large.bin', ':method': 'HEAD' }));
    }
    t.is(status, 200);
  },
);
