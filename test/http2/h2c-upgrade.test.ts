/** HTTP/2 by `Upgrade: h2c` (RFC 7540 section 3.2): third-party clients, and invalid offers. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import test from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { application, FileScope, type Scope, startServer, type TestServer } from '../server/harness.ts';
import { parseFrames, preface, settings, settingsAck } from './frames.ts';
import { Peer } from './peer.ts';

const run = promisify(execFile);
const scope = new FileScope();
let server: TestServer;

const pools = { app: { application: application('server', 'messages'), threads: { min: 1, max: 1 } } };

test.before(async () => {
  server = await startServer(scope, { pools });
});
test.after.always(() => scope.end());

/** INITIAL_WINDOW_SIZE 5. */
const settingsOf5 = 'AAQAAAAF';

interface Offer {
  readonly method?: string;
  readonly path?: string;
  readonly connection?: string;
  readonly upgrade?: string;
  readonly settings?: readonly string[];
  readonly more?: string;
}

function offer({
  method = 'GET',
  path = '/hello',
  connection = 'Upgrade, HTTP2-Settings',
  upgrade = 'h2c',
  settings = [settingsOf5],
  more = '',
}: Offer = {}): string {
  const lines = settings.map((value) => `HTTP2-Settings: ${value}\r\n`).join('');
  return `${method} ${path} HTTP/1.1\r\nHost: test.invalid\r\nConnection: ${connection}\r\nUpgrade: ${upgrade}\r\n${lines}${more}\r\n`;
}

async function open(t: Scope, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** The received bytes up to this text. */
async function readUntil(socket: Socket, wanted: (bytes: Buffer) => boolean): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
    if (wanted(bytes)) return bytes;
  }
}

async function firstLine(t: Scope, port: number, text: string): Promise<string> {
  const socket = await open(t, port);
  socket.write(text);
  const bytes = await readUntil(socket, (all) => all.includes('\r\n\r\n'));
  return bytes.toString('latin1').split('\r\n')[0];
}

test('curl changes to HTTP/2 on its first request', async (t) => {
  const written = ['-sS', '--http2', '-w', ' %{http_version} %{num_connects}'];
  const url = `${server.origin}/hello`;
  const { stdout } = await run('curl', [...written, url, url]);
  t.is(stdout, 'hello\n 2 1hello\n 2 0');
});

test('nghttp changes to HTTP/2 and gets more than a window of content', async (t) => {
  const { stdout } = await run(
    'nghttp',
    ['-u', '--null-out', '--verbose', `${server.origin}/bytes?count=200000`],
    {
      maxBuffer: 64 * 1_048_576,
    },
  );
  t.regex(stdout, /HTTP Upgrade success/);
  const bytes = [...stdout.matchAll(/recv DATA frame <length=(\d+)/g)].map(([, length]) => Number(length));
  t.is(
    bytes.reduce((sum, length) => sum + length, 0),
    200_000,
  );
});

test('RFC 7540 section 3.2: 101, the server preface, then the response on stream 1 within the offered settings', async (t) => {
  const socket = await open(t, server.port);
  socket.write(offer());
  const head = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n';
  const isWhole = (all: Buffer) => all.includes('hello');
  const bytes = await readUntil(socket, isWhole);
  t.is(bytes.subarray(0, head.length).toString(), head);
  const frames = parseFrames(bytes.subarray(head.length));
  t.is(frames[0].type, FrameType.Settings);
  const content = frames.filter(({ type }) => type === FrameType.Data);
  t.deepEqual(
    content.map(({ id, payload }) => [id, payload.toString()]),
    [[1, 'hello']],
    'five of six bytes',
  );
  // The client's preface and SETTINGS follow, and open the window.
  socket.write(Buffer.concat([preface, settings(4, 6), settingsAck]));
  const rest = parseFrames(await readUntil(socket, (all) => all.includes('\n')));
  t.deepEqual([rest.at(-1)?.id, rest.at(-1)?.payload.toString()], [1, '\n']);
});

test('the application sees an HTTP/2 request with the fields of the first, without those of the connection', async (t) => {
  const { stdout } = await run('curl', ['-sS', '--http2', '-H', 'x-a: b', `${server.origin}/describe?x=1`]);
  const { version, method, path, fields } = JSON.parse(stdout);
  t.deepEqual([version, method, path], ['2', 'GET', '/describe?x=1']);
  const names = fields.map(([name]: [string]) => name);
  t.true(names.includes('x-a'));
  for (const gone of ['connection', 'upgrade', 'http2-settings', 'host']) t.false(names.includes(gone), gone);
});

test('HEAD is answered without content after the change', async (t) => {
  const { stdout } = await run('curl', ['-sS', '--http2', '-I', `${server.origin}/hello`]);
  t.regex(stdout, /HTTP\/2 200/);
});

for (const [what, text] of [
  ['no HTTP2-Settings', offer({ settings: [] })],
  ['two of them', offer({ settings: [settingsOf5, settingsOf5] })],
  ['HTTP2-Settings with padding', offer({ settings: ['AAQAAAAFAAA='] })],
  ['HTTP2-Settings in the other alphabet', offer({ settings: ['AAQAAAA/'] })],
  ['HTTP2-Settings with bits left over', offer({ settings: ['AAQAAAAFA'] })],
  ['HTTP2-Settings of no whole setting', offer({ settings: ['AAQAAA'] })],
  ['a setting that is out of range', offer({ settings: ['AAT_____'] })],
  ['Connection without HTTP2-Settings', offer({ connection: 'Upgrade' })],
  ['"h2", which is for TLS', offer({ upgrade: 'h2' })],
  ['a request with content', offer({ method: 'POST', path: '/echo', more: 'Content-Length: 0\r\n' })],
] as const) {
  test(`RFC 7540 section 3.2: ${what} is no offer, and the response comes over HTTP/1.1`, async (t) => {
    t.is(await firstLine(t, server.port, text), 'HTTP/1.1 200 OK');
  });
}

test('upgradeH2c: if it is off, the offer is ignored', async (t) => {
  const own = await startServer(t, { pools, http1: { upgradeH2c: false } });
  t.is(await firstLine(t, own.port, offer()), 'HTTP/1.1 200 OK');
});

test('input after the change that is not HTTP/2 ends the connection', async (t) => {
  const socket = await open(t, server.port);
  socket.write(offer());
  await readUntil(socket, (all) => all.includes('hello'));
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'close');
  t.pass();
});

test('the engine makes the first request stream 1, half-closed (remote)', (t) => {
  const peer = new Peer();
  peer.engine.upgrade(Buffer.from(settingsOf5, 'base64url'), 'GET', 'http', 'example.test', '/', [
    'a',
    'b',
    'priority',
    'u=1, i',
  ]);
  t.deepEqual(peer.lines, ['request 1 GET / end']);
  const stream = peer.stream(1);
  t.deepEqual([stream.sendWindow.available, stream.urgency, stream.incremental], [5, 1, true]);
  peer.engine.respond(stream, 200, [], true);
  peer.send(preface, settings(), settingsAck);
  t.is(peer.engine.failure, null);
  t.is(peer.lines.at(-1), 'close 1 complete 0');
});
