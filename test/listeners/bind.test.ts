/** Addresses that a server binds to: free, in use, or left behind by a killed process. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type BindAddress, bind } from '../../runtime/listeners/bind.ts';
import { ListenError } from '../../runtime/listeners/listen-error.ts';
import { passedSockets } from '../../runtime/listeners/socket-activation.ts';

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-bind-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

function server(t: ExecutionContext): Server {
  const created = createServer((socket) => socket.destroy());
  t.teardown(() => created.close());
  return created;
}

function unix(path: string): BindAddress {
  return { kind: 'unix', address: `unix:${path}`, path };
}

const loopback: BindAddress = { kind: 'tcp', address: '127.0.0.1:0', host: '127.0.0.1', port: 0 };

test('port 0 takes a free port and reports it', async (t) => {
  const bound = await bind(server(t), loopback, null);
  t.like(bound, { host: '127.0.0.1', path: null });
  t.true(bound.port > 0);
});

test('a port that is in use is an error with a stable code that names the address', async (t) => {
  const { port } = await bind(server(t), loopback, null);
  const address = { ...loopback, port, address: `127.0.0.1:${port}` } as BindAddress;
  const error = await t.throwsAsync(bind(server(t), address, null), { instanceOf: ListenError });
  t.is(error?.code, 'SLUICE_LISTEN_FAILED');
  t.regex(
    error?.message ?? '',
    new RegExp(`127\\.0\\.0\\.1:${port}: .*a process listens on \\(EADDRINUSE\\)`),
  );
});

test('a Unix domain socket has its configured permissions from the moment it exists', async (t) => {
  for (const permissions of [0o600, 0o660, 0o666]) {
    const path = join(directory(t), 's');
    const before = process.umask();
    t.deepEqual(await bind(server(t), unix(path), permissions), { host: null, port: 0, path });
    t.is(statSync(path).mode & 0o777, permissions);
    t.is(process.umask(), before);
  }
});

test('a Unix domain socket on which a process listens is left alone', async (t) => {
  const path = join(directory(t), 's');
  await bind(server(t), unix(path), null);
  await t.throwsAsync(bind(server(t), unix(path), null), { message: /a socket that a process listens on/ });
  const client = createConnection(path);
  await once(client, 'connect');
  client.destroy();
});

test('the socket that a killed process left behind is replaced', async (t) => {
  const path = join(directory(t), 's');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.true(existsSync(path));
  t.like(await bind(server(t), unix(path), null), { path });
});

test('a file that is not a socket is never removed', async (t) => {
  const path = join(directory(t), 's');
  writeFileSync(path, 'precious');
  await t.throwsAsync(bind(server(t), unix(path), null), { message: /a file that is no socket/ });
  t.true(existsSync(path));
});

test('a path whose directory is missing is an error that says so', async (t) => {
  const path = join(directory(t), 'none', 's');
  await t.throwsAsync(bind(server(t), unix(path), null), {
    instanceOf: ListenError,
    code: 'SLUICE_LISTEN_FAILED',
  });
});

test('a descriptor that is not open is an error that names it', async (t) => {
  const target = { kind: 'fd', address: 'fd:999', fd: 999 } as const;
  await t.throwsAsync(bind(server(t), target, null), { instanceOf: ListenError, message: /fd:999/ });
});

const passed = { LISTEN_FDS: '3', LISTEN_PID: '42', LISTEN_FDNAMES: 'web:admin:web' };

test('sockets from systemd are found by name, in order, from descriptor 3 on', (t) => {
  const fds = (name: string) =>
    passedSockets({ kind: 'systemd', address: `systemd:${name}`, name }, passed, 42);
  t.deepEqual(fds('web'), [3, 5]);
  t.deepEqual(fds('admin'), [4]);
  t.deepEqual(fds('*'), [3, 4, 5]);
});

test('missing systemd sockets, or those for another process, are an error', (t) => {
  const find = (environment: object, name = 'web') =>
    passedSockets({ kind: 'systemd', address: `systemd:${name}`, name }, { ...environment }, 42);
  t.throws(() => find({}), { message: /LISTEN_FDS is not set/ });
  t.throws(() => find({ ...passed, LISTEN_PID: '41' }), { message: /for process 41: start node itself/ });
  t.throws(() => find(passed, 'other'), { message: /a socket named other, got web, admin, web/ });
  t.throws(() => find({ LISTEN_FDS: '1', LISTEN_PID: '42' }), { message: /got none with a name/ });
  t.throws(() => find({ LISTEN_FDS: 'many', LISTEN_PID: '42' }), { code: 'SLUICE_LISTEN_FAILED' });
});
