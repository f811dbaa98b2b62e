/** Listeners of a running server: which client the application sees, directly and through proxies. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { request as sendHttp1 } from 'node:http';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { freePort } from '../server/free-port.ts';
import { configInput, FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { LogLines } from '../server/log-lines.ts';
import { TestFiles } from '../tls/authority.ts';
import { type Seen, seenIn, who } from '../tls/who.ts';

const run = promisify(execFile);
const scope = new FileScope();
const headerTimeoutMs = 60_000;
let files: TestFiles;
let server: TestServer;
/** In the order of the listeners. */
let addresses: string[];

test.before(async () => {
  files = new TestFiles(scope);
  server = await startServer(scope, {
    listeners: [
      { address: '127.0.0.1:0' },
      { address: '127.0.0.1:0', trustedProxies: ['127.0.0.0/8'] },
      { address: '127.0.0.1:0', proxyProtocol: 'any', trustedProxies: ['127.0.0.1', '198.51.100.0/24'] },
      { address: '127.0.0.1:0', proxyProtocol: 'any', trustedProxies: ['203.0.113.0/24'] },
      { address: `unix:${join(files.directory, 'app.sock')}`, permissions: '600', trustedProxies: ['unix'] },
    ],
    pools: { who },
    limits: { headerTimeoutMs },
  });
  addresses = server.log.lines
    .filter(({ msg }) => msg?.startsWith('listening on'))
    .map(({ address }) => String(address));
});
test.after.always(() => scope.end());

const Plain = 0;
const Proxied = 1;
const Headed = 2;
const Distrusted = 3;

function portOf(listener: number): number {
  return Number(addresses[listener].split(':').at(-1));
}

/**
 * Resolves when the socket has closed. `once` would reject if an error comes first, and a reset is a valid
 * way to close.
 */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
  });
}

async function curl(...words: string[]): Promise<Seen> {
  const { stdout } = await run('curl', ['-sS', '--max-time', '20', ...words]);
  return seenIn(stdout);
}

/** Writes bytes to a listener and returns everything that the server sends until it closes. */
async function exchange(listener: number, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(portOf(listener), '127.0.0.1');
  const ended = closed(socket);
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  socket.on('error', () => undefined);
  for (const piece of pieces) await written(socket, piece);
  await ended;
  return received;
}

function written(socket: Socket, piece: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.write(piece, () => resolve());
  });
}

const get = 'GET /path HTTP/1.1\r\nhost: app.internal\r\nconnection: close\r\n\r\n';

for (const [version, flag] of [
  ['1.1', '--http1.1'],
  ['2', '--http2-prior-knowledge'],
] as const) {
  test(`forwarded fields from a peer that is not a trusted proxy change nothing over HTTP/${version}`, async (t) => {
    const fields = ['-H', 'x-forwarded-for: 203.0.113.9', '-H', 'forwarded: for=1.1.1.1;proto=https'];
    const seen = await curl(flag, ...fields, `http://${addresses[Plain]}/`);
    t.is(seen.remote.address, '127.0.0.1');
    t.true(seen.remote.port > 0);
    t.like(seen, { scheme: 'http', version, forwardedFor: ['203.0.113.9'], tls: null });
  });

  test(`fields from a trusted proxy set client, host and scheme over HTTP/${version}`, async (t) => {
    const fields = [
      'x-forwarded-for: 1.1.1.1, 203.0.113.9',
      'x-forwarded-proto: https',
      'x-forwarded-host: www.example.org',
    ];
    const words = fields.flatMap((field) => ['-H', field]);
    t.like(await curl(flag, ...words, `http://${addresses[Proxied]}/`), {
      remote: { address: '203.0.113.9', port: 0 },
      scheme: 'https',
      authority: 'www.example.org',
      forwardedFor: ['1.1.1.1, 203.0.113.9'],
      tls: null,
    });
  });

  test(`proxies that contradict each other are answered 400 over HTTP/${version}`, async (t) => {
    const fields = ['-H', 'x-forwarded-for: 203.0.113.9', '-H', 'forwarded: for=203.0.113.10'];
    const { stdout } = await run('curl', [
      '-sS',
      flag,
      ...fields,
      '-w',
      '%{http_code}',
      `http://${addresses[Proxied]}/`,
    ]);
    t.is(stdout, '400 Bad Request\n400');
  });

  test(`curl’s PROXY header names the client over HTTP/${version}`, async (t) => {
    const words = [flag, '--haproxy-protocol', `http://${addresses[Headed]}/`];
    t.like(await curl(...words), { remote: { address: '127.0.0.1' }, version, scheme: 'http' });
  });

  test(`a trusted peer on a Unix domain socket may name the client over HTTP/${version}`, async (t) => {
    const words = [flag, '--unix-socket', join(files.directory, 'app.sock')];
    t.deepEqual((await curl(...words, 'http://app/')).remote, { address: '', port: 0 });
    const named = await curl(...words, '-H', 'x-forwarded-for: 203.0.113.9', 'http://app/');
    t.like(named, { remote: { address: '203.0.113.9' }, authority: 'app' });
  });
}

test('a client cannot remove its proxy’s fields with a Connection field', async (t) => {
  const fields = ['-H', 'connection: x-forwarded-for', '-H', 'x-forwarded-for: 203.0.113.9'];
  const seen = await curl('--http1.1', ...fields, `http://${addresses[Proxied]}/`);
  t.is(seen.remote.address, '203.0.113.9');
});

test('the application is not given the scheme that an HTTP/2 client claims', async (t) => {
  const session = await connectHttp2(t, `http://${addresses[Plain]}`);
  const { body } = await request(session, { ':path': '/', ':scheme': 'https' });
  t.is(seenIn(body).scheme, 'http');
});

test('IPv6 clients have IPv6 addresses', async (t) => {
  if (!Object.values(networkInterfaces()).some((own) => own?.some(({ address }) => address === '::1'))) {
    t.log('this machine has no IPv6 loopback address');
    t.pass();
    return;
  }
  const own = await startServer(t, { listeners: [{ address: '[::1]:0' }], pools: { who } });
  t.is((await curl(`http://[::1]:${own.port}/`)).remote.address, '::1');
});

test('a PROXY header may be split anywhere, and the bytes after it belong to the client', async (t) => {
  const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n';
  for (const pieces of [[header + get], [header, get], [...`${header}${get}`]]) {
    const answer = await exchange(Headed, ...pieces);
    t.like(seenIn(answer.slice(answer.indexOf('{'))), { remote: { address: '203.0.113.9', port: 4711 } });
  }
});

test('the forwarded fields of a client named by a PROXY header count only if it is a trusted proxy', async (t) => {
  const asks = get.replace('\r\n\r\n', '\r\nx-forwarded-for: 192.0.2.77\r\n\r\n');
  const through = async (source: string) => {
    const answer = await exchange(Headed, `PROXY TCP4 ${source} 192.0.2.1 4711 443\r\n${asks}`);
    return seenIn(answer.slice(answer.indexOf('{'))).remote.address;
  };
  t.is(await through('203.0.113.9'), '203.0.113.9');
  t.is(await through('198.51.100.1'), '192.0.2.77');
});

test('without its PROXY header a connection is closed', async (t) => {
  t.is(await exchange(Headed, get), '');
  t.is(await exchange(Headed, 'PROXY TCP4 nonsense\r\n', get), '');
  t.truthy(await server.log.until('connection refused', ({ refusal }) => refusal === 'proxy-header'));
});

test('a PROXY header from a peer that is not a trusted proxy closes the connection', async (t) => {
  t.is(await exchange(Distrusted, `PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n${get}`), '');
  t.truthy(await server.log.until('connection refused', ({ refusal }) => refusal === 'untrusted-proxy'));
});

test('a connection that sends nothing is closed at its deadline', async (t) => {
  const own = await startServer(t, {
    listeners: [{ address: '127.0.0.1:0', proxyProtocol: 'v1', trustedProxies: ['127.0.0.1'] }],
    pools: { who },
    limits: { headerTimeoutMs: 50 },
  });
  const socket = connect(own.port, '127.0.0.1');
  socket.write('PROXY TCP4 203');
  socket.resume();
  await closed(socket);
  t.pass();
});

test('a connection that ends before its protocol is known leaves nothing behind', async (t) => {
  for (const first of ['', 'P', 'PRI * HT', 'PROXY ']) {
    for (const listener of [Plain, Headed]) {
      const socket = connect(portOf(listener), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.end(first);
      socket.resume();
      await closed(socket);
    }
  }
  t.is((await curl(`http://${addresses[Plain]}/`)).scheme, 'http');
});

interface Listening {
  readonly log: LogLines;
  readonly ended: Promise<unknown[]>;
}

/** Starts the command with a listening socket as descriptor 3, as systemd and supervisors do. */
async function startWith(
  t: { teardown(close: () => unknown): void },
  address: string,
  activation: boolean,
): Promise<Listening & { readonly port: number }> {
  const holder = createNetServer();
  holder.listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  // The number of the listening descriptor, which is only available from Node's own handle.
  const { fd } = (holder as unknown as { _handle: { fd: number } })._handle;
  const file = new TestFiles({ teardown: (close) => t.teardown(close) }).write(
    'runtime.config.json',
    JSON.stringify(configInput({ listeners: [{ address }], pools: { who } })),
  );
  const cli = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));
  const command = activation ? 'LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=web exec "$@"' : 'exec "$@"';
  const words = ['-c', command, 'sh', process.execPath, cli, 'start', '-c', file];
  const child = spawn('sh', words, { stdio: ['ignore', 'pipe', 'inherit', fd] });
  // The parent closes its copy, so only the child accepts.
  holder.close();
  const log = new LogLines();
  child.stdout?.setEncoding('utf8').on('data', (text: string) => log.push(text));
  const ended = once(child, 'exit');
  t.teardown(() => child.kill('SIGKILL'));
  const failed = ended.then(() => Promise.reject(new Error('the server ended before it listened')));
  await Promise.race([log.until('listening on'), failed]);
  return { log, ended, port };
}

for (const [address, activation] of [
  ['fd:3', false],
  ['systemd:web', true],
  ['systemd:*', true],
] as const) {
  test(`a listening socket that the process inherits is served by ${address}`, async (t) => {
    const { port, log } = await startWith(t, address, activation);
    t.is(log.find('listening on')?.address, `127.0.0.1:${port}`);
    const outgoing = sendHttp1(`http://127.0.0.1:${port}/`, { agent: false });
    outgoing.end();
    const [response] = await once(outgoing, 'response');
    t.is(response.statusCode, 200);
    response.resume();
  });
}

const ACTIVATOR = '/usr/bin/systemd-socket-activate';

(existsSync(ACTIVATOR) ? test : test.skip)(
  'systemd hands over its socket by name, and the request that woke the server is answered (needs systemd-socket-activate)',
  async (t) => {
    const port = await freePort();
    const file = new TestFiles({ teardown: (close) => t.teardown(close) }).write(
      'runtime.config.json',
      JSON.stringify(configInput({ listeners: [{ address: 'systemd:app' }], pools: { who } })),
    );
    const cli = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));
    const words = ['-l', `127.0.0.1:${port}`, '--fdname=app', process.execPath, cli, 'start', '-c', file];
    const child = spawn(ACTIVATOR, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    t.teardown(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    const log = new LogLines();
    child.stdout.setEncoding('utf8').on('data', (text: string) => log.push(text));
    await new Promise<void>((resolve) => {
      let told = '';
      child.stderr.setEncoding('utf8').on('data', (piece: string) => {
        told += piece;
        if (told.includes('Listening on')) resolve();
      });
    });
    t.is((await requestHttp1(`http://127.0.0.1:${port}/`)).status, 200);
    t.is((await log.until('listening on')).address, `127.0.0.1:${port}`);
    child.kill('SIGTERM');
    t.deepEqual(await ended, [0, null]);
  },
);
