/** Checks that the tests and options named in docs/protocols.md exist. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/protocols.md', root), 'utf8');
const schema = JSON.parse(readFileSync(new URL('runtime/config/schema.json', root), 'utf8'));

test('every test and source file that the page names exists', (t) => {
  const files = [...page.matchAll(/`((?:test|runtime)\/[\w./-]+)`/g)].map(([, file]) => file as string);
  t.true(files.length > 10);
  t.deepEqual(
    files.filter((file) => !existsSync(fileURLToPath(new URL(file, root)))),
    [],
  );
});

test('every option that the page names exists', (t) => {
  const options = [...page.matchAll(/`(http1|http2|limits)\.(\w+)`/g)];
  t.true(options.length > 5);
  for (const [name, section, option] of options) {
    t.true((option as string) in schema.properties[section as string].properties, name);
  }
});
