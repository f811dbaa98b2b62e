import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { ReactorMessage, ThreadMessage } from '../../wire/messages.ts';

const readme = readFileSync(new URL('../../wire/README.md', import.meta.url), 'utf8');

test('every test that the invariants name exists', (t) => {
  const here = new URL('.', import.meta.url);
  const sources = readdirSync(here)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(name, here), 'utf8'))
    .join('\n');
  const invariants = readme.slice(readme.indexOf('## Invariants'), readme.indexOf('## Encoding'));
  const names = [...invariants.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name.replaceAll(/\s+/g, ' '));
  t.true(names.length >= 14);
  for (const name of names) t.true(sources.includes(`'${name}'`), name);
});

test('the message table has every kind with its number', (t) => {
  for (const kinds of [ReactorMessage, ThreadMessage]) {
    for (const [name, kind] of Object.entries(kinds)) {
      t.regex(readme, new RegExp(`^\\| ${kind} +\\| ${name.toUpperCase()} +\\|`, 'm'));
    }
  }
});
