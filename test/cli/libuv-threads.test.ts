/** How many threads libuv starts, which it does when the first thing is handed to it. */
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { libuvThreads } from '../../runtime/cli/libuv-threads.ts';
import { parseConfig } from '../../runtime/config/load.ts';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { application } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { startProcess } from '../server/process.ts';

const blocking = application('faults', 'blocking');

function threadsOf(pools: ConfigInput['pools'], variable?: string) {
  const routes = [{ path: '/files/*', static: { root: '.' } }];
  const config = parseConfig(JSON.stringify({ pools, routes }), 'test.config.json');
  return libuvThreads(config, { UV_THREADPOOL_SIZE: variable });
}

test('libuv gets four threads and one for each application thread, at most 64; file threads need none', (t) => {
  const pool = (max: number) => ({ application: blocking, threads: { max } });
  t.deepEqual(threadsOf({}), { count: 4, isSet: false });
  t.deepEqual(threadsOf({ a: pool(3), b: pool(5) }), { count: 12, isSet: false });
  t.deepEqual(threadsOf({ a: pool(60) }), { count: 64, isSet: false });
  t.deepEqual(threadsOf({ a: pool(61) }), { count: 64, isSet: false });
});

test('a value that is set stays, and is reported as libuv reads it', (t) => {
  t.deepEqual(threadsOf({}, ''), { count: 4, isSet: false });
  for (const [text, count] of [
    ['1', 1],
    ['128', 128],
    ['5000', 1_024],
    ['-1', 1_024],
    ['0', 1],
    ['many', 1],
  ] as const) {
    t.deepEqual(threadsOf({}, text), { count, isSet: true }, text);
  }
});

// Threads are counted in /proc, which Linux has.
const onLinux = process.platform === 'linux' ? test : test.skip;

for (const [variable, count] of [
  ['', 4 + 3],
  ['2', 2],
] as const) {
  onLinux(
    `with UV_THREADPOOL_SIZE ${variable || 'unset'} a server with three application threads has ${count} of libuv`,
    async (t) => {
      const pools = { blocking: { application: blocking, threads: { min: 1, max: 3 } } };
      const { child, listening } = startProcess(t, { pools }, [], { UV_THREADPOOL_SIZE: variable });
      const session = await connectHttp2(t, await listening());
      t.is((await request(session, { ':path': '/hash?times=1' })).status, 200);
      const tasks = `/proc/${child.pid}/task`;
      const names = readdirSync(tasks).map((task) => readFileSync(`${tasks}/${task}/comm`, 'utf8').trim());
      t.is(names.filter((name) => name === 'libuv-worker').length, count);
    },
  );
}
