/** docs/operations.md says what every line of the log means. */
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { read, root } from './markdown.ts';

const text = read('docs/operations.md');

/** Level and fixed text of every message that the sources log; of one with a variable part, what stands before it. */
async function messages(): Promise<(readonly [level: string, message: string])[]> {
  const found: (readonly [string, string])[] = [];
  for await (const file of glob('runtime/**/*.ts', { cwd: root })) {
    const source = readFileSync(join(root, file), 'utf8');
    for (const [, level = '', words = ''] of source.matchAll(
      /\blog\??\.(trace|debug|info|warn|error|fatal)\(([\s\S]*?)\)[;,]\n/g,
    )) {
      const message = /(?:^|,)\s*(?:'([^']+)'|`([^`$]+)[^`]*`),?\s*$/.exec(words);
      if (message !== null) found.push([level, (message[1] ?? message[2]) as string]);
    }
  }
  return found;
}

const logged = await messages();

test('the messages are found in the sources', (t) => {
  t.true(logged.length >= 14, `${logged.length}`);
});

test('every message that the server logs stands in the table with its level', (t) => {
  const rows = text.split('\n');
  const missing = logged.filter(
    ([level, message]) => !rows.some((row) => row.startsWith(`| ${level} | \`${message.trimEnd()}`)),
  );
  t.deepEqual(missing, []);
});

test('every option that the page names is one', (t) => {
  const schema = read('runtime/config/schema.json');
  const gateway = read('workers/gateway.ts');
  // How exchanges end, and what a line tells of them.
  const named = `${read('runtime/exchange/outcomes.ts')}${read('runtime/config/access-log-schema.ts')}`;
  // What stands with a line of the log are names of the line's own.
  const prose = text.replaceAll(/^(\| (?:trace|debug|info|warn|error|fatal) \|[^|]*\|)[^|]*\|/gm, '$1 |');
  const names = [
    ...prose.matchAll(/`((?:[a-z][A-Za-z0-9]*\.)*[a-z]+[A-Z][A-Za-z]*(?:\.[a-z][A-Za-z]*)*)`/g),
  ].map(([, name]) => (name as string).split('.').at(-1) as string);
  const others = ['terminationGracePeriodSeconds', 'execSync', 'uncaughtException'];
  const unknown = names.filter(
    (name) =>
      !others.includes(name) &&
      !schema.includes(`"${name}": {`) &&
      !gateway.includes(` ${name}:`) &&
      !named.includes(`'${name}'`),
  );
  t.true(names.length > 20);
  t.deepEqual(unknown, []);
});
