/** `sluice check --load`: what a start would find of the modules, without a server. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { ownFolder } from '../control/control-server.ts';

const actors = new URL('../../workers/actors/actors.ts', import.meta.url).href;
const command = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));

function check(folder: string): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const words = [command, 'check', '--load'];
    const child = execFile(process.execPath, words, { cwd: folder }, (_error, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
}

test('each pool that does not load is reported with file and line; the others have started, called actors of other pools, and stopped', async (t) => {
  const folder = ownFolder(t);
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write(
    'fine.mjs',
    `import { actor } from '${actors}';
    const counter = actor('counter');
    const start = async () => console.log('started', await counter.add(1));
    export default { start, stop: () => console.log('stopped'), fetch: () => new Response() };`,
  );
  write('counter.mjs', 'export class Counter { #n = 0; add(by) { return (this.#n += by); } }');
  write('throws.mjs', `\n\nthrow new Error('not today');`);
  write('exports-nothing.mjs', 'export const answer = 42;');
  const pools = Object.fromEntries(
    ['fine', 'throws', 'exports-nothing'].map((name) => [
      name,
      { application: `./${name}.mjs`, threads: { min: 1, max: 2 }, startTimeoutMs: 60_000 },
    ]),
  );
  const routes = Object.keys(pools).map((pool) => ({ path: `/${pool}`, pool }));
  const configure = (names: readonly string[]) =>
    write(
      'runtime.config.json',
      JSON.stringify({
        pools: {
          ...Object.fromEntries(names.map((name) => [name, pools[name]])),
          state: { module: './counter.mjs' },
        },
        actors: { counter: { pool: 'state', export: 'Counter', kind: 'single' } },
        routes: routes.filter(({ pool }) => names.includes(pool)),
        // In use by whoever runs the tests, or not: nothing is opened.
        listeners: [{ address: '127.0.0.1:1' }],
      }),
    );
  configure(Object.keys(pools));
  const broken = await check(folder);
  t.is(broken.code, 3, broken.err);
  t.regex(broken.err, /pool 'throws': .*not today \[SLUICE_APPLICATION_LOAD_FAILED\]/);
  t.regex(broken.err, /throws\.mjs:3:7/);
  t.regex(broken.err, /pool 'exports-nothing': .*\[SLUICE_APPLICATION_LOAD_FAILED\]/);
  configure(['fine']);
  const fine = await check(folder);
  t.is(fine.code, 0, fine.err);
  t.regex(fine.out, /started 1\n[\s\S]*stopped\n/);
  t.regex(fine.out, /fine/);
  t.regex(fine.out, /Actors\n {2}counter {2}single, Counter of counter\.mjs, in state\n/);
});
