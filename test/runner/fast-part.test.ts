/** The fast part of the tests has something of every folder, and names nothing that is gone. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { isSlow, SLOW } from './slow.ts';

const below = readdirSync(fileURLToPath(new URL('..', import.meta.url)), {
  recursive: true,
  encoding: 'utf8',
});
const files = below.filter((file) => file.endsWith('.test.ts'));
const folders = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]));

for (const folder of folders) {
  test(`of ${folder} something is fast`, (t) => {
    t.true(files.some((file) => file.startsWith(`${folder}/`) && !isSlow(file)));
  });
}

test('each entry leaves out something that is there, and no other does so already', (t) => {
  for (const start of SLOW) {
    t.true(
      files.some((file) => file.startsWith(start)),
      start,
    );
    t.false(
      SLOW.some((other) => other !== start && start.startsWith(other)),
      start,
    );
  }
});
