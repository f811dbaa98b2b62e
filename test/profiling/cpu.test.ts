/** `sluice profile cpu` against a server under load: the content of its files. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import anyTest from 'ava';
import { FileScope } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import {
  type ProfiledServer,
  readProfile,
  runProfile,
  selfUs,
  startProfiledServer,
} from './profiled-server.ts';

// A server runs one profile at a time.
const test = anyTest.serial;
const scope = new FileScope();
let server: ProfiledServer;
const threads = ['reactor', 'light-1', 'render-1', 'render-2'];

test.before(async () => {
  server = await startProfiledServer(scope);
});
test.after.always(() => scope.end());

/** The number of concurrent requests; each must be answered. */
async function load(path: string, count: number): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => requestHttp1(server.origin + path)));
  return answers.map(({ status }) => status);
}

test('each thread has a profile under its name, and a hot function appears in those of the threads that ran it', async (t) => {
  const command = runProfile(t, server, ['cpu', '--no-clinic']);
  // Requests are open both when the profile begins and when it ends.
  const before = load('/render/hot/30', 8);
  await command.running;
  const statuses = await load('/render/hot/30', 24);
  const after = load('/render/hot/30', 8);
  const { code, stdout, files } = await command.interrupt();
  t.is(code, 0);
  t.deepEqual(new Set([...statuses, ...(await before), ...(await after)]), new Set([200]));
  const profiles = threads.map((thread) => `${thread}.cpuprofile`);
  t.deepEqual(files, [...profiles, 'profile.clinic-flame', 'profile.html'].sort());
  t.true(stdout.startsWith(join(command.output, 'profile.html')));
  for (const thread of threads) {
    const profile = readProfile(command.output, thread);
    const hotUs = selfUs(profile, 'hotFunction');
    t.is(hotUs > 20_000, thread.startsWith('render-'), `${thread} was in hotFunction for ${hotUs} µs`);
    t.true(
      profile.timeDeltas.every((us) => us >= 0),
      'no time runs backwards',
    );
  }
});

test('only the user who asked can read the files', async (t) => {
  const command = runProfile(t, server, ['cpu', '--no-clinic']);
  await command.running;
  await load('/render/hot/50', 4);
  const { files } = await command.interrupt();
  const modeOf = (path: string) => statSync(path).mode & 0o777;
  t.is(modeOf(command.output), 0o700);
  for (const file of files) {
    t.is(modeOf(join(command.output, file)), file === 'profile.clinic-flame' ? 0o700 : 0o600, file);
  }
});

test('a thread that is in one long computation is profiled', async (t) => {
  const release = join(server.folder, 'release');
  const computes = Promise.withResolvers<void>();
  const ends = Promise.withResolvers<void>();
  get(`${server.origin}/light/long/${encodeURIComponent(release)}`, (response) => {
    response.on('data', () => computes.resolve());
    response.on('end', () => ends.resolve());
  });
  await computes.promise;
  // The thread computes from before the profile begins until after it has ended.
  const command = runProfile(t, server, ['cpu', '--no-clinic']);
  await command.running;
  await load('/render/hot/20', 20);
  const { code } = await command.interrupt();
  writeFileSync(release, '');
  await ends.promise;
  t.is(code, 0);
  const profile = readProfile(command.output, 'light-1');
  const us = selfUs(profile, 'hotFunction') + selfUs(profile, 'longComputation');
  t.true(us > 20_000, `it was seen computing for ${us} µs`);
});

test('a pool’s threads, or one thread, are profiled alone on request', async (t) => {
  const ofPool = runProfile(t, server, ['cpu', '--no-clinic', '--pool', 'render']);
  await ofPool.running;
  await load('/render/hot/30', 6);
  const pool = await ofPool.interrupt();
  t.deepEqual(
    pool.files.filter((file) => file.endsWith('.cpuprofile')),
    ['render-1.cpuprofile', 'render-2.cpuprofile'],
  );
  const ofThread = runProfile(t, server, ['cpu', '--no-clinic', '--thread', 'reactor']);
  await ofThread.running;
  await load('/render/hot/30', 6);
  const thread = await ofThread.interrupt();
  t.deepEqual(
    thread.files.filter((file) => file.endsWith('.cpuprofile')),
    ['reactor.cpuprofile'],
  );
});

test('the profile of an idle server says that nothing ran, and does not call clinic', async (t) => {
  const command = runProfile(t, server, ['cpu', '--seconds', '2']);
  const { code, stderr, files } = await command.ended;
  t.is(code, 0);
  t.regex(stderr, /nothing ran: the threads were idle all the time/);
  t.false(files.includes('profile.clinic-flame'));
});

test('the page carries the exchanges with their waits', async (t) => {
  const command = runProfile(t, server, ['cpu', '--no-clinic']);
  await command.running;
  await load('/render/hot/20', 24);
  await command.interrupt();
  const html = readFileSync(join(command.output, 'profile.html'), 'utf8');
  const data = JSON.parse(/id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? '');
  t.true(data.exchanges.labels.includes('GET /render/hot/20'));
  t.deepEqual(data.exchanges.pools, ['render']);
  t.deepEqual(
    data.lanes.map(({ name }: { name: string }) => name),
    ['light-1', 'render-1', 'render-2', 'reactor'],
  );
});
