/** The page about configuration, held to what the server reads and says. */

import { readFileSync } from 'node:fs';
import test from 'ava';
import { page, withTables } from '../../docs/generate-configuration.ts';
import { ExitCode } from '../../runtime/cli/exit-code.ts';
import { ConfigError, ConfigErrorCode, describeProblems } from '../../runtime/config/errors.ts';
import { parseConfig } from '../../runtime/config/load.ts';
import { blocksOf, pages, read } from './markdown.ts';

const text = readFileSync(page, 'utf8');
const files = await pages();

test('the tables are those that node docs/generate-configuration.ts writes', (t) => {
  t.true(text === withTables(text), 'expected it to have been run since the schema or the flags changed');
});

test('every exit code stands in its table', (t) => {
  for (const code of Object.values(ExitCode)) t.regex(text, new RegExp(`^\\| ${code} \\| `, 'm'));
});

test('every error code of the configuration is named', (t) => {
  // The first is the code of all of them together.
  const codes = Object.values(ConfigErrorCode).filter((code) => code !== ConfigErrorCode.Invalid);
  t.deepEqual(
    codes.filter((code) => !text.includes(`\`${code}\``)),
    [],
  );
});

test('the errors shown are what the server says to such a file', (t) => {
  const shown = blocksOf(text).find((block) => block.text.includes('SLUICE_CONFIG_CONFLICT'))?.text ?? '';
  const pools = `  "pools": {
    "images": { "application": "./images.ts", "threads": { "min": 2, "max": 1 } },
    "pages": { "application": "./pages.ts" }
  },`;
  const source = `{\n${pools}\n  "routes": [{ "path": "/images/*", "pool": "image" }]\n}\n`;
  const error = t.throws(() => parseConfig(source, 'runtime.config.json'), { instanceOf: ConfigError });
  t.is(`sluice: ${describeProblems(error.source, error.problems)}\n`, shown);
});

for (const file of files) {
  const examples = blocksOf(read(file)).filter((block) => /^jsonc?$/.test(block.language));
  if (examples.length === 0) continue;
  test(`every configuration in ${file} is right`, (t) => {
    for (const example of examples) {
      // Comments are for the reader; in a string there is no such thing as "// ".
      const value: Example = JSON.parse(example.text.replaceAll(/^\/\/ .*$| \/\/ .*$/gm, ''));
      t.notThrows(() => parseConfig(JSON.stringify(completed(value)), 'runtime.config.json'), example.text);
    }
  });
}

interface Route {
  readonly path?: string;
  readonly pool?: string;
}

interface Example extends Route {
  readonly routes?: readonly Route[];
  readonly listeners?: readonly object[];
  readonly address?: string;
}

/** A page about one section shows that section, or one entry of an array; what must stand around it is filled in. */
function completed(value: Example): object {
  if (value.path !== undefined) return completed({ routes: [value] });
  if (value.address !== undefined) return completed({ listeners: [value] });
  const routes = value.routes ?? [{ path: '/*', pool: 'app' }];
  const pools: Record<string, object> = {};
  for (const { pool } of routes) if (pool !== undefined) pools[pool] = { application: './app.ts' };
  return { pools, ...value, routes };
}
