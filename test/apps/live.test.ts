/** The sample applications over sockets, with common clients: curl, node:http2, node:http and undici. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as request1 } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { H2CClient, request as undiciRequest } from 'undici';
import { encodePng } from '../../apps/thumbnail/png-encoder.ts';
import { samplePicture } from '../../apps/thumbnail/sample-picture.ts';
import { curl, SampleServer } from './sample-server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const H2 = '--http2-prior-knowledge';

let server: SampleServer;
let session: ClientHttp2Session;
let directory: string;

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-apps-'));
  server = await SampleServer.start();
  session = connect(server.origin);
});

test.after.always(async (t) => {
  session?.destroy();
  if (server !== undefined) t.is(await server.stop(), 0);
  await rm(directory, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
}

function open(method: string, path: string, headers: Record<string, string> = {}): ClientHttp2Stream {
  return session.request(
    { ':method': method, ':path': path, ...headers },
    { endStream: method === 'GET' || method === 'HEAD' },
  );
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let headers: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  const pieces: Buffer[] = [];
  stream.on('response', (fields) => {
    headers = fields;
  });
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('end', () =>
    resolve({ status: Number(headers[':status']), headers, trailers, bytes: Buffer.concat(pieces) }),
  );
  stream.on('error', reject);
  return promise;
}

function ask(method: string, path: string, body?: Uint8Array | string, headers: Record<string, string> = {}) {
  const stream = open(method, path, headers);
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
}

const PAGES = [
  '/',
  '/favicon.svg',
  '/favicon.ico',
  '/hello',
  '/echo',
  '/hash',
  '/counter',
  '/report',
  '/render',
  '/render?sample',
  '/thumbnail',
  '/thumbnail/sample.png',
  '/middleware',
];

for (const path of PAGES) {
  test(`GET and HEAD of ${path} agree for curl, node:http2 and undici, over HTTP/2 and HTTP/1.1`, async (t) => {
    const expected = await ask('GET', path);
    t.is(expected.status, 200);
    const length = String(expected.bytes.length);
    t.is(expected.headers['content-length'], length);
    const head = await ask('HEAD', path);
    t.is(head.bytes.length, 0);
    t.is(head.headers['content-length'], length);

    const text = expected.bytes.toString('latin1');
    // The index writes the authority of the request, which is the same for all clients.
    t.is(await curl(H2, `${server.origin}${path}`), text);
    const head1 = (await curl('--http1.1', '--head', `${server.origin}${path}`)).toLowerCase();
    t.true(head1.startsWith('http/1.1 200 ok\r\n'));
    t.true(head1.includes(`\r\ncontent-length: ${length}\r\n`));

    const over1 = await undiciRequest(`${server.origin}${path}`);
    t.is(Buffer.from(await over1.body.arrayBuffer()).toString('latin1'), text);
    const client = new H2CClient(server.origin);
    const over2 = await client.request({ method: 'GET', path });
    t.is(over2.statusCode, 200);
    t.is(Buffer.from(await over2.body.arrayBuffer()).toString('latin1'), text);
    await client.close();
  });
}

test('every command on the index page works when it is pasted', async (t) => {
  const page = (await ask('GET', '/')).bytes.toString();
  const commands = [...page.matchAll(/<pre><code>([\s\S]*?)<\/code>/g)].flatMap(([, html]) =>
    html
      .replace(
        /&lt;|&gt;|&quot;|&#39;/g,
        (entity) => ({ '&lt;': '<', '&gt;': '>', '&quot;': '"' })[entity] ?? "'",
      )
      .replaceAll('&amp;', '&')
      .split('\n'),
  );
  const outputs = new Map<string, string>();
  // That command starts a server; the command line's own tests cover it.
  const [start] = commands.splice(commands.indexOf('npm start -- --dev-tls'), 1);
  t.is(start, 'npm start -- --dev-tls');
  t.true(commands.length >= 7);
  for (const command of commands) {
    t.true(command.includes(server.origin), command);
    const run = promisify(execFile)('sh', ['-c', command], { cwd: directory });
    run.child.stdin?.end('typed\n');
    outputs.set(command, (await run).stdout);
  }
  const outputOf = (part: string) => [...outputs].find(([command]) => command.includes(part))?.[1] ?? '';
  t.regex(outputOf('/hello'), /^HTTP\/2 200[\s\S]*hello, world\n$/);
  t.is(outputOf('-N -T'), 'typed\n');
  t.is(outputOf("'hello'"), 'hello');
  t.regex(outputOf('/render'), /<h1 id="hello">Hello<\/h1>/);
  t.regex(outputOf('correct horse'), /^\$argon2id\$/);
  t.is(outputOf('/hash/verify'), '{"ok":true}\n');
  t.is((await readFile(join(directory, 'thumbnail.png'))).readUInt32BE(16), 200);
});

test('echo sends the first piece back while the upload is still open, and trailers at the end', async (t) => {
  const stream = session.request(
    { ':method': 'POST', ':path': '/echo', te: 'trailers' },
    { endStream: false, waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': 'abc' }));
  const first = new Promise<string>((resolve) =>
    stream.once('data', (piece: Buffer) => resolve(piece.toString())),
  );
  const whole = answerOf(stream);
  stream.write('first');
  t.is(await first, 'first');
  stream.end('second');
  const { bytes, trailers } = await whole;
  t.is(bytes.toString(), 'firstsecond');
  t.is(trailers['echo-bytes'], '11');
  t.is(
    trailers['content-digest'],
    `sha-256=:${createHash('sha256').update('firstsecond').digest('base64')}:`,
  );
  t.is(trailers['x-sum'], 'abc');
});

test('echo carries more than every window and ring holds, unchanged', async (t) => {
  const sent = Buffer.alloc(6 * 1024 * 1024, 'every byte in flight was asked for; ');
  const { bytes, trailers } = await ask('PUT', '/echo', sent);
  t.is(bytes.length, sent.length);
  t.true(bytes.equals(sent));
  t.is(trailers['echo-bytes'], String(sent.length));
});

test('echo speaks HTTP/1.1 with trailers in both directions', async (t) => {
  const { promise, resolve, reject } = Promise.withResolvers<[string, NodeJS.Dict<string>]>();
  const request = request1(
    `${server.origin}/echo`,
    { method: 'POST', headers: { trailer: 'x-sum' } },
    (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => resolve([Buffer.concat(pieces).toString(), response.trailers]));
    },
  );
  request.on('error', reject);
  request.write('over ');
  request.addTrailers({ 'x-sum': '1' });
  request.end('one');
  const [text, trailers] = await promise;
  t.is(text, 'over one');
  t.is(trailers['echo-bytes'], '8');
  t.is(trailers['x-sum'], '1');
});

test('uploads that their client resets leave the connection and the application as they were', async (t) => {
  for (let i = 0; i < 30; i++) {
    const stream = open('POST', '/echo');
    stream.write(Buffer.alloc(20_000));
    await new Promise((resolve) => stream.once('data', resolve));
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.close(8);
    await closed;
  }
  t.is((await ask('POST', '/echo', 'still here')).bytes.toString(), 'still here');
});

test('thumbnail resizes what curl uploads', async (t) => {
  const file = join(directory, 'upload.png');
  await writeFile(file, encodePng(samplePicture(200, 100)));
  const url = `${server.origin}/thumbnail?width=50&format=jpeg`;
  const output = Buffer.from(await curl(H2, '--data-binary', `@${file}`, url), 'latin1');
  t.deepEqual([...output.subarray(0, 3)], [0xff, 0xd8, 0xff]);
  const back = await ask('POST', '/thumbnail?format=png', output);
  t.is(back.headers['content-type'], 'image/png');
  t.is(back.bytes.readUInt32BE(16), 50);
  t.is(back.bytes.readUInt32BE(20), 25);
});

test('thumbnail refuses anything but an image while its upload is still open', async (t) => {
  const stream = open('POST', '/thumbnail');
  stream.write('GIF89a');
  const { status, bytes } = await answerOf(stream);
  t.is(status, 415);
  t.regex(bytes.toString(), /PNG or a JPEG/);
  stream.close();
});

test('thumbnail refuses an upload that announces too much before any of it is sent', async (t) => {
  const stream = open('POST', '/thumbnail', { 'content-length': '100000000' });
  const { status } = await answerOf(stream);
  t.is(status, 413);
  stream.close();
});

test("render renders the project's own documents", async (t) => {
  for (const path of ['bench/README.md', 'apps/render/sample.md']) {
    const response = await ask('POST', '/render', await readFile(`${ROOT}${path}`), {
      'content-type': 'text/markdown',
    });
    t.is(response.status, 200);
    t.regex(response.bytes.toString(), /<h1 id="/);
  }
});

test('a light request is answered while heavy ones on the same connection still compute', async (t) => {
  let hashed = 0;
  const heavy = Array.from({ length: 12 }, async (_, i) => {
    const { status } = await ask('POST', '/hash', `password ${i}`);
    hashed++;
    return status;
  });
  t.is((await ask('GET', '/hello')).bytes.toString(), 'hello, world\n');
  t.true(hashed < heavy.length, `${hashed} of ${heavy.length} were done before it`);
  t.deepEqual(await Promise.all(heavy), new Array(heavy.length).fill(200));
});

test('wrong methods, wrong paths and wrong input are answered as such over the wire', async (t) => {
  for (const [method, path, body, status] of [
    ['DELETE', '/hello', undefined, 405],
    ['PATCH', '/echo', 'x', 405],
    ['GET', '/hash/verify', undefined, 405],
    ['GET', '/thumbnail/other.png', undefined, 404],
    ['GET', '/nothing', undefined, 404],
    ['POST', '/hash', 'x'.repeat(2000), 413],
    ['POST', '/render', Buffer.alloc(1024 * 1024 + 1, 10), 413],
    ['POST', '/thumbnail?width=x', 'x', 400],
  ] as const) {
    const stream = open(method, path);
    const answer = answerOf(stream);
    if (method !== 'GET') stream.end(body);
    t.is((await answer).status, status, `${method} ${path}`);
  }
});
