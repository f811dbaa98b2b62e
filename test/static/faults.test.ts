/** Disk faults that no test can produce on a real disk on demand. */
import test from 'ava';
import { Files } from '../../workers/static/files.ts';
import type { StaticOptions } from '../../workers/static/options.ts';
import { ReadTurns } from '../../workers/static/read-turns.ts';
import type { Surroundings } from '../../workers/static/surroundings.ts';
import { MemoryExchange, type Request, type Response } from '../apps/memory-exchange.ts';
import { ScriptedDisk, systemError } from './scripted-disk.ts';

const defaults: StaticOptions = {
  root: '/root',
  path: '/*',
  index: ['index.html'],
  dotfiles: 'hide',
  symlinks: 'inside',
  precompressed: ['br', 'gzip'],
  recheckMs: 0,
  etag: 'mtime',
  cacheControl: 'no-cache',
  maxRanges: 16,
  readBytes: 100,
};
const NOW = 2_000_000;

function surroundings(disk: ScriptedDisk): Surroundings {
  return { disk, turns: new ReadTurns(), now: () => NOW, boundary: () => 'B' };
}

/** The response, or the error that cut it off and after how many bytes. */
type Outcome = Response | { readonly cut: Error; readonly sentBytes: number; readonly status: number };

async function ask(
  disk: ScriptedDisk,
  request: Request,
  options: Partial<StaticOptions> = {},
): Promise<Outcome> {
  const files = new Files({ ...defaults, ...options }, surroundings(disk));
  const pieces: Uint8Array[] = [];
  const exchange = new MemoryExchange(request, pieces);
  try {
    await files.serve(exchange);
    return exchange.response();
  } catch (error) {
    const sentBytes = pieces.reduce((sum, { length }) => sum + length, 0);
    let status = 0;
    try {
      ({ status } = exchange.response());
    } catch {
      // The response is incomplete, as expected of one that was cut off.
    }
    return { cut: error as Error, sentBytes, status };
  }
}

const large = Buffer.alloc(1_000, 'x');

for (const [code, status] of [
  ['ENOENT', 404],
  ['ENOTDIR', 404],
  ['ENAMETOOLONG', 404],
  ['ELOOP', 404],
  ['EINVAL', 404],
  ['EACCES', 403],
  ['EPERM', 403],
  ['ENXIO', 403],
] as const) {
  for (const operation of ['realpath', 'open'] as const) {
    test(`${code} of ${operation} is answered ${status}, and reveals nothing about the disk`, async (t) => {
      const disk = new ScriptedDisk({ '/root/a.txt': 'hello' });
      disk.before = (at, path) => {
        if (at === operation && path !== '/root') throw systemError(code);
      };
      const response = (await ask(disk, { path: '/a.txt' })) as Response;
      t.is(response.status, status);
      t.regex(response.text, new RegExp(`^${status} [A-Z][A-Za-z ]+\n$`));
      t.is(disk.openFiles, 0);
    });
  }
}

for (const code of ['EMFILE', 'ENFILE']) {
  for (const operation of ['realpath', 'stat', 'open'] as const) {
    test(`${code} of ${operation} is answered 503 with Retry-After, and logged`, async (t) => {
      const disk = new ScriptedDisk({ '/root/a.txt': 'hello' });
      disk.before = (at) => {
        if (at === operation) throw systemError(code);
      };
      const outcome = await ask(disk, { path: '/a.txt' });
      t.like(outcome, { status: 503, cut: { code } });
      t.is(disk.openFiles, 0);
    });
  }
}

test('the logged error is thrown after the 503 has been sent, not instead of it', async (t) => {
  const disk = new ScriptedDisk({ '/root/a.txt': 'hello' });
  disk.before = (at) => {
    if (at === 'open') throw systemError('EMFILE');
  };
  const files = new Files(defaults, surroundings(disk));
  const exchange = new MemoryExchange({ path: '/a.txt' });
  const left = Promise.withResolvers<void>();
  const out = Promise.withResolvers<void>();
  exchange[Symbol.asyncDispose] = () => {
    left.resolve();
    return out.promise;
  };
  let isThrown = false;
  const served = Promise.resolve(files.serve(exchange)).catch((error: NodeJS.ErrnoException) => {
    isThrown = true;
    return error.code;
  });
  await left.promise;
  t.is(exchange.response().status, 503);
  t.false(isThrown);
  out.resolve();
  t.is(await served, 'EMFILE');
});

for (const operation of ['realpath', 'stat', 'open', 'fstat', 'read'] as const) {
  test(`EIO of ${operation} is an application error, which is answered 500 and logged`, async (t) => {
    const disk = new ScriptedDisk({ '/root/a.txt': 'hello' });
    disk.before = (at) => {
      if (at === operation) throw systemError('EIO');
    };
    t.like(await ask(disk, { path: '/a.txt' }), { status: 0, sentBytes: 0, cut: { code: 'EIO' } });
    t.is(disk.openFiles, 0);
  });
}

test('a device, pipe or socket is answered 403 and closed', async (t) => {
  const disk = new ScriptedDisk({});
  disk.files.set('/root/pipe', { bytes: Buffer.alloc(0), mtimeMs: 0, kind: 'special' });
  t.is(((await ask(disk, { path: '/pipe' })) as Response).status, 403);
  t.is(disk.openFiles, 0);
});

test('if a variant cannot be opened, the file itself is sent', async (t) => {
  const disk = new ScriptedDisk({ '/root/a.txt': 'plain', '/root/a.txt.br': 'B', '/root/a.txt.gz': 'G' });
  disk.before = (at, path) => {
    if (at === 'open' && path.endsWith('.br')) throw systemError('EACCES');
    if (at === 'open' && path.endsWith('.gz')) throw systemError('ENOENT');
  };
  const response = (await ask(disk, {
    path: '/a.txt',
    fields: { 'accept-encoding': 'br, gzip' },
  })) as Response;
  t.is(response.text, 'plain');
  t.false(response.fields.has('content-encoding'));
  t.is(response.fields.get('vary'), 'accept-encoding');
  t.is(disk.openFiles, 0);
});

/** Sends requests repeatedly on one disk, as one thread does. */
function asker(disk: ScriptedDisk, options: Partial<StaticOptions>, now: () => number) {
  const files = new Files({ ...defaults, ...options }, { ...surroundings(disk), now });
  return async (request: Request): Promise<Response> => {
    const exchange = new MemoryExchange(request);
    await files.serve(exchange);
    return exchange.response();
  };
}

const gzipped = { path: '/a.txt', fields: { 'accept-encoding': 'gzip' } };

test('available codings are looked up again after recheckMs, or when the clock was set back', async (t) => {
  const disk = new ScriptedDisk({ '/root/a.txt': 'plain' });
  let now = NOW;
  let looks = 0;
  disk.before = (at) => {
    if (at === 'stat') looks++;
  };
  const get = asker(disk, { recheckMs: 50, precompressed: ['gzip'] }, () => now);
  t.is((await get(gzipped)).text, 'plain');
  disk.put('/root/a.txt.gz', 'G');
  now += 49;
  t.is((await get(gzipped)).text, 'plain');
  t.is(looks, 1);
  now += 1;
  t.is((await get(gzipped)).text, 'G');
  t.is(looks, 2);
  now -= 1_000;
  await get(gzipped);
  t.is(looks, 3);
});

test('a remembered coding is judged by its own times and by the new times of its file', async (t) => {
  const disk = new ScriptedDisk({ '/root/a.txt': 'plain', '/root/a.txt.gz': 'G' });
  const get = asker(disk, { recheckMs: 1_000, precompressed: ['gzip'] }, () => NOW);
  t.is((await get(gzipped)).text, 'G');
  disk.put('/root/a.txt.gz', 'older', 500_000);
  t.is((await get(gzipped)).text, 'plain');
  disk.put('/root/a.txt.gz', 'G');
  disk.put('/root/a.txt', 'newer', 1_500_000);
  t.is((await get(gzipped)).text, 'newer');
  disk.files.delete('/root/a.txt.gz');
  t.is((await get(gzipped)).text, 'newer');
  t.is(disk.openFiles, 0);
});

test('codings are remembered for at most 4,096 files', async (t) => {
  const disk = new ScriptedDisk({});
  for (let index = 0; index <= 4_096; index++) disk.put(`/root/${index}`, '');
  let looks = 0;
  disk.before = (at) => {
    if (at === 'stat') looks++;
  };
  const get = asker(disk, { recheckMs: 1_000, precompressed: ['gzip'] }, () => NOW);
  for (let index = 0; index <= 4_096; index++) await get({ path: `/${index}` });
  t.is(looks, 4_097);
  await get({ path: '/4096' });
  await get({ path: '/1' });
  t.is(looks, 4_097);
  await get({ path: '/0' });
  t.is(looks, 4_098);
});

test('the root is resolved again when a file lies elsewhere, so that a link may be switched', async (t) => {
  const disk = new ScriptedDisk({ '/one/a': '1', '/two/a': '2', '/elsewhere/a': 'SECRET' });
  let target = '/one';
  disk.realpath = (path) => path.replace('/root', target).replace('/one/link', '/elsewhere/a');
  const get = asker(disk, {}, () => NOW);
  t.is((await get({ path: '/a' })).text, '1');
  t.is((await get({ path: '/link' })).status, 404);
  target = '/two';
  t.is((await get({ path: '/a' })).text, '2');
  t.is((await get({ path: '/a' })).text, '2');
});

test('if a file shrinks while it is sent, the response is cut off before its end', async (t) => {
  const disk = new ScriptedDisk({ '/root/a': large });
  let reads = 0;
  disk.before = (at) => {
    if (at === 'read' && ++reads === 4) disk.files.get('/root/a')!.bytes = large.subarray(0, 350);
  };
  t.like(await ask(disk, { path: '/a' }), { sentBytes: 350, cut: { code: 'SLUICE_STATIC_FILE_CHANGED' } });
  t.is(disk.openFiles, 0);
});

test('if a file is rewritten while it is sent, the response is cut off before its end', async (t) => {
  const disk = new ScriptedDisk({ '/root/a': large });
  let reads = 0;
  disk.before = (at) => {
    const file = disk.files.get('/root/a')!;
    if (at === 'read' && ++reads === 4) file.bytes = Buffer.alloc(1_000, 'y');
    file.mtimeMs = reads < 4 ? 1_000_000 : 1_000_001;
  };
  const outcome = await ask(disk, { path: '/a' });
  t.like(outcome, { cut: { code: 'SLUICE_STATIC_FILE_CHANGED', sent: 'some' } });
  t.true('sentBytes' in outcome && outcome.sentBytes < 1_000);
});

test('a file that grows while it is sent is sent at its original length', async (t) => {
  const disk = new ScriptedDisk({ '/root/a.log': large });
  let reads = 0;
  disk.before = (at) => {
    if (at !== 'read' || ++reads !== 4) return;
    Object.assign(disk.files.get('/root/a.log')!, { bytes: Buffer.alloc(5_000, 'x'), mtimeMs: 1_000_001 });
  };
  const response = (await ask(disk, { path: '/a.log' })) as Response;
  t.is(response.bytes.length, 1_000);
  t.is(response.fields.get('content-length'), '1000');
});

test('a file that shrinks before any of it was sent is read once more, with its new length and tag', async (t) => {
  const disk = new ScriptedDisk({ '/root/a': 'long enough' });
  const opened = disk.files.get('/root/a')!;
  let reads = 0;
  disk.before = (at) => {
    if (at !== 'read' || ++reads > 1) return;
    // The open file has become shorter, and its name now refers to another file.
    opened.bytes = opened.bytes.subarray(0, 3);
    disk.put('/root/a', 'short', 1_500_000);
  };
  const response = (await ask(disk, { path: '/a' })) as Response;
  t.is(response.text, 'short');
  t.is(response.fields.get('content-length'), '5');
  t.is(response.fields.get('last-modified'), 'Thu, 01 Jan 1970 00:25:00 GMT');
  t.is(disk.openFiles, 0);
});

test('a file that shrinks on every read is given up and logged', async (t) => {
  const disk = new ScriptedDisk({ '/root/a': 'long enough' });
  disk.before = (at) => {
    const file = disk.files.get('/root/a')!;
    if (at === 'read') file.bytes = file.bytes.subarray(0, file.bytes.length - 2);
  };
  t.like(await ask(disk, { path: '/a' }), { sentBytes: 0, cut: { code: 'SLUICE_STATIC_FILE_CHANGED' } });
  t.is(disk.openFiles, 0);
});

test('whatever the size of a file, at most one read of it is held', async (t) => {
  const disk = new ScriptedDisk({ '/root/a': Buffer.alloc(100_000) });
  t.is(((await ask(disk, { path: '/a' })) as Response).bytes.length, 100_000);
  t.is(disk.largestRead, 100);
});

test('a file that fits one read is sent with its head, one byte more makes it a stream', async (t) => {
  for (const [size, pieces] of [
    [0, 1],
    [100, 1],
    [101, 2],
  ]) {
    const disk = new ScriptedDisk({ '/root/a': Buffer.alloc(size as number) });
    const response = (await ask(disk, { path: '/a' })) as Response;
    t.deepEqual([response.bytes.length, response.pieces], [size, pieces]);
  }
});

test('the next read waits until the peer has taken the last one, and a peer that disconnects closes the file', async (t) => {
  const disk = new ScriptedDisk({ '/root/a': large });
  const files = new Files(defaults, surroundings(disk));
  const exchange = new MemoryExchange({ path: '/a' });
  let reads = 0;
  disk.before = (at) => {
    if (at === 'read') reads++;
  };
  const writing = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  exchange.write = () => {
    writing.resolve();
    return written.promise;
  };
  const served = files.serve(exchange) as Promise<void>;
  await writing.promise;
  t.is(reads, 1);
  t.is(disk.openFiles, 1);
  written.reject(systemError('SLUICE_EXCHANGE_CLOSED'));
  await t.throwsAsync(served, { code: 'SLUICE_EXCHANGE_CLOSED' });
  t.is(reads, 1);
  t.is(disk.openFiles, 0);
});

test('each of several ranges is framed, and their total length is known in advance', async (t) => {
  const disk = new ScriptedDisk({ '/root/a.txt': Buffer.from('0123456789'.repeat(100)) });
  const response = (await ask(disk, { path: '/a.txt', fields: { range: 'bytes=0-3,500-501' } })) as Response;
  t.is(response.status, 206);
  t.is(response.fields.get('content-type'), 'multipart/byteranges; boundary=B');
  t.false(response.fields.has('content-range'));
  const part = (range: string) =>
    `--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: ${range}/1000\r\n\r\n`;
  t.is(response.text, `${part('bytes 0-3')}0123\r\n${part('bytes 500-501')}01\r\n--B--\r\n`);
  t.is(response.fields.get('content-length'), String(response.bytes.length));
});
