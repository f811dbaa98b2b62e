/** The smaller parts of the tests leave out no folder unintentionally, and their lists name only files that exist. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { isFast, isShort, LONG, NOT_FAST } from './parts.ts';

const below = readdirSync(fileURLToPath(new URL('..', import.meta.url)), {
  recursive: true,
  encoding: 'utf8',
});
const files = below.filter((file) => file.endsWith('.test.ts'));
const folders = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]));

for (const folder of folders) {
  test(`the short part has something of ${folder}, and so has the fast part unless it leaves out the folder`, (t) => {
    const own = files.filter((file) => file.startsWith(`${folder}/`));
    t.true(own.some(isShort));
    t.is(own.some(isFast), !NOT_FAST.includes(`${folder}/`));
  });
}

test('the fast part is in the short part, and is smaller', (t) => {
  const fast = files.filter(isFast);
  t.true(fast.every(isShort));
  t.true(fast.length < files.filter(isShort).length);
});

for (const [name, entries] of Object.entries({ LONG, NOT_FAST })) {
  test(`each entry of ${name} leaves out a file that exists, and no other entry does so already`, (t) => {
    for (const start of entries) {
      t.true(
        files.some((file) => file.startsWith(start)),
        start,
      );
      t.deepEqual(
        entries.filter((other) => start.startsWith(other)),
        [start],
      );
    }
  });
}
