/** Session resumption: with which server's tickets, for how long, and when it is refused. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { TestAuthority, TestFiles } from './authority.ts';
import { who } from './who.ts';

type TlsInput = NonNullable<NonNullable<ConfigInput['listeners']>[number]['tls']>;

const run = promisify(execFile);
const scope = new FileScope();
let authority: TestAuthority;
let files: TestFiles;
let certificates: TlsInput['certificates'];

test.before(async () => {
  authority = await TestAuthority.create();
  files = new TestFiles(scope);
  certificates = [files.certificate('server', await authority.issue({ names: ['localhost'] }))];
});
test.after.always(() => scope.end());

function serve(t: ExecutionContext, tls: Partial<TlsInput> = {}): Promise<TestServer> {
  return startServer(t, {
    listeners: [{ address: '127.0.0.1:0', tls: { certificates, watch: false, ...tls } }],
    pools: { who },
  });
}

type Version = 'TLSv1.2' | 'TLSv1.3';

async function connect(port: number, maxVersion: Version, session?: Buffer): Promise<TLSSocket> {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    ca: authority.cert,
    servername: 'localhost',
    maxVersion,
    ...(session !== undefined && { session }),
  });
  await once(socket, 'secureConnect');
  return socket;
}

/** The session of a connection that has ended. */
async function sessionOf(port: number, version: Version): Promise<Buffer> {
  const socket = await connect(port, version);
  // In TLS 1.3, tickets arrive after the handshake.
  const session = version === 'TLSv1.3' ? (await once(socket, 'session'))[0] : socket.getSession();
  socket.destroy();
  return session as Buffer;
}

async function isResumed(port: number, version: Version, session: Buffer): Promise<boolean> {
  const socket = await connect(port, version, session);
  const resumed = socket.isSessionReused();
  socket.destroy();
  return resumed;
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a second connection resumes the session of the first over ${version}`, async (t) => {
    const { port } = await serve(t);
    t.true(await isResumed(port, version, await sessionOf(port, version)));
  });

  test(`servers with the same ticket keys resume each other’s sessions over ${version}`, async (t) => {
    const ticketKeys = files.write(`${version}.keys`, randomBytes(48));
    const [one, other, stranger] = await Promise.all([
      serve(t, { ticketKeys }),
      serve(t, { ticketKeys }),
      serve(t),
    ]);
    const session = await sessionOf(one.port, version);
    t.true(await isResumed(other.port, version, session));
    t.false(await isResumed(stranger.port, version, session));
  });

  test(`no session is resumed when resumption is switched off over ${version}`, async (t) => {
    const { port } = await serve(t, { sessionLifetimeSeconds: 0 });
    const socket = await connect(port, version);
    const session = socket.getSession();
    socket.destroy();
    t.false(session !== undefined && (await isResumed(port, version, session)));
  });

  test(`new ticket keys end earlier sessions over ${version}`, async (t) => {
    const ticketKeys = files.write(`${version}.rotated`, randomBytes(48));
    const { port, server, log } = await serve(t, { ticketKeys });
    const session = await sessionOf(port, version);
    files.write(`${version}.rotated`, randomBytes(48));
    await server.readCertificates();
    await log.until('certificates reloaded');
    t.false(await isResumed(port, version, session));
    t.true(await isResumed(port, version, await sessionOf(port, version)));
  });
}

test("a server's own ticket key is kept when its certificates change", async (t) => {
  const entry = files.certificate('changing', await authority.issue({ names: ['localhost'] }));
  const { port, server, log } = await serve(t, { certificates: [entry] });
  const session = await sessionOf(port, 'TLSv1.3');
  files.certificate('changing', await authority.issue({ names: ['localhost'] }));
  await server.readCertificates();
  await log.until('certificates reloaded');
  t.true(await isResumed(port, 'TLSv1.3', session));
});

test('the ticket key of a process is replaced as often as configured', async (t) => {
  const { port } = await serve(t, { ticketRotationMs: 1_000 });
  // A rotation may fall between a session and its first use; the next session is tried then. If none is ever
  // resumed, the test reaches its deadline.
  for (let resumptions = 0; resumptions === 0; ) {
    const session = await sessionOf(port, 'TLSv1.2');
    while (await isResumed(port, 'TLSv1.2', session)) resumptions++;
  }
  while (!(await isResumed(port, 'TLSv1.2', await sessionOf(port, 'TLSv1.2'))));
  t.pass();
});

test('clients are told how long a session can be resumed', async (t) => {
  const { port } = await serve(t, { sessionLifetimeSeconds: 1_234 });
  const running = run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2']);
  running.child.stdin?.end();
  t.regex((await running).stdout, /session ticket lifetime hint: 1234 \(seconds\)/);
});
