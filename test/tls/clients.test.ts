/** TLS with third-party clients: ALPN, SNI, versions, ciphers, and handshakes that fail or never end. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { request as sendHttps } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { Agent, request as undiciRequest } from 'undici';
import { FileScope, type Scope, startServer, type TestServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { TestAuthority, TestFiles } from './authority.ts';
import { type Seen, seenIn, who } from './who.ts';

const run = promisify(execFile);
const scope = new FileScope();
let authority: TestAuthority;
let files: TestFiles;
let caFile: string;
let certificates: { cert: string; key: string }[];
let server: TestServer;
let ports: number[];

const Usual = 0;
const Old = 1;
const Either = 2;
const Impatient = 3;

test.before(async () => {
  authority = await TestAuthority.create();
  files = new TestFiles(scope);
  caFile = files.write('ca.pem', authority.cert);
  const issued = await Promise.all([
    authority.issue({ subject: 'first', names: ['localhost'], isRsa: true }),
    authority.issue({ subject: 'exact', names: ['www.example.org'] }),
    authority.issue({ subject: 'wildcard', names: ['*.example.org'] }),
  ]);
  certificates = issued.map((each, index) => files.certificate(`c${index}`, each));
  server = await startServer(scope, {
    listeners: [
      { address: '127.0.0.1:0', tls: { certificates } },
      {
        address: '127.0.0.1:0',
        tls: {
          certificates,
          maxVersion: 'TLSv1.2',
          ciphers: 'ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
        },
      },
      { address: '127.0.0.1:0', tls: { certificates, allowCleartext: true } },
      { address: '127.0.0.1:0', tls: { certificates, handshakeTimeoutMs: 50 } },
    ],
    pools: { who },
  });
  const lines = server.log.lines.filter(({ msg }) => msg?.startsWith('listening on https'));
  ports = lines.map(({ address }) => Number(String(address).split(':').at(-1)));
});
test.after.always(() => scope.end());

/** `once` would reject if an error comes first, and a reset is a valid way to close. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
  });
}

async function curl(listener: number, ...words: string[]): Promise<Seen> {
  const url = `https://localhost:${ports[listener]}/path`;
  const { stdout } = await run('curl', ['-sS', '--max-time', '20', '--cacert', caFile, ...words, url]);
  return seenIn(stdout);
}

/** An established TLS connection, or the code of the error that prevented it. */
async function handshake(listener: number, options: ConnectionOptions): Promise<TLSSocket | string> {
  const socket = connectTls({ port: ports[listener], host: '127.0.0.1', ca: authority.cert, ...options });
  const failed = once(socket, 'error').then(([error]) => String((error as { code?: string }).code));
  const secured = once(socket, 'secureConnect').then(() => socket);
  return Promise.race([secured, failed]);
}

async function secureSession(t: Scope, listener: number, ciphers?: string): Promise<ClientHttp2Session> {
  const socket = await handshake(listener, {
    servername: 'localhost',
    ALPNProtocols: ['h2'],
    ...(ciphers !== undefined && { ciphers, maxVersion: 'TLSv1.2' }),
  });
  if (typeof socket === 'string') throw new Error(socket);
  return connectHttp2(t, `https://localhost:${ports[listener]}`, { createConnection: () => socket });
}

async function subjectFor(servername: string | undefined): Promise<string> {
  const named = servername === undefined ? {} : { servername };
  const socket = await handshake(Usual, { ...named, checkServerIdentity: () => undefined });
  if (typeof socket === 'string') return socket;
  const subject = String(socket.getPeerX509Certificate()?.subject);
  socket.destroy();
  return subject;
}

for (const [version, flag, alpn] of [
  ['1.1', '--http1.1', 'http/1.1'],
  ['2', '--http2', 'h2'],
] as const) {
  test(`curl speaks HTTP/${version} over TLS, and the application sees it`, async (t) => {
    const seen = await curl(Usual, flag);
    t.like(seen, { scheme: 'https', version, authority: `localhost:${ports[Usual]}`, path: '/path' });
    t.like(seen.remote, { address: '127.0.0.1' });
    t.deepEqual(seen.tls, {
      version: 'TLSv1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
      alpn,
      servername: 'localhost',
      authorized: false,
      clientCertificate: null,
    });
  });
}

test('without ALPN the first bytes decide: HTTP/1.1, or HTTP/2 by its preface', async (t) => {
  t.like(await curl(Usual, '--no-alpn'), { version: '1.1', tls: { alpn: null } });
  const socket = await handshake(Usual, { servername: 'localhost' });
  if (typeof socket === 'string') return t.fail(socket);
  const session = await connectHttp2(t, `https://localhost:${ports[Usual]}`, {
    createConnection: () => socket,
  });
  t.like(seenIn((await request(session, { ':path': '/' })).body), { version: '2', tls: { alpn: null } });
});

test('a client that offers only unknown protocols gets an alert', async (t) => {
  t.is(await handshake(Usual, { ALPNProtocols: ['spdy/3'] }), 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
});

test('HTTP/1.1 that is switched off is not offered over TLS either', async (t) => {
  const own = await startServer(t, {
    listeners: [{ address: '127.0.0.1:0', tls: { certificates } }],
    pools: { who },
    http1: { enabled: false },
  });
  const url = `https://localhost:${own.port}/`;
  const refused = run('curl', ['-sS', '--http1.1', '--cacert', caFile, url]);
  t.regex(String((await t.throwsAsync(refused))?.message), /no application protocol/);
  const { stdout } = await run('curl', ['-sS', '--http2', '--cacert', caFile, url]);
  t.is(seenIn(stdout).version, '2');
});

test('node:http2 sends a hundred requests over one TLS connection', async (t) => {
  const session = await secureSession(t, Usual);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => request(session, { ':path': `/${index}` })),
  );
  t.deepEqual(
    answers.map(({ body }) => seenIn(body).path),
    answers.map((_, index) => `/${index}`),
  );
});

test('undici speaks HTTP/2 and HTTP/1.1 over TLS', async (t) => {
  for (const allowH2 of [true, false]) {
    const agent = new Agent({ allowH2, connect: { ca: authority.cert } });
    const { body } = await undiciRequest(`https://localhost:${ports[Usual]}/`, { dispatcher: agent });
    t.like(seenIn(await body.text()), { version: allowH2 ? '2' : '1.1', scheme: 'https' });
    await agent.close();
  }
});

test('node:https keeps its connection for several requests', async (t) => {
  const socket = await handshake(Usual, { servername: 'localhost', ALPNProtocols: ['http/1.1'] });
  if (typeof socket === 'string') return t.fail(socket);
  for (let count = 0; count < 3; count++) {
    const outgoing = sendHttps({
      createConnection: () => socket,
      headers: { host: 'a', connection: 'keep-alive' },
    });
    outgoing.end();
    const [response] = await once(outgoing, 'response');
    response.resume();
    await once(response, 'end');
    t.is(response.statusCode, 200);
  }
  socket.destroy();
});

test('nghttp fetches a page over TLS', async (t) => {
  const { stdout } = await run('nghttp', ['-v', '-n', '--no-dep', `https://localhost:${ports[Usual]}/`]);
  t.regex(stdout, /The negotiated protocol: h2/);
  t.regex(stdout, /:status: 200/);
});

test('h2load runs over several TLS connections without an error', async (t) => {
  const { stdout } = await run('h2load', ['-n400', '-c4', '-m8', `https://localhost:${ports[Usual]}/`]);
  t.regex(stdout, /400 succeeded, 0 failed, 0 errored, 0 timeout/);
  t.regex(stdout, /Application protocol: h2/);
});

test('the certificate is the one for the name that the client asks for', async (t) => {
  t.is(await subjectFor('localhost'), 'CN=first');
  t.is(await subjectFor('www.example.org'), 'CN=exact');
  t.is(await subjectFor('api.example.org'), 'CN=wildcard');
  t.is(await subjectFor('elsewhere.example.com'), 'CN=first');
  t.is(await subjectFor(undefined), 'CN=first');
});

test('TLS versions other than the configured ones are refused', async (t) => {
  t.is(
    await handshake(Usual, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL@SECLEVEL=0' }),
    'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  );
  t.is(await handshake(Old, { minVersion: 'TLSv1.3' }), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  t.like(await curl(Old, '--tls-max', '1.2', '--ciphers', 'ECDHE-RSA-AES128-GCM-SHA256'), {
    version: '2',
    tls: { version: 'TLSv1.2', cipher: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' },
  });
});

test('HTTP/2 with a cipher suite that RFC 9113 section 9.2.2 prohibits ends with INADEQUATE_SECURITY', async (t) => {
  const ciphers = 'ECDHE-RSA-AES128-SHA256';
  t.like(await curl(Old, '--http1.1', '--ciphers', ciphers), { version: '1.1', tls: { version: 'TLSv1.2' } });
  const session = await secureSession(t, Old, ciphers);
  const [code] = await once(session, 'goaway');
  t.is(code, 0xc);
});

test('a client cannot renegotiate (RFC 9113 section 9.2.1)', async (t) => {
  const child = spawn('openssl', [
    's_client',
    '-connect',
    `127.0.0.1:${ports[Usual]}`,
    '-tls1_2',
    '-CAfile',
    caFile,
  ]);
  let output = '';
  const seen = (text: string): void => {
    output += text;
    // To s_client, a line with an R is the command to renegotiate.
    if (output.includes('Verify return code') && !output.includes('RENEGOTIATING')) child.stdin.write('R\n');
  };
  child.stdout.setEncoding('utf8').on('data', seen);
  child.stderr.setEncoding('utf8').on('data', seen);
  await once(child, 'close');
  t.regex(output, /RENEGOTIATING/);
  t.regex(output, /no renegotiation/);
});

test('openssl s_client sees the negotiated protocol and a chain that verifies', async (t) => {
  const words = [
    's_client',
    '-connect',
    `127.0.0.1:${ports[Usual]}`,
    '-alpn',
    'h2,http/1.1',
    '-CAfile',
    caFile,
  ];
  const running = run('openssl', [...words, '-servername', 'www.example.org']);
  running.child.stdin?.end();
  const { stdout } = await running;
  t.regex(stdout, /ALPN protocol: h2/);
  t.regex(stdout, /subject=CN = exact/);
  t.regex(stdout, /Verify return code: 0 \(ok\)/);
});

test('a handshake that does not finish in time is ended', async (t) => {
  const socket = connectTcp(ports[Impatient], '127.0.0.1');
  socket.resume();
  socket.on('error', () => undefined);
  await closed(socket);
  t.truthy(
    await server.log.until('connection refused', ({ refusal }) => refusal === 'tls-handshake-timeout'),
  );
});

test('a peer that does not speak TLS is disconnected, and others do not notice', async (t) => {
  for (const [listener, first] of [
    [Usual, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'],
    [Usual, '\x16\x03\x01\x00\x05hello'],
    // An unfinished handshake, which its deadline ends.
    [Impatient, '\x16'],
  ] as const) {
    const socket = connectTcp(ports[listener], '127.0.0.1');
    socket.resume();
    socket.end(first);
    await closed(socket);
  }
  t.is((await curl(Usual)).scheme, 'https');
});

test('cleartext and TLS share an address if that is allowed', async (t) => {
  t.like(await curl(Either, '--http2'), { scheme: 'https', version: '2' });
  for (const [flag, version] of [
    ['--http2-prior-knowledge', '2'],
    ['--http1.1', '1.1'],
  ]) {
    const { stdout } = await run('curl', ['-sS', flag, `http://localhost:${ports[Either]}/`]);
    t.like(seenIn(stdout), { scheme: 'http', version, tls: null });
  }
});

test('a PROXY header precedes the handshake', async (t) => {
  const own = await startServer(t, {
    listeners: [
      { address: '127.0.0.1:0', tls: { certificates }, proxyProtocol: 'v1', trustedProxies: ['127.0.0.1'] },
    ],
    pools: { who },
  });
  for (const together of [true, false]) {
    const raw = connectTcp(own.port, '127.0.0.1');
    await once(raw, 'connect');
    if (together) raw.cork();
    raw.write('PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n');
    const socket = connectTls({
      socket: raw,
      ca: authority.cert,
      servername: 'localhost',
      ALPNProtocols: ['h2'],
    });
    if (together) raw.uncork();
    await once(socket, 'secureConnect');
    const session = await connectHttp2(t, `https://localhost:${own.port}`, {
      createConnection: () => socket,
    });
    t.like(seenIn((await request(session, { ':path': '/' })).body), {
      remote: { address: '203.0.113.9', port: 4711 },
      scheme: 'https',
      tls: { alpn: 'h2' },
    });
  }
});

test('large bodies pass through TLS unchanged in both directions over both versions', async (t) => {
  const echo = { application: fileURLToPath(new URL('../server/applications/messages.ts', import.meta.url)) };
  const own = await startServer(t, {
    listeners: [{ address: '127.0.0.1:0', tls: { certificates } }],
    pools: { echo: { ...echo, threads: { max: 1 } } },
  });
  const upload = files.write('upload', Buffer.alloc(3_000_000, 'sluice'));
  for (const flag of ['--http1.1', '--http2']) {
    const words = [
      '-sS',
      flag,
      '--cacert',
      caFile,
      '--data-binary',
      `@${upload}`,
      `https://localhost:${own.port}/echo`,
    ];
    const { stdout } = await run('curl', words, { maxBuffer: 4_000_000 });
    t.is(stdout.length, 3_000_000);
    t.is(stdout, 'sluice'.repeat(500_000));
  }
});
