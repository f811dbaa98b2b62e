/** Clients that others wrote. A tool that is not installed fails its test: the CI installs curl and nghttp2-client. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { Agent, H2CClient, request as undiciRequest } from 'undici';
import { application, FileScope, startServer, type TestServer } from './harness.ts';

const run = promisify(execFile);
const scope = new FileScope();
let server: TestServer;
const upload = randomBytes(300_000);
const digest = createHash('sha256').update(upload).digest('hex');
let uploadFile: string;

test.before(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  scope.teardown(() => rmSync(directory, { recursive: true }));
  uploadFile = join(directory, 'upload');
  writeFileSync(uploadFile, upload);
  server = await startServer(scope, {
    pools: { messages: { application: application('server', 'messages'), threads: { min: 2, max: 2 } } },
  });
});
test.after.always(() => scope.end());

/** curl's output: the body, then what `--write-out` says. */
async function curl(...words: string[]): Promise<string> {
  const { stdout } = await run('curl', ['--silent', '--show-error', '--max-time', '20', ...words]);
  return stdout;
}

for (const [version, flag] of [
  ['1.1', '--http1.1'],
  ['2', '--http2-prior-knowledge'],
]) {
  test(`curl gets a page over HTTP/${version}`, async (t) => {
    const written = await curl(flag, '-w', '%{http_code} %{http_version}', `${server.origin}/hello`);
    t.is(written, `hello\n200 ${version}`);
  });

  test(`curl uploads a file over HTTP/${version}`, async (t) => {
    const written = await curl(flag, '--data-binary', `@${uploadFile}`, `${server.origin}/digest`);
    t.is(written, digest);
  });

  test(`curl has the error that comes before its upload has ended, over HTTP/${version}`, async (t) => {
    for (let round = 0; round < 5; round++) {
      const words = [
        flag,
        '--data-binary',
        `@${uploadFile}`,
        '-w',
        '%{http_code}',
        `${server.origin}/too-large`,
      ] as const;
      t.is(await curl(...words), 'too large\n413');
    }
  });

  test(`curl uploads from a pipe, whose length nobody knows, over HTTP/${version}`, async (t) => {
    const child = run('curl', ['-sS', '--max-time', '20', flag, '-T', '-', `${server.origin}/digest`]);
    child.child.stdin?.end(upload);
    t.is((await child).stdout, digest);
  });

  test(`curl waits for 100 Continue before it uploads over HTTP/${version}`, async (t) => {
    const words = [
      '-H',
      'expect: 100-continue',
      '--expect100-timeout',
      '15',
      '--data-binary',
      `@${uploadFile}`,
    ];
    t.is(await curl(flag, ...words, `${server.origin}/digest`), digest);
  });

  test(`curl asks for the head alone over HTTP/${version}`, async (t) => {
    const written = await curl(flag, '--head', `${server.origin}/hello`);
    t.regex(written, /^HTTP\/[\d.]+ 200/);
    t.regex(written, /content-length: 6/i);
  });
}

test('curl uses one HTTP/1.1 connection for several requests', async (t) => {
  const url = `${server.origin}/hello`;
  const written = await curl('--http1.1', '-w', '%{num_connects} ', url, url, url);
  t.is(written, 'hello\n1 hello\n0 hello\n0 ');
});

test('nghttp gets a page and uploads', async (t) => {
  const page = await run('nghttp', [`${server.origin}/hello`]);
  t.is(page.stdout, 'hello\n');
  const uploaded = await run('nghttp', [`--data=${uploadFile}`, `${server.origin}/digest`]);
  t.is(uploaded.stdout, digest);
});

test('nghttp has the error that comes before its upload has ended', async (t) => {
  for (let round = 0; round < 5; round++) {
    // It tells the status beside the body only when it tells every frame.
    const words = ['--verbose', `--data=${uploadFile}`, `${server.origin}/too-large`];
    const { stdout } = await run('nghttp', words, { maxBuffer: 64 * 1_048_576 });
    t.regex(stdout, /:status: 413/);
    t.regex(stdout, /^too large$/m);
  }
});

test('nghttp with padding and small windows gets every byte', async (t) => {
  const url = `${server.origin}/bytes?count=200000`;
  const words = [
    '--padding=100',
    '--window-bits=10',
    '--connection-window-bits=12',
    '--verbose',
    '--null-out',
  ];
  const { stdout } = await run('nghttp', [...words, url], { maxBuffer: 64 * 1_048_576 });
  const lengths = [...stdout.matchAll(/recv DATA frame <length=(\d+)/g)].map(([, length]) => Number(length));
  t.is(
    lengths.reduce((sum, length) => sum + length, 0),
    200_000,
  );
  t.true(Math.max(...lengths) <= 1024);
});

test('h2load counts every one of its answers as a success', async (t) => {
  const { stdout } = await run('h2load', ['-n', '4000', '-c', '4', '-m', '32', `${server.origin}/hello`]);
  t.regex(stdout, /4000 total, 4000 started, 4000 done, 4000 succeeded, 0 failed, 0 errored, 0 timeout/);
  t.regex(stdout, /4000 2xx, 0 3xx, 0 4xx, 0 5xx/);
});

test('h2load is served over HTTP/1.1', async (t) => {
  const { stdout } = await run('h2load', ['--h1', '-n', '1000', '-c', '4', `${server.origin}/hello`]);
  t.regex(stdout, /1000 2xx, 0 3xx, 0 4xx, 0 5xx/);
});

test('undici is served over HTTP/1.1', async (t) => {
  const dispatcher = new Agent();
  t.teardown(() => dispatcher.close());
  const page = await undiciRequest(`${server.origin}/hello`, { dispatcher });
  t.deepEqual([page.statusCode, await page.body.text()], [200, 'hello\n']);
  const uploaded = await undiciRequest(`${server.origin}/digest`, {
    dispatcher,
    method: 'POST',
    body: upload,
  });
  t.is(await uploaded.body.text(), digest);
});

test('undici is served over cleartext HTTP/2', async (t) => {
  const dispatcher = new H2CClient(server.origin);
  t.teardown(() => dispatcher.close());
  const page = await undiciRequest(`${server.origin}/describe`, { dispatcher });
  const { version } = (await page.body.json()) as { version: string };
  t.deepEqual([page.statusCode, version], [200, '2']);
  const uploaded = await undiciRequest(`${server.origin}/digest`, {
    dispatcher,
    method: 'POST',
    body: upload,
  });
  t.is(await uploaded.body.text(), digest);
});
