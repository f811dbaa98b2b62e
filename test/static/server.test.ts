/** Files over real sockets, from a real disk, to third-party clients. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  brotliCompressSync,
  brotliDecompressSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import test from 'ava';
import { Agent, interceptors, request as undiciRequest } from 'undici';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { MODIFIED, makeDirectory, type TestDirectory } from './directory.ts';

const run = promisify(execFile);
const scope = new FileScope();
let directory: TestDirectory;
let server: TestServer;
let session: ClientHttp2Session;

const page = '<!doctype html><title>Files</title>\n';
const style = 'a { color: #123456 }\n'.repeat(200);
const digits = '0123456789'.repeat(100);
const large = randomBytes(3_000_000);
const lastModified = MODIFIED.toUTCString();

test.before(async () => {
  directory = makeDirectory(scope);
  directory.write('index.html', page);
  directory.write('style.css', style);
  directory.write('style.css.br', brotliCompressSync(style));
  directory.write('style.css.zst', zstdCompressSync(style));
  directory.write('style.css.gz', gzipSync(style));
  directory.write('stale.css', style);
  directory.write('stale.css.gz', gzipSync('older'));
  directory.touch('stale.css.gz', new Date(MODIFIED.getTime() - 1_000));
  directory.write('digits.txt', digits);
  directory.write('empty', '');
  directory.write('large.bin', large);
  directory.write('docs/index.html', 'docs');
  directory.write('bare/a.txt', 'a');
  directory.write('.env', 'SECRET');
  directory.write('.hidden/a.txt', 'SECRET');
  directory.write('a b&c=d.txt', 'odd name');
  directory.write('a:b/index.html', 'colon');
  writeFileSync(join(directory.outside, 'secret.txt'), 'SECRET');
  directory.link('inside.txt', 'digits.txt');
  directory.link('out.txt', join(directory.outside, 'secret.txt'));
  directory.link('up', '..');
  directory.link('circle', 'circle');
  const { root } = directory;
  server = await startServer(scope, {
    pools: {},
    routes: [
      { path: '/*', static: { root } },
      {
        path: '/assets/*',
        static: { root, cacheControl: 'public, max-age=31536000, immutable', precompressed: [] },
      },
      {
        path: '/robots.txt',
        static: { root: join(root, 'bare'), index: [], cacheControl: '', etag: 'none' },
      },
      { path: '/open/*', static: { root, symlinks: 'anywhere', dotfiles: 'serve' } },
      { path: '/closed/*', static: { root, dotfiles: 'refuse', maxRanges: 2 } },
    ],
  });
  session = await connectHttp2(scope, server.origin);
});
test.after.always(() => scope.end());

function get(path: string, fields: { readonly [name: string]: string } = {}, method = 'GET') {
  return request(session, { ':path': path, ':method': method, ...fields });
}

/** Fields without those that every response has and no test is about. */
function bare({ date: _, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers));
}

test('a file is sent with its type, length, validators and cache control', async (t) => {
  const { headers, body } = await get('/digits.txt');
  t.is(body.toString(), digits);
  const { etag, ...rest } = bare(headers);
  t.regex(etag ?? '', /^"[\w-]+"$/);
  t.deepEqual(rest, {
    ':status': 200,
    'accept-ranges': 'bytes',
    'cache-control': 'no-cache',
    'content-length': '1000',
    'content-type': 'text/plain; charset=utf-8',
    'last-modified': lastModified,
    'x-content-type-options': 'nosniff',
  });
});

test('HEAD has the fields of GET and no content', async (t) => {
  for (const path of ['/digits.txt', '/large.bin', '/style.css', '/empty']) {
    const [whole, head] = await Promise.all([get(path), get(path, {}, 'HEAD')]);
    t.deepEqual(bare(head.headers), bare(whole.headers), path);
    t.is(head.body.length, 0);
  }
});

test('HEAD ignores Range (RFC 9110 section 14.2)', async (t) => {
  const { status, headers } = await get('/digits.txt', { range: 'bytes=0-1' }, 'HEAD');
  t.deepEqual([status, headers['content-length']], [200, '1000']);
});

test('other methods are answered 405 with Allow, and OPTIONS with Allow', async (t) => {
  for (const [method, status] of [
    ['POST', 405],
    ['DELETE', 405],
    ['OPTIONS', 204],
  ] as const) {
    const { headers } = await get('/digits.txt', {}, method);
    t.deepEqual([headers[':status'], headers.allow], [status, 'GET, HEAD, OPTIONS'], method);
  }
});

test('a file larger than a read and than the window arrives complete', async (t) => {
  const { headers, body } = await get('/large.bin');
  t.is(headers['content-length'], String(large.length));
  t.true(body.equals(large));
});

test('an empty file is an empty response', async (t) => {
  const { status, headers, body } = await get('/empty');
  t.deepEqual([status, headers['content-length'], body.length], [200, '0', 0]);
});

test('names are decoded, and a file of unknown type is application/octet-stream', async (t) => {
  t.is((await get('/a%20b%26c%3Dd.txt?x')).body.toString(), 'odd name');
  t.is((await get('/empty')).headers['content-type'], 'application/octet-stream');
});

test('each route has its own root, prefix and options', async (t) => {
  const asset = await get('/assets/digits.txt');
  t.is(asset.headers['cache-control'], 'public, max-age=31536000, immutable');
  t.is(asset.body.toString(), digits);
  directory.write('bare/robots.txt', 'Disallow');
  const robots = await get('/robots.txt');
  t.is(robots.body.toString(), 'Disallow');
  t.false('etag' in robots.headers || 'cache-control' in robots.headers);
});

// ---- directories

test('a directory is answered with its index file, and is never listed', async (t) => {
  t.is((await get('/')).body.toString(), page);
  t.is((await get('/docs/')).body.toString(), 'docs');
  t.is((await get('/assets/')).body.toString(), page);
  t.is((await get('/bare/')).status, 404);
});

test('a directory without its slash is redirected by a relative reference, with the query', async (t) => {
  for (const [path, location] of [
    ['/docs', './docs/'],
    ['/docs?a=/../b', './docs/?a=/../b'],
    ['/assets', './assets/'],
    ['/assets/docs', './docs/'],
    ['/a:b', './a%3Ab/'],
  ]) {
    const { headers } = await get(path as string);
    t.deepEqual([headers[':status'], headers.location], [301, location]);
  }
});

test('a file name followed by a slash is not found', async (t) => {
  t.is((await get('/digits.txt/')).status, 404);
  t.is((await get('/digits.txt/x')).status, 404);
});

// ---- what must not be seen

for (const [path, status] of [
  ['/missing', 404],
  ['/.env', 404],
  ['/.hidden/a.txt', 404],
  ['/%2eenv', 404],
  ['/closed/.env', 403],
  ['/out.txt', 404],
  ['/up/outside/secret.txt', 404],
  ['/up/outside/missing', 404],
  ['/up/', 404],
  ['/circle', 404],
  ['/../outside/secret.txt', 400],
  ['/%2e%2e/outside/secret.txt', 400],
  ['/..%2foutside%2fsecret.txt', 404],
  ['/..%5coutside', 404],
  ['/digits.txt%00.html', 400],
  ['//digits.txt', 404],
  [`/${'a'.repeat(300)}`, 404],
] as const) {
  test(`${path.slice(0, 40)} is answered ${status} and reveals nothing`, async (t) => {
    const { headers, body } = await get(path);
    t.is(Number(headers[':status']), status);
    t.notRegex(body.toString(), /SECRET|sluice-static/);
    t.false('etag' in headers);
  });
}

test('links within the root are followed, and those that leave it only if a route allows it', async (t) => {
  t.is((await get('/inside.txt')).body.toString(), digits);
  t.is((await get('/open/out.txt')).body.toString(), 'SECRET');
  t.is((await get('/open/.env')).body.toString(), 'SECRET');
});

test('a root that is a link may be switched to another directory while the server runs', async (t) => {
  const other = makeDirectory(t);
  other.write('one/index.html', 'one');
  other.write('two/index.html', 'two');
  const current = join(other.root, 'current');
  symlinkSync('one', current);
  const { origin } = await startServer(t, { pools: {}, routes: [{ path: '/*', static: { root: current } }] });
  const client = await connectHttp2(t, origin);
  t.is((await request(client, { ':path': '/' })).body.toString(), 'one');
  symlinkSync('two', `${current}.new`);
  renameSync(`${current}.new`, current);
  t.is((await request(client, { ':path': '/' })).body.toString(), 'two');
});

// ---- conditions

test('content that a client already has is not sent again', async (t) => {
  const { headers } = await get('/style.css', { 'accept-encoding': 'gzip' });
  const again = await get('/style.css', {
    'accept-encoding': 'gzip',
    'if-none-match': headers.etag as string,
  });
  t.is(again.status, 304);
  t.is(again.body.length, 0);
  // RFC 9110 section 15.4.5: the fields of these that a 200 would have had, and no content.
  t.deepEqual(bare(again.headers), {
    ':status': 304,
    etag: headers.etag,
    'last-modified': lastModified,
    'cache-control': 'no-cache',
    vary: 'accept-encoding',
  });
  t.is((await get('/digits.txt', { 'if-modified-since': lastModified })).status, 304);
});

test('each coding has a tag of its own, so the tag of one does not match another', async (t) => {
  const tags = await Promise.all(
    ['identity', 'gzip', 'br', 'zstd'].map(
      async (coding) => (await get('/style.css', { 'accept-encoding': coding })).headers.etag,
    ),
  );
  t.is(new Set(tags).size, 4);
  t.is(
    (await get('/style.css', { 'accept-encoding': 'br', 'if-none-match': tags[1] as string })).status,
    200,
  );
});

test('a condition that fails is answered 412', async (t) => {
  t.is((await get('/digits.txt', { 'if-match': '"other"' })).status, 412);
  t.is((await get('/digits.txt', { 'if-unmodified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' })).status, 412);
});

test('a replaced file has another tag', async (t) => {
  directory.write('changing.txt', 'one');
  const first = await get('/changing.txt');
  directory.write('changing.txt.new', 'two!');
  renameSync(join(directory.root, 'changing.txt.new'), join(directory.root, 'changing.txt'));
  const second = await get('/changing.txt', { 'if-none-match': first.headers.etag as string });
  t.deepEqual([second.status, second.body.toString()], [200, 'two!']);
});

// ---- ranges

test('a range is sent alone, from small and large files', async (t) => {
  for (const [path, whole, range, first, last] of [
    ['/digits.txt', Buffer.from(digits), 'bytes=5-14', 5, 14],
    ['/digits.txt', Buffer.from(digits), 'bytes=-1', 999, 999],
    ['/large.bin', large, 'bytes=100000-2000000', 100_000, 2_000_000],
    ['/large.bin', large, 'bytes=2999990-', 2_999_990, 2_999_999],
  ] as const) {
    const { headers, body } = await get(path, { range });
    t.is(Number(headers[':status']), 206);
    t.is(headers['content-range'], `bytes ${first}-${last}/${whole.length}`);
    t.is(headers['content-length'], String(last - first + 1));
    t.true(body.equals(whole.subarray(first, last + 1)));
  }
});

test('several ranges are sent as parts, each with its range and its bytes', async (t) => {
  const { headers, body } = await get('/large.bin', { range: 'bytes=0-9,1000000-1199999,-10' });
  t.is(Number(headers[':status']), 206);
  t.is(headers['content-length'], String(body.length));
  const [, boundary] =
    /^multipart\/byteranges; boundary=([\w-]{24})$/.exec(headers['content-type'] ?? '') ?? [];
  const parts = body.toString('latin1').split(`--${boundary}`);
  t.is(parts[0], '');
  t.is(parts.at(-1), '--\r\n');
  const seen = parts.slice(1, -1).map((part) => {
    const [head, content] = [
      part.slice(0, part.indexOf('\r\n\r\n')),
      part.slice(part.indexOf('\r\n\r\n') + 4, -2),
    ];
    const [, first, last] = /Content-Range: bytes (\d+)-(\d+)\/3000000$/.exec(head) ?? [];
    return (
      Buffer.from(content, 'latin1').equals(large.subarray(Number(first), Number(last) + 1)) &&
      `${first}-${last}`
    );
  });
  t.deepEqual(seen, ['0-9', '1000000-1199999', '2999990-2999999']);
});

test('a range without any byte is answered 416 with the size', async (t) => {
  const { headers } = await get('/digits.txt', { range: 'bytes=1000-' });
  t.deepEqual([headers[':status'], headers['content-range']], [416, 'bytes */1000']);
});

test('more ranges than a route allows are answered with the whole file', async (t) => {
  t.is((await get('/closed/digits.txt', { range: 'bytes=0-0,300-300' })).status, 206);
  t.is((await get('/closed/digits.txt', { range: 'bytes=0-0,300-300,600-600' })).status, 200);
});

test('If-Range allows a range for the same file and sends a changed file whole', async (t) => {
  const { headers } = await get('/digits.txt');
  const range = 'bytes=0-1';
  t.is((await get('/digits.txt', { range, 'if-range': headers.etag as string })).status, 206);
  t.is((await get('/digits.txt', { range, 'if-range': lastModified })).status, 206);
  t.is((await get('/digits.txt', { range, 'if-range': '"other"' })).status, 200);
});

test('a condition is judged before a range (RFC 9110 section 13.2.2)', async (t) => {
  const { headers } = await get('/digits.txt');
  t.is(
    (await get('/digits.txt', { range: 'bytes=5000-', 'if-none-match': headers.etag as string })).status,
    304,
  );
});

// ---- codings

for (const [coding, decode] of [
  ['br', brotliDecompressSync],
  ['zstd', zstdDecompressSync],
] as const) {
  test(`a precompressed file is sent to a client that prefers ${coding}`, async (t) => {
    const { headers, body } = await get('/style.css', { 'accept-encoding': `gzip;q=0.5, ${coding}` });
    t.is(headers['content-encoding'], coding);
    t.is(headers['content-type'], 'text/css; charset=utf-8');
    t.is(headers.vary, 'accept-encoding');
    t.is(decode(body).toString(), style);
  });
}

test('Vary is sent if codings exist, whichever is sent, and not otherwise', async (t) => {
  t.is((await get('/style.css')).headers.vary, 'accept-encoding');
  t.false('vary' in (await get('/digits.txt', { 'accept-encoding': 'gzip' })).headers);
  const asset = await get('/assets/style.css', { 'accept-encoding': 'gzip' });
  t.false('vary' in asset.headers || 'content-encoding' in asset.headers);
});

test('a coding that is older than its file is not sent', async (t) => {
  const { headers, body } = await get('/stale.css', { 'accept-encoding': 'gzip' });
  t.false('content-encoding' in headers);
  t.is(body.toString(), style);
});

test('a client that refuses every available coding is answered 406', async (t) => {
  t.is((await get('/style.css', { 'accept-encoding': 'identity;q=0, deflate' })).status, 406);
  t.is((await get('/style.css', { 'accept-encoding': '*;q=0, gzip' })).headers['content-encoding'], 'gzip');
});

test('a range of a coding is a range of its bytes', async (t) => {
  const gzipped = gzipSync(style);
  const { headers, body } = await get('/style.css', { 'accept-encoding': 'gzip', range: 'bytes=2-9' });
  t.is(headers['content-range'], `bytes 2-9/${gzipped.length}`);
  t.true(body.equals(gzipped.subarray(2, 10)));
});

// ---- other clients

for (const [version, flag] of [
  ['1.1', '--http1.1'],
  ['2', '--http2-prior-knowledge'],
] as const) {
  const curl = async (...words: string[]) => {
    const options = ['--silent', '--show-error', '--max-time', '20', flag, ...words];
    return (await run('curl', options, { encoding: 'buffer', maxBuffer: 16_777_216 })).stdout;
  };

  test(`curl decodes what it accepts over HTTP/${version}`, async (t) => {
    t.is((await curl('--compressed', `${server.origin}/style.css`)).toString(), style);
  });

  test(`curl resumes a download over HTTP/${version}`, async (t) => {
    const file = join(directory.outside, `download-${version}`);
    writeFileSync(file, large.subarray(0, 1_234_567));
    await curl('--continue-at', '-', '--output', file, `${server.origin}/large.bin`);
    const { stdout } = await run('sha256sum', [file]);
    t.is(stdout.slice(0, 64), createHash('sha256').update(large).digest('hex'));
    unlinkSync(file);
  });

  test(`curl revalidates with its stored tag over HTTP/${version}`, async (t) => {
    const tag = join(directory.outside, `tag-${version}`);
    const url = `${server.origin}/digits.txt`;
    await curl('--etag-save', tag, url);
    t.is((await curl('--etag-compare', tag, '--write-out', '%{http_code}', url)).toString(), '304');
  });

  test(`curl’s --path-as-is leads nowhere over HTTP/${version}`, async (t) => {
    const words = ['--path-as-is', '--write-out', '%{http_code}', '--output', '/dev/null'];
    t.is((await curl(...words, `${server.origin}/../outside/secret.txt`)).toString(), '400');
  });
}

// Over HTTP/2 with prior knowledge curl 7.88 fails to use its connection again for a redirect, whoever serves.
test('curl follows a directory’s redirect', async (t) => {
  const { stdout } = await run('curl', [
    '-sS',
    '--max-time',
    '20',
    '--location',
    `${server.origin}/assets/docs`,
  ]);
  t.is(stdout, 'docs');
});

test('undici downloads, and its cache revalidates', async (t) => {
  const agent = new Agent();
  t.teardown(() => agent.close());
  const dispatcher = agent.compose(interceptors.cache());
  const url = `${server.origin}/large.bin`;
  const first = await undiciRequest(url, { dispatcher });
  t.true(Buffer.from(await first.body.arrayBuffer()).equals(large));
  const second = await undiciRequest(`${server.origin}/digits.txt`, { dispatcher });
  t.is(await second.body.text(), digits);
  const third = await undiciRequest(`${server.origin}/digits.txt`, { dispatcher });
  t.deepEqual([third.statusCode, await third.body.text()], [200, digits]);
});
