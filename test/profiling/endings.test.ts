/**
 * What a profile contains if something ends meanwhile: a thread, the command, the server, the space on the
 * disk.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import anyTest from 'ava';
import { requestHttp1 } from '../server/http1-client.ts';
import { heavy, readProfile, runProfile, selfUs, startProfiledServer } from './profiled-server.ts';

// Each test has a server of its own; several at once would be too much for two cores.
const test = anyTest.serial;
const one = { render: { application: heavy, threads: { min: 1, max: 1 }, validate: false } };

for (const [doing, why] of [
  ['exit', /ended while the profile ran: Error: worker exited with code: 7/],
  ['throw', /ended while the profile ran: Error: thrown on purpose/],
] as const) {
  test(`a thread that ends by ${doing} keeps its samples, with the reason; its successor joins`, async (t) => {
    const server = await startProfiledServer(t, {}, one);
    const command = runProfile(t, server, ['cpu', '--no-clinic']);
    await command.running;
    t.is((await requestHttp1(`${server.origin}/render/hot/200`)).status, 200);
    t.is((await requestHttp1(`${server.origin}/render/${doing}`)).status, 502);
    await server.log.until('thread started', ({ thread }) => thread === 'render-2');
    t.is((await requestHttp1(`${server.origin}/render/hot/1500`)).status, 200);
    const { code, stderr } = await command.interrupt();
    t.is(code, 0);
    t.regex(stderr, why);
    t.regex(stderr, /render-2: began while the profile ran/);
    for (const thread of ['render-1', 'render-2']) {
      t.true(selfUs(readProfile(command.output, thread), 'hotFunction') > 20_000, thread);
    }
  });
}

test('a pool that a reload brings joins the running profile', async (t) => {
  const server = await startProfiledServer(t, {}, one);
  const command = runProfile(t, server, ['cpu', '--no-clinic']);
  await command.running;
  const config = JSON.parse(readFileSync(server.file, 'utf8'));
  config.pools.extra = { ...config.pools.render, minUptimeMs: 0 };
  config.routes.push({ path: '/extra/*', pool: 'extra' });
  writeFileSync(server.file, JSON.stringify(config));
  server.child.kill('SIGHUP');
  await server.log.until('reloaded: ');
  t.is((await requestHttp1(`${server.origin}/extra/hot/1500`)).status, 200);
  const { code, stderr } = await command.interrupt();
  t.is(code, 0);
  t.regex(stderr, /extra-1: began while the profile ran/);
  t.true(selfUs(readProfile(command.output, 'extra-1'), 'hotFunction') > 20_000);
  // Its exchanges are drawn with the others.
  t.true(readFileSync(join(command.output, 'profile.html'), 'utf8').includes('"GET /extra/hot/1500"'));
});

test('a command that disconnects ends its profile, and the next one may profile', async (t) => {
  const server = await startProfiledServer(t);
  const gone = runProfile(t, server, ['cpu']);
  await gone.running;
  gone.child.kill('SIGKILL');
  await server.log.until('profile ended');
  const next = runProfile(t, server, ['cpu', '--no-clinic']);
  await next.running;
  t.is((await requestHttp1(`${server.origin}/render/hot/100`)).status, 200);
  const { code, files } = await next.interrupt();
  t.is(code, 0);
  t.true(files.includes('profile.html'));
  t.is(server.log.count('thread died'), 0);
});

test('a server that is told to stop delivers what it has, and ends as usual', async (t) => {
  const server = await startProfiledServer(t);
  const command = runProfile(t, server, ['cpu', '--no-clinic']);
  await command.running;
  t.is((await requestHttp1(`${server.origin}/render/hot/200`)).status, 200);
  server.child.kill('SIGTERM');
  const { code, stderr, files } = await command.ended;
  t.regex(stderr, /the server was told to stop, which ended the profile/);
  t.is(code, 0);
  t.true(files.includes('render-1.cpuprofile'));
  t.deepEqual(await server.ended, { code: 0, signal: null });
  t.is(server.errors(), '');
});

test('a killed server is reported, and no page is made without data', async (t) => {
  const server = await startProfiledServer(t);
  const command = runProfile(t, server, ['cpu', '--no-clinic']);
  await command.running;
  server.child.kill('SIGKILL');
  const { code, stderr, files } = await command.ended;
  t.is(code, 1);
  t.regex(stderr, /the server ended while the profile ran: this is what it had sent by then/);
  t.deepEqual(files, []);
});

test('a second signal ends a server that is profiled at once', async (t) => {
  const server = await startProfiledServer(t);
  const command = runProfile(t, server, ['cpu', '--no-clinic']);
  await command.running;
  // A thread that does not end by itself keeps the server draining.
  void requestHttp1(`${server.origin}/render/long/${encodeURIComponent('/nowhere')}`).catch(() => undefined);
  server.child.kill('SIGTERM');
  await server.log.until('draining');
  server.child.kill('SIGTERM');
  t.deepEqual(await server.ended, { code: 143, signal: null });
  await command.ended;
});

test('without room on the disk the file is named, and the server continues', async (t) => {
  const server = await startProfiledServer(t);
  // The largest file, in blocks of 512 bytes: the system refuses more, as on a full disk.
  const command = runProfile(t, server, ['heap-snapshot', '--thread', 'render-1'], 'ulimit -f 16; exec "$@"');
  const { code, stderr } = await command.ended;
  t.is(code, 1);
  t.regex(stderr, /render-1\.heapsnapshot: there is no room for it \(EFBIG\)/);
  await server.log.until('profile ended');
  t.is((await requestHttp1(`${server.origin}/render/hot/1`)).status, 200);
  t.is(server.log.count('thread died'), 0);
});

/**
 * Mounts a file system of 4 KiB at the command's output, in a mount namespace of its own that ends with the
 * command.
 */
const UNSHARE = ['unshare', ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']), '--mount'];
const MOUNT = 'mkdir "$OUTPUT" && mount -t tmpfs -o size=4k tmpfs "$OUTPUT"';
const mayMount =
  spawnSync('sh', [
    '-c',
    `d=$(mktemp -d) && OUTPUT=$d/o ${UNSHARE.join(' ')} sh -c '${MOUNT}'; s=$?; rm -r $d; exit $s`,
  ]).status === 0;
const onSmallDisk = mayMount ? test : test.skip;

for (const [words, file] of [
  [['heap-snapshot', '--thread', 'render-1'], 'render-1.heapsnapshot'],
  [['heap', '--no-clinic'], '.heapprofile'],
  [['cpu', '--no-clinic'], '.cpuprofile'],
] as const) {
  // Skipped if this user may not mount.
  onSmallDisk(`full disk: ${words[0]} names the file, and the server continues`, async (t) => {
    const server = await startProfiledServer(t);
    const shell = `exec ${UNSHARE.join(' ')} sh -c '${MOUNT} && exec "$@"' sh "$@"`;
    const command = runProfile(t, server, words, shell);
    if (words[0] !== 'heap-snapshot') {
      await command.running;
      for (const path of ['keep', 'hot/40']) await requestHttp1(`${server.origin}/render/${path}`);
      await command.interrupt();
    }
    const { code, stderr } = await command.ended;
    t.is(code, 1, stderr);
    t.true(stderr.includes(`${file}: there is no room for it (ENOSPC)`), stderr);
    await server.log.until('profile ended');
    t.is((await requestHttp1(`${server.origin}/render/hot/1`)).status, 200);
    t.is(server.log.count('thread died'), 0);
  });
}

test('a profile that would send more than profiling.maxBytes ends there', async (t) => {
  const server = await startProfiledServer(t, { maxBytes: 1_048_576 });
  const command = runProfile(t, server, ['heap-snapshot', '--thread', 'render-1']);
  const { code, stderr, files } = await command.ended;
  t.is(code, 1);
  t.regex(stderr, /it reached profiling\.maxBytes/);
  t.deepEqual(files, []);
  t.is((await requestHttp1(`${server.origin}/render/hot/1`)).status, 200);
});

test('a snapshot of a computing thread waits for the thread, and can be given up', async (t) => {
  const server = await startProfiledServer(t, {}, one);
  const release = join(server.folder, 'release');
  const computes = Promise.withResolvers<void>();
  const ends = Promise.withResolvers<void>();
  get(`${server.origin}/render/long/${encodeURIComponent(release)}`, (response) => {
    response.on('data', () => computes.resolve());
    response.on('end', () => ends.resolve());
  });
  await computes.promise;
  const command = runProfile(t, server, ['heap-snapshot', '--thread', 'render-1']);
  await command.running;
  const { code, files } = await command.interrupt();
  t.is(code, 1);
  t.deepEqual(files, []);
  writeFileSync(release, '');
  await ends.promise;
  t.is((await requestHttp1(`${server.origin}/render/hot/1`)).status, 200);
});
