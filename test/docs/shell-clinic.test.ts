/**
 * The shell blocks of docs/profiling.md, run as they are printed, one after the other in one project; `test/clinic/guide.test.ts` looks
 * at the pages that they make.
 */
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import anyTest, { type ExecutionContext } from 'ava';
import { packAndInstall, root } from '../package/packed.ts';
import { FileScope } from '../server/harness.ts';
import { read } from './markdown.ts';
import { Machine, missing, type Terminal } from './shell/machine.ts';
import { Page } from './shell/page.ts';
import { makeProject } from './shell/project.ts';

const FILE = 'docs/profiling.md';
const scope = new FileScope();
const page = new Page(FILE);
let terminal: Terminal;

const onMachine = missing === null ? anyTest.serial : anyTest.serial.skip;

if (missing === null) {
  anyTest.before(async (t) => {
    t.timeout(120_000, 'npm pack on a busy machine');
    const packed = await packAndInstall(scope);
    const machine = await Machine.boot(scope);
    makeProject(machine.folder, packed, ['clinic']);
    // The applications of the repository, which the page names by their paths in it.
    cpSync(join(root, 'apps/profiling'), join(machine.folder, 'apps/profiling'), { recursive: true });
    const config = {
      pools: { report: { application: './apps/profiling/report.ts', threads: 2 } },
      routes: [{ path: '/*', pool: 'report' }],
    };
    writeFileSync(join(machine.folder, 'runtime.config.json'), JSON.stringify(config));
    terminal = machine.terminal();
  });
  anyTest.after.always(() => scope.end());
}

/** Runs a command that ends in a report. @returns what it printed; its files are there */
async function report(t: ExecutionContext, command: string): Promise<string> {
  t.timeout(170_000, 'a load of ten seconds, and the pages of clinic');
  const printed = await terminal.run(command);
  const files = printed.split('\n').filter((line) => line.startsWith('/'));
  t.true(files.length > 0, printed);
  for (const file of files) t.true(existsSync(file), file);
  return printed;
}

onMachine('the first flame', async (t) => {
  const [install, flame] = page.commands() as [string, string];
  // It asks the npm registry; the version is that of the tests, for which the commands look.
  const { clinic } = JSON.parse(read('package.json')).devDependencies;
  t.is(install, `npm install --save-dev --save-exact clinic@${clinic}`);
  await report(t, flame);
});

onMachine('the hot spot: the command prints what the page shows', async (t) => {
  const printed = await report(t, page.shell());
  const [shown = ''] = /^ {4}report: [^\n]*\n(?: {4}[^\n]*\n)*/m.exec(read(FILE)) ?? [];
  const parts = shown.trim().replaceAll(/\s+/g, ' ').split('…');
  t.is(parts.length, 2);
  for (const part of parts) {
    const text = part.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    t.regex(printed.replaceAll(/\s+/g, ' '), new RegExp(text.replaceAll(/\d+/g, '\\d+')));
  }
});

onMachine('the blocked event loop', async (t) => {
  t.regex(await report(t, page.shell()), /^orders: blocked event loop: /m);
});

onMachine('the leak', async (t) => {
  t.regex(await report(t, page.shell()), /clinic-heapprofiler/);
});

onMachine('clinic by itself', async (t) => {
  t.timeout(170_000, 'a load, and the page of clinic');
  t.regex(await terminal.run(page.shell()), /100 succeeded, 0 failed/);
  page.end(t);
});
