/**
 * TLS files that are not regular files: nothing waits for them at the start, during a reload, or at the end.
 */
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, truncateSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileReader } from '../../runtime/tls/file-reader.ts';
import { maxTlsFileBytes, readTlsFile } from '../../runtime/tls/files.ts';
import { application, configInput, FileScope } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { makePipe } from '../server/pipes.ts';
import { startProcess } from '../server/process.ts';
import { TestAuthority, TestFiles } from './authority.ts';
import { who } from './who.ts';

const onPosix = process.platform === 'win32' ? test.skip : test;
const onLinux = process.platform === 'linux' ? test : test.skip;
const cli = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));
const NEVER = new AbortController().signal;
const scope = new FileScope();
let authority: TestAuthority;

test.before(async () => {
  authority = await TestAuthority.create();
});
test.after.always(() => scope.end());

function issue(subject: string) {
  return authority.issue({ subject, names: ['localhost'] });
}

async function connectTo(port: number): Promise<TLSSocket> {
  const options = { port, host: '127.0.0.1', ca: authority.cert, servername: 'localhost' };
  const socket = connect({ ...options, ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  return socket;
}

onPosix('a pipe, a socket, a device and a directory are no files', (t) => {
  const { directory } = new TestFiles(t);
  const server = createServer().listen(join(directory, 'socket'));
  t.teardown(() => server.close());
  t.throws(() => readTlsFile(makePipe(t).path), { message: 'it is a pipe and no regular file' });
  t.throws(() => readTlsFile('/dev/zero'), { message: 'it is a device and no regular file' });
  t.throws(() => readTlsFile(directory), { message: 'it is a directory and no regular file' });
  t.throws(() => readTlsFile(join(directory, 'socket')), { code: 'ENXIO' });
});

test('files of up to 16 MiB are read', (t) => {
  const path = new TestFiles(t).write('large', '');
  truncateSync(path, maxTlsFileBytes);
  t.is(readTlsFile(path).length, maxTlsFileBytes);
  truncateSync(path, maxTlsFileBytes + 1);
  t.throws(() => readTlsFile(path), { message: 'it has more than 16777216 bytes' });
});

onLinux('a file that claims to be empty is read to its end', (t) => {
  t.true(readTlsFile('/proc/self/status').length > 0);
});

onPosix('start and check end with 2 when a certificate is a pipe', async (t) => {
  const files = new TestFiles(t);
  const { key } = files.certificate('c', await issue('c'));
  const certificates = [{ cert: makePipe(t).path, key }];
  const listeners = [{ address: '127.0.0.1:0', tls: { certificates } }];
  const file = files.write('a.json', JSON.stringify({ ...configInput({ pools: { who } }), listeners }));
  for (const command of ['check', 'start']) {
    const child = execFile(process.execPath, [cli, command, '-c', file]);
    let errors = '';
    child.stderr?.on('data', (text: string) => {
      errors += text;
    });
    const [code] = await once(child, 'close');
    t.is(code, 2);
    t.regex(
      errors,
      /certificates\[0\]\.cert: .* it is a pipe and no regular file.* \[SLUICE_TLS_UNREADABLE\]/,
    );
  }
});

onPosix(
  'a certificate that a pipe has taken the place of is refused at a reload, and nobody waits',
  async (t) => {
    const files = new TestFiles(t);
    const entry = files.certificate('c', await issue('before'));
    const { child, log, listening, ended } = startProcess(t, {
      listeners: [{ address: '127.0.0.1:0', tls: { certificates: [entry], watch: false } }],
      pools: { who },
    });
    const port = Number(new URL(await listening()).port);
    const pipe = join(files.directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    renameSync(pipe, entry.cert);
    child.kill('SIGHUP');
    t.like(await log.until('certificates not reloaded'), { code: 'SLUICE_TLS_UNREADABLE' });
    t.regex(String(log.find('certificates not reloaded')?.msg), /it is a pipe/);
    const socket = await connectTo(port);
    t.is(socket.getPeerX509Certificate()?.subject, 'CN=before');
    socket.destroy();

    unlinkSync(entry.cert);
    files.certificate('c', await issue('after'));
    child.kill('SIGHUP');
    await log.until('certificates reloaded');
    child.kill('SIGTERM');
    t.deepEqual(await ended, { code: 0, signal: null });
    t.is(log.find('threads did not end in time'), undefined);
  },
);

onPosix("certificates are reloaded while an application has taken all of libuv's threads", async (t) => {
  const files = new TestFiles(t);
  const entry = files.certificate('c', await issue('before'));
  const pools = { blocking: { application: application('faults', 'blocking'), threads: { max: 1 } } };
  const listeners = [{ address: '127.0.0.1:0', tls: { certificates: [entry], watch: false } }];
  const input = { listeners, pools, drainTimeoutMs: 100 };
  const { child, log, listening } = startProcess(t, input, [], { UV_THREADPOOL_SIZE: '4' });
  const port = Number(new URL(await listening()).port);
  const socket = await connectTo(port);
  const session = await connectHttp2(t, 'https://localhost', { createConnection: () => socket });
  await request(session, { ':path': `/read?times=8&pipe=${makePipe(t).path}` });

  files.certificate('c', await issue('after'));
  child.kill('SIGHUP');
  await log.until('certificates reloaded');
  const next = await connectTo(port);
  t.is(next.getPeerX509Certificate()?.subject, 'CN=after');
  next.destroy();
});

onPosix('a reading that hangs is given up, and holds one thread until its disk answers', async (t) => {
  const pipe = makePipe(t);
  const file = new TestFiles(t).write('a', 'content');
  const reader = new FileReader(new URL('./applications/hanging-reader.ts', import.meta.url));
  const giveUp = new AbortController();
  const reading = reader.read([pipe.path], giveUp.signal);
  await pipe.opened();
  giveUp.abort();
  const late = await reading;
  t.throws(() => late(pipe.path), { message: 'it was not read in time' });
  const next = await reader.read([file], NEVER);
  t.throws(() => next(file), { message: /the reading before still waits for its disk/ });
});

test('the thread returns files as they are on disk, and an error for each that cannot be read', async (t) => {
  const files = new TestFiles(t);
  const one = files.write('one', 'content');
  const missing = join(files.directory, 'missing');
  const read = await new FileReader().read([missing, one], NEVER);
  t.is(read(one).toString(), 'content');
  t.throws(() => read(missing), { message: /^ENOENT: no such file or directory/ });
  t.throws(() => read('never asked for'), { message: 'it was not read' });
});

test('a thread that fails reports an error for every file', async (t) => {
  const reader = new FileReader(new URL('./applications/missing.ts', import.meta.url));
  const read = await reader.read(['a'], NEVER);
  t.throws(() => read('a'), { message: /^no thread could read it: / });
});
