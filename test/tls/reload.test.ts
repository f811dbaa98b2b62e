/** New certificates for a running server: on SIGHUP, when files change, and when they are invalid. */

import { once } from 'node:events';
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import test from 'ava';
import { FileScope, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { startProcess } from '../server/process.ts';
import { TestAuthority, TestFiles } from './authority.ts';
import { seenIn, who } from './who.ts';

const scope = new FileScope();
let authority: TestAuthority;

test.before(async () => {
  authority = await TestAuthority.create();
});
test.after.always(() => scope.end());

function issue(subject: string) {
  return authority.issue({ subject, names: ['localhost'] });
}

async function connect(port: number): Promise<TLSSocket> {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    ca: authority.cert,
    servername: 'localhost',
    ALPNProtocols: ['h2'],
  });
  await once(socket, 'secureConnect');
  return socket;
}

async function subjectOn(port: number): Promise<string> {
  const socket = await connect(port);
  const subject = String(socket.getPeerX509Certificate()?.subject);
  socket.destroy();
  return subject;
}

test('after SIGHUP new connections get the new certificate, and old ones are left alone', async (t) => {
  const files = new TestFiles(t);
  const entry = files.certificate('c', await issue('before'));
  const child = startProcess(t, {
    listeners: [{ address: '127.0.0.1:0', tls: { certificates: [entry], watch: false } }],
    pools: { who },
  });
  const port = Number(new URL(await child.listening()).port);
  const socket = await connect(port);
  const session = await connectHttp2(t, `https://localhost:${port}`, { createConnection: () => socket });
  t.is(socket.getPeerX509Certificate()?.subject, 'CN=before');

  files.certificate('c', await issue('after'));
  child.child.kill('SIGHUP');
  await child.log.until('certificates reloaded');
  t.is(await subjectOn(port), 'CN=after');
  t.is(seenIn((await request(session, { ':path': '/' })).body).scheme, 'https');

  child.child.kill('SIGTERM');
  t.deepEqual(await child.ended, { code: 0, signal: null });
});

test('SIGHUP changes nothing if the files are the same, and the log says so', async (t) => {
  const files = new TestFiles(t);
  const entry = files.certificate('c', await issue('kept'));
  const { child, listening, log, ended } = startProcess(t, {
    listeners: [{ address: '127.0.0.1:0', tls: { certificates: [entry], watch: false } }],
    pools: { who },
  });
  const port = Number(new URL(await listening()).port);
  child.kill('SIGHUP');
  t.like(await log.until('certificates not reloaded: their files have not changed'), {
    level: 'info',
    where: '$.listeners[0].tls',
  });
  t.is(await subjectOn(port), 'CN=kept');
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
});

test('an invalid new certificate is refused with a line in the log, and the old one stays', async (t) => {
  const files = new TestFiles(t);
  const entry = files.certificate('c', await issue('good'));
  const { server, port, log } = await startServer(t, {
    listeners: [{ address: '127.0.0.1:0', tls: { certificates: [entry], watch: false } }],
    pools: { who },
  });
  files.write('c.pem', (await issue('without its key')).cert);
  await t.throwsAsync(server.readCertificates(), { code: 'SLUICE_CONFIG_INVALID' });
  const line = await log.until('certificates not reloaded');
  t.like(line, {
    level: 'error',
    code: 'SLUICE_TLS_KEY_MISMATCH',
    where: '$.listeners[0].tls.certificates[0].key',
  });
  t.is(await subjectOn(port), 'CN=good');

  files.certificate('c', await issue('better'));
  await server.readCertificates();
  await log.until('certificates reloaded');
  t.is(await subjectOn(port), 'CN=better');
});

test('a certificate replaced on disk is served without a signal', async (t) => {
  const files = new TestFiles(t);
  const entry = files.certificate('c', await issue('old'));
  const { port, log } = await startServer(t, {
    listeners: [{ address: '127.0.0.1:0', tls: { certificates: [entry] } }],
    pools: { who },
  });
  const next = files.certificate('next', await issue('new'));
  renameSync(next.cert, entry.cert);
  renameSync(next.key, entry.key);
  await log.until('certificates reloaded');
  t.is(await subjectOn(port), 'CN=new');
});

test('a directory that is swapped as a whole, as Kubernetes does, is noticed', async (t) => {
  const files = new TestFiles(t);
  for (const subject of ['old', 'new']) {
    const { cert, key } = files.certificate(subject, await issue(subject));
    const directory = join(files.directory, `..${subject}`);
    mkdirSync(directory);
    renameSync(cert, join(directory, 'tls.crt'));
    renameSync(key, join(directory, 'tls.key'));
  }
  const link = (name: string, target: string) => symlinkSync(target, join(files.directory, name));
  link('..data', '..old');
  link('tls.crt', '..data/tls.crt');
  link('tls.key', '..data/tls.key');
  const certificates = [{ cert: join(files.directory, 'tls.crt'), key: join(files.directory, 'tls.key') }];
  const { port, log } = await startServer(t, {
    listeners: [{ address: '127.0.0.1:0', tls: { certificates } }],
    pools: { who },
  });
  t.is(await subjectOn(port), 'CN=old');
  link('..next', '..new');
  renameSync(join(files.directory, '..next'), join(files.directory, '..data'));
  await log.until('certificates reloaded');
  t.is(await subjectOn(port), 'CN=new');
});
