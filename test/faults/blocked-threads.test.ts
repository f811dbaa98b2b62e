/**
 * Threads that wait for what never comes, in a process of its own: libuv's, which all threads of the process share, and
 * those of applications. Nobody else waits for them.
 */
import { randomBytes } from 'node:crypto';
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
  onPosix(`files are answered while ${what} in another pool`, async (t) => {
    const { listening } = startWithFiles(t);
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
  });
}
