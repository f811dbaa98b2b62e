/**
 * Frameworks as their users have them: `npm run test:frameworks [-- NAME…]`, with the names of folders in apps/.
 *
 * `node` serves each application and Sluice does, from the same files, and the same requests get the same answers. Not part of
 * `npm test`: the packages take 1 GB, and some builds half a minute.
 */
import assert from 'node:assert/strict';
import { suite } from 'node:test';
import { applications } from './applications.ts';
import { build } from './built.ts';
import { checkPages } from './pages.ts';
import { checkTraces, TRACED } from './traces.ts';

const wanted = process.argv.slice(2);
const isWanted = ({ folder }: { readonly folder: string }) => wanted.length === 0 || wanted.includes(folder);
const chosen = applications.filter(isWanted);
const folders = new Set([...chosen, TRACED].filter(isWanted).map(({ folder }) => folder));
const missing = wanted.filter((folder) => !folders.has(folder));
assert.deepEqual(missing, [], 'expected names of folders in test/frameworks/apps');

for (const folder of folders) build(folder);
for (const application of chosen) suite(application.name, () => checkPages(application));
if (isWanted(TRACED)) suite(TRACED.name, checkTraces);
