/** Every command that a page shows exists: its name and its flags, and the scripts and programs that it runs. */
import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { isAdminCommand, parseAdmin } from '../../runtime/cli/admin-arguments.ts';
import { commands, parseArguments } from '../../runtime/cli/arguments.ts';
import { readClinicArguments } from '../../runtime/cli/clinic-arguments.ts';
import { readProfileArguments } from '../../runtime/cli/profile-arguments.ts';
import { blocksOf, pages, read, root } from './markdown.ts';

const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const SHELLS = new Set(['sh', 'bash', 'console']);
/** Words of a usage line rather than of a command: `sluice start|check`, `sluice …`, `sluice TOOL`. */
const PATTERN = /[|…[]|\b[A-Z]{3,}\b/;

/** The commands of a page: lines of its shell blocks, and code within its sentences. */
function commandsOf(text: string): string[] {
  const lines = blocksOf(text)
    .filter(({ language }) => SHELLS.has(language))
    .flatMap(({ text: block }) => block.split('\n'))
    .map((line) => line.replace(/^\$ /, '').replace(/\s+#.*$/, ''));
  const inline = [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code as string);
  return [...lines, ...inline].flatMap((line) => line.split(/ && |; /)).map((line) => line.trim());
}

/** What is wrong with the words behind `sluice`, or null. */
function problemWith(words: readonly string[]): string | null {
  const [command = '', ...rest] = words;
  if (rest.includes('--help')) return command in commands ? null : `no command ${command}`;
  if (isAdminCommand(command)) {
    // A table may name it without its words.
    const parsed = rest.length === 0 ? 'help' : parseAdmin(command, rest);
    return typeof parsed === 'string' && parsed !== 'help' ? parsed : null;
  }
  try {
    switch (command) {
      case 'profile':
        if (rest.length > 0) readProfileArguments(rest);
        return null;
      case 'doctor':
      case 'flame':
      case 'heapprofiler':
      case 'bubbleprof':
        readClinicArguments(command, rest);
        return null;
      case 'init':
        return null; // its own flags are tested with the projects that it writes
      default: {
        const { problems } = parseArguments(words);
        return problems.length === 0
          ? null
          : problems.map(({ expected, received }) => `expected ${expected}, got ${received}`).join('; ');
      }
    }
  } catch (error) {
    return (error as Error).message;
  }
}

const files = await pages();

test('the pages show commands', (t) => {
  const all = files.flatMap((file) => commandsOf(read(file)));
  t.true(all.filter((line) => /^(?:npx )?sluice \w/.test(line)).length > 60);
  t.true(all.filter((line) => line.startsWith('npm ')).length > 30);
});

test('a command that does not exist, and a flag that does not, are found', (t) => {
  t.truthy(problemWith(['begin']));
  t.truthy(problemWith(['start', '--treads', '2']));
  t.truthy(problemWith(['flame', '--lode', '/']));
  t.truthy(problemWith(['profile', 'gpu']));
  t.truthy(problemWith(['recycle', '--pol', 'x']));
  t.truthy(problemWith(['resize', 'app']));
  t.is(problemWith(['start', 'app.ts', '--port', '3000']), null);
});

for (const file of files) {
  if (file === 'CHANGELOG.md') continue; // it tells of commands as they were
  test(`${file} shows commands that exist`, (t) => {
    const wrong: string[] = [];
    for (const line of commandsOf(read(file))) {
      const sluice = /^(?:npx |node_modules\/\.bin\/|\S*\/)?sluice (\w.*)$/.exec(line)?.[1];
      if (sluice !== undefined && !PATTERN.test(sluice)) {
        const problem = problemWith(sluice.replace(/ [|<>].*$/, '').split(/\s+/));
        if (problem !== null) wrong.push(`${line}: ${problem}`);
      }
      const script = /^npm (?:run )?(\S+)/.exec(line)?.[1] ?? '';
      const isRun = line.startsWith('npm run ') || ['test', 'start'].includes(script);
      if (isRun && !(script in scripts)) wrong.push(`${line}: package.json has no script ${script}`);
      const program = /^(?:npx )?node ((?:docs|bench|test|runtime)\/\S+\.ts)/.exec(line)?.[1];
      if (program !== undefined && !existsSync(root + program)) wrong.push(`${line}: no such program`);
    }
    t.deepEqual(wrong, []);
  });
}
