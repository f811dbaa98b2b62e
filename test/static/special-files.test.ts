/** Names below the root that are not regular files: they are refused, and opening them blocks nothing. */
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { makeDirectory } from './directory.ts';

const onPosix = process.platform === 'win32' ? test.skip : test;

onPosix('named pipes, sockets and devices are answered 403 at once, wherever a file could be', async (t) => {
  const directory = makeDirectory(t);
  const path = (name: string) => join(directory.root, name);
  directory.write('a.css', 'a { color: red }');
  directory.write('folder/unused', '');
  execFileSync('mkfifo', [path('pipe'), path('a.css.gz'), path('folder/index.html')]);
  const socket = createServer().listen(path('socket'));
  t.teardown(() => socket.close());
  directory.link('link-to-pipe', 'pipe');
  directory.link('zero', '/dev/zero');
  directory.link('terminal', '/dev/tty');
  const { origin } = await startServer(t, {
    pools: {},
    routes: [{ path: '/*', static: { root: directory.root, symlinks: 'anywhere', threads: 1 } }],
  });
  const session = await connectHttp2(t, origin);
  const names = ['pipe', 'link-to-pipe', 'socket', 'zero', 'terminal', 'folder/'];
  const statuses = await Promise.all(
    // More than libuv has threads.
    Array.from({ length: 8 }, () => names)
      .flat()
      .map(async (name) => (await request(session, { ':path': `/${name}` })).status),
  );
  t.deepEqual([...new Set(statuses)], [403]);
  const { body, headers } = await request(session, { ':path': '/a.css', 'accept-encoding': 'gzip' });
  t.is(body.toString(), 'a { color: red }');
  t.is(headers['content-encoding'], undefined);
});
