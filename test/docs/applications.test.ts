/**
 * The modules that README and docs/applications.md show do what the text says of them; `types.test.ts` holds that they compile.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import type { ClientHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { GatewayErrorCode } from '../../workers/gateway.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { answer, connectHttp2, request } from '../server/http2-client.ts';
import { modulesOf, read, root } from './markdown.ts';
import { published } from './published.ts';

const scope = new FileScope();
const shown = new Map([...modulesOf(read('README.md')), ...modulesOf(read('docs/applications.md'))]);
let directory: string;
let server: TestServer;
let session: ClientHttp2Session;

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-docs-'));
  scope.teardown(() => rm(directory, { recursive: true }));
  await symlink(`${root}node_modules`, join(directory, 'node_modules'));
  const pools: Record<string, { application: string }> = {};
  for (const [name, source] of shown) {
    const runnable = source.replaceAll(/'(sluice\/\w+)'/g, (_all, specifier) => `'${published[specifier]}'`);
    await writeFile(join(directory, name), runnable);
    // README has one application twice, in JavaScript and in TypeScript.
    pools[name.replace(/\.ts$/, '').replace('.', '-')] = { application: join(directory, name) };
  }
  server = await startServer(scope, { pools });
  session = await connectHttp2(scope, server.origin);
});

test.after.always(() => scope.end());

test('every code of the gateway stands in the table of errors', (t) => {
  const text = read('docs/applications.md');
  t.deepEqual(
    Object.values(GatewayErrorCode).filter((code) => !text.includes(`\n| \`${code}\` | `)),
    [],
  );
});

test('hello answers with the path', async (t) => {
  const { status, body } = await request(session, { ':path': '/hello/here' });
  t.is(status, 200);
  t.is(body.toString(), 'hello from /hello/here\n');
});

test('greet reads the query and a field, and refuses what is no GET', async (t) => {
  const path = '/greet?name=Ada';
  const plain = await request(session, { ':path': path });
  t.is(plain.body.toString(), 'Good day, Ada\n');
  const german = await request(session, { ':path': '/greet', 'accept-language': 'de-AT' });
  t.is(german.body.toString(), 'Guten Tag, stranger\n');
  const head = await request(session, { ':method': 'HEAD', ':path': path });
  t.is(head.headers['content-length'], String(plain.body.length));
  t.is(head.body.length, 0);
  const refused = await request(session, { ':method': 'DELETE', ':path': path });
  t.is(refused.status, 405);
});

test('sum adds what it is sent, and refuses more than it said with 413', async (t) => {
  const post = { ':method': 'POST', ':path': '/sum' };
  t.is((await request(session, post, '1 2 3.5')).body.toString(), '6.5\n');
  const large = await request(session, post, '1 '.repeat(600));
  t.is(large.status, 413);
});

test('upper answers the first piece before the second is sent, and splits no character', async (t) => {
  const stream = session.request({ ':method': 'POST', ':path': '/upper' }, { endStream: false });
  const first = new Promise<string>((resolve) =>
    stream.once('data', (piece: Buffer) => resolve(piece.toString())),
  );
  const whole = answer(stream);
  const ending = Buffer.from('straße é');
  stream.write('quiet ');
  t.is(await first, 'QUIET ');
  stream.write(ending.subarray(0, -1));
  stream.end(ending.subarray(-1));
  t.is((await whole).body.toString(), 'QUIET STRASSE É');
});

test('digest echoes, and says in trailers what it counted and what was claimed', async (t) => {
  const stream = session.request(
    { ':method': 'POST', ':path': '/digest', te: 'trailers' },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-claimed': 'this' }));
  stream.end('some content');
  const { body, trailers } = await answer(stream);
  t.is(body.toString(), 'some content');
  t.is(trailers['x-claimed'], 'this');
  const sum = createHash('sha256').update('some content').digest('base64');
  t.is(trailers['content-digest'], `sha-256=:${sum}:`);
});

test('lines gives back what it is sent, and counts it in a trailer', async (t) => {
  const { body, trailers } = await request(session, { ':method': 'POST', ':path': '/lines' }, 'a\nb\n');
  t.is(body.toString(), 'a\nb\n');
  t.is(trailers['x-count'], '4');
});

for (const path of ['/app', '/app-js']) {
  test(`README's application answers with a salted key: ${path}`, async (t) => {
    const { status, body } = await request(session, { ':method': 'POST', ':path': path }, 'secret');
    t.is(status, 200);
    t.regex(body.toString(), /^[0-9a-f]{32}:[0-9a-f]{64}\n$/);
  });
}

test('page promises its style sheet to a peer that takes promises, and answers for it to others', async (t) => {
  const pushed = new Promise<string>((resolve) =>
    session.once('stream', (stream, headers) => {
      stream.setEncoding('utf8').once('data', (text: string) => resolve(`${headers[':path']} ${text}`));
    }),
  );
  const { body } = await request(session, { ':path': '/page' });
  t.regex(body.toString(), /^<link rel="stylesheet"/);
  t.is(await pushed, '/page/style.css body { margin: 2rem }\n');
  const plain = await connectHttp2(t, server.origin, { settings: { enablePush: false } });
  t.is((await request(plain, { ':path': '/page' })).body.toString(), body.toString());
  const style = await request(plain, { ':path': '/page/style.css' });
  t.is(style.body.toString(), 'body { margin: 2rem }\n');
});

test('ticks comes to an end when the server begins to stop', async (t) => {
  const own = await startServer(t, { pools: { ticks: { application: join(directory, 'ticks.ts') } } });
  const connection = await connectHttp2(t, own.origin);
  const stream = connection.request({ ':path': '/' });
  const started = new Promise((resolve) => stream.once('data', resolve));
  const whole = answer(stream);
  await started;
  const drained = own.server.drain();
  const { how, body } = await whole;
  t.is(how, 'whole');
  t.regex(body.toString(), /^data: 1\n\n/);
  await drained;
});
