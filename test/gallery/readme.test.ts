/** The statements of the gallery's README, checked against the matrix. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { FORMS } from '../../apps/middleware/catalogue.ts';
import { rowOf } from './outcomes.ts';

const readme = readFileSync(new URL('../../apps/middleware/README.md', import.meta.url), 'utf8');
const rows = [...readme.matchAll(/^\| `([\w-]+)` \|([^|]+)\|([^|]*)\|([^|]*)\|[^|]*\|$/gm)];

test('the README has a row for each middleware, in both forms where there are two', (t) => {
  const forms = rows.flatMap(([, name, , , legacy = '']) => [
    `native/${name}`,
    ...(legacy.trim() === '' ? [] : [`legacy/${name}`]),
  ]);
  t.deepEqual(forms.sort(), [...FORMS].sort());
});

for (const [, name, , native = '', legacy = ''] of rows) {
  test(`the README describes ${name} as the matrix checks it`, (t) => {
    t.is(native.trim(), cellOf(`native/${name}`));
    if (legacy.trim() !== '') t.is(legacy.trim(), cellOf(`legacy/${name}`));
  });
}

function cellOf(form: string): string {
  const { withholds } = rowOf(form);
  return withholds.length === 0
    ? '—'
    : [...withholds]
        .sort()
        .map((feature) => `\`${feature}\``)
        .join(', ');
}
