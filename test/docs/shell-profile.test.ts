/** The shell blocks of docs/sluice-profile.md, run as they are printed; `shell-blocks.test.ts` has those of other pages. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import anyTest, { type ExecutionContext } from 'ava';
import { packAndInstall } from '../package/packed.ts';
import { Machine, missing } from './shell/machine.ts';
import { Page } from './shell/page.ts';
import { makeProject } from './shell/project.ts';

const onMachine = missing === null ? anyTest.serial : anyTest.serial.skip;

/** The files that a command has listed on standard output, which are there. */
function filesOf(t: ExecutionContext, stdout: string): string[] {
  const files = stdout.split('\n').filter((line) => line.startsWith('/'));
  for (const file of files) t.true(existsSync(file), file);
  return files;
}

const WORK = `export default (exchange) => {
  let sum = 0;
  for (let n = 0; n < 1e6; n++) sum += Math.sqrt(n);
  exchange.respond(200, {}, String(sum));
};
`;

onMachine('docs/sluice-profile.md: profiles of a server under load', async (t) => {
  t.timeout(240_000, 'a profile of twenty seconds, and the pages of clinic');
  const packed = await packAndInstall(t);
  const machine = await Machine.boot(t);
  makeProject(machine.folder, packed, ['clinic']);
  const page = new Page('docs/sluice-profile.md');
  writeFileSync(join(machine.folder, 'app.js'), WORK);
  writeFileSync(
    join(machine.folder, 'runtime.config.json'),
    JSON.stringify({
      pools: { render: { application: './app.js', threads: 2 } },
      routes: [{ path: '/*', pool: 'render' }],
    }),
  );
  const terminal = machine.terminal();
  const server = terminal.start('npx sluice start');
  await server.shows(/listening on/);
  const load = terminal.start('h2load -D 200 -c 2 -m 4 --rps 50 http://127.0.0.1:8080/');
  const [cpu, heap, snapshot] = page.commands() as [string, string, string];
  const profiles = filesOf(t, await terminal.run(cpu)).map((file) => file.split('/').at(-1));
  t.deepEqual(
    ['profile.html', 'profile.clinic-flame.html', 'render-1.cpuprofile', 'reactor.cpuprofile'].filter(
      (name) => !profiles.includes(name),
    ),
    [],
  );
  // As the page says, Ctrl-C ends it early, and what was collected is written.
  const allocating = terminal.start(heap);
  await allocating.shows(/Ctrl-C ends that early/);
  const { stdout } = await allocating.interrupt();
  t.regex(filesOf(t, stdout).join('\n'), /profile\.clinic-heapprofiler\.html[\s\S]*render-1\.heapprofile/);
  t.regex(filesOf(t, await terminal.run(snapshot)).join('\n'), /render-2\.heapsnapshot$/);
  await load.kill();
  await server.interrupt();
  page.end(t);
});
