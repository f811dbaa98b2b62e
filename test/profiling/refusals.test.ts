/** What `sluice profile` refuses, and its messages. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import anyTest from 'ava';
import { FileScope } from '../server/harness.ts';
import { type ProfiledServer, runProfile, startProfiledServer } from './profiled-server.ts';

const test = anyTest.serial;
const scope = new FileScope();
let server: ProfiledServer;

test.before(async () => {
  server = await startProfiledServer(scope, { maxSeconds: 300 });
});
test.after.always(() => scope.end());

const refusals: readonly (readonly [what: string, words: readonly string[], code: number, why: RegExp])[] = [
  [
    'an unknown thread: which there are',
    ['cpu', '--thread', 'render-9'],
    1,
    /expected one of the threads reactor, (?:light-1, render-1, render-2|render-1, render-2, light-1), got render-9 \[SLUICE_PROFILE_UNKNOWN_THREAD\]/,
  ],
  [
    'an unknown pool: which there are',
    ['heap', '--pool', 'nobody'],
    1,
    /expected one of the pools render, light, got nobody \[SLUICE_PROFILE_UNKNOWN_POOL\]/,
  ],
  [
    'longer than is allowed',
    ['cpu', '--seconds', '301'],
    1,
    /expected at most 300 seconds \(profiling\.maxSeconds\), got 301 \[SLUICE_PROFILE_WRONG_REQUEST\]/,
  ],
  ['a snapshot of no thread: which there are', ['heap-snapshot'], 1, /--thread.* light-1/],
  [
    'a snapshot of the reactor, whose heap has no application in it',
    ['heap-snapshot', '--thread', 'reactor'],
    1,
    /SLUICE_PROFILE_UNKNOWN_THREAD/,
  ],
  ['no kind', [], 2, /expected one of cpu, heap, heap-snapshot, got none/],
  ['a kind that there is not', ['cup'], 2, /did you mean cpu\?/],
  ['an unknown flag', ['cpu', '--every'], 2, /--every/],
  ['no time', ['cpu', '--seconds', '0'], 2, /--seconds: expected a number above 0, got 0/],
];

for (const [what, words, expected, why] of refusals) {
  test(`refused: ${what}`, async (t) => {
    const { code, stderr, files } = await runProfile(t, server, words).ended;
    t.regex(stderr, why);
    t.is(code, expected);
    t.deepEqual(files, [], 'nothing is left behind');
  });
}

test('a second profile is refused while one runs, and the first continues', async (t) => {
  const first = runProfile(t, server, ['cpu', '--no-clinic']);
  await first.running;
  const second = await runProfile(t, server, ['heap']).ended;
  t.is(second.code, 1);
  t.regex(second.stderr, /a profile is already running; only one can run at a time \[SLUICE_PROFILE_BUSY\]/);
  t.is((await first.interrupt()).code, 0);
});

test('a folder that is not empty is not written to, and the server is not asked', async (t) => {
  const folder = join(server.folder, 'full');
  mkdirSync(folder);
  writeFileSync(join(folder, 'mine'), '');
  const command = runProfile(t, server, ['cpu', '--output', folder]);
  const { code, stderr } = await command.ended;
  t.is(code, 1);
  t.regex(stderr, /--output: expected a folder that is empty or does not exist, .* contains mine/);
  t.is(server.log.count('profile starts'), 1);
});

test('without a server the command says where it looked', async (t) => {
  const config = join(server.folder, 'other.json');
  writeFileSync(
    config,
    JSON.stringify({
      control: { path: join(server.folder, 'nobody.sock') },
      pools: { any: { application: './any.ts' } },
      routes: [{ path: '/*', pool: 'any' }],
    }),
  );
  const { code, stderr } = await runProfile(t, { config, folder: server.folder }, ['cpu']).ended;
  t.is(code, 1);
  t.regex(stderr, /nobody\.sock: expected the control socket of a server that runs/);
});
