/** What the command line is told when there is nobody to ask, or somebody else. */
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { ControlClient } from '../../runtime/control/client.ts';
import { connectControl } from '../../runtime/control/find.ts';
import { configOf, ownFolder, startControl } from './control-server.ts';

const isRoot = process.getuid?.() === 0;

test('no server runs', async (t) => {
  const base = ownFolder(t);
  const file = join(base, 'runtime.config.json');
  await t.throwsAsync(connectControl(configOf({}, file)), {
    code: 'SLUICE_CONTROL_NO_SERVER',
    message: new RegExp(`^${file}: expected a server that runs it.*, found none; start it,`),
  });
  const path = join(base, 'c.sock');
  await t.throwsAsync(connectControl(configOf({ path }, file)), {
    code: 'SLUICE_CONTROL_NO_SERVER',
    message: /got no such file; start the server/,
  });
  spawnSync(process.execPath, [
    '-e',
    `require('node:net').createServer().listen('${path}', () => process.kill(process.pid, 'SIGKILL'))`,
  ]);
  await t.throwsAsync(connectControl(configOf({ path }, file)), {
    code: 'SLUICE_CONTROL_NO_SERVER',
    message: /nobody listens on/,
  });
});

test('the configuration has no control socket', async (t) => {
  await t.throwsAsync(connectControl(configOf({ enabled: false }, '/nowhere/runtime.config.json')), {
    code: 'SLUICE_CONTROL_DISABLED',
    message: /control\.enabled is false/,
  });
});

test('another version answers, or no control socket at all', async (t) => {
  const path = join(ownFolder(t), 'c.sock');
  const server = createHttp2Server();
  let fields: Record<string, string> = { 'sluice-control': '99', 'sluice-version': '9.0.0' };
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200, ...fields });
    stream.end();
  });
  server.listen(path);
  t.teardown(() => server.close());
  const client = await ControlClient.open(path);
  t.teardown(() => client.close());
  await t.throwsAsync(client.ask('GET', '/status'), {
    code: 'SLUICE_CONTROL_OTHER_VERSION',
    message:
      /speaks version 1, as this Sluice .* got 99, of Sluice 9\.0\.0; run the command of the server's own/,
  });
  fields = {};
  await t.throwsAsync(client.ask('GET', '/status'), {
    code: 'SLUICE_CONTROL_OTHER_VERSION',
    message: /what is no control socket of Sluice/,
  });
});

test('what answers speaks no HTTP/2', async (t) => {
  const path = join(ownFolder(t), 'c.sock');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('220 mail.example ESMTP\r\n');
  }).listen(path);
  t.teardown(() => server.close());
  const asked = async (): Promise<unknown> => {
    const client = await ControlClient.open(path);
    t.teardown(() => client.close());
    return client.ask('GET', '/status');
  };
  await t.throwsAsync(asked, { code: 'SLUICE_CONTROL_OTHER_VERSION', message: /does not speak HTTP\/2/ });
});

test('as many connections are open as there may be', async (t) => {
  const { path, client } = await startControl(t, ownFolder(t), { maxConnections: 1 });
  await client();
  await t.throwsAsync(ControlClient.open(path), {
    code: 'SLUICE_CONTROL_UNAVAILABLE',
    message: /as many connections are open as control\.maxConnections allows/,
  });
});

(isRoot ? test : test.skip)('another user may not ask (root can become one)', async (t) => {
  const base = ownFolder(t);
  const { path } = await startControl(t, base, { path: join(base, 'own', 'c.sock') });
  chmodSync(base, 0o755);
  const script = join(base, 'ask.mjs');
  writeFileSync(
    script,
    `import { connect } from 'node:net';
    connect(${JSON.stringify(path)}).on('error', ({ code }) => console.log(code)).on('connect', () => console.log('connected'));`,
  );
  const { stdout } = spawnSync(process.execPath, [script], { uid: 65_534, gid: 65_534, encoding: 'utf8' });
  t.is(stdout, 'EACCES\n');
});
