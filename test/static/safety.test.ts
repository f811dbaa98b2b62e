/** No request reads anything outside the root, on a real disk with every kind of link. */
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { type Disk, nodeDisk } from '../../workers/static/disk.ts';
import { Files } from '../../workers/static/files.ts';
import type { StaticOptions } from '../../workers/static/options.ts';
import { ReadTurns } from '../../workers/static/read-turns.ts';
import { ask } from '../apps/memory-exchange.ts';
import { FileScope } from '../server/harness.ts';
import { makeDirectory, type TestDirectory } from './directory.ts';

const scope = new FileScope();
const SECRET = 'the secret';
let directory: TestDirectory;

test.before(() => {
  directory = makeDirectory(scope);
  const { root, outside } = directory;
  writeFileSync(join(outside, 'secret'), SECRET);
  writeFileSync(join(outside, 'index.html'), SECRET);
  // A sibling whose path begins like the root's.
  mkdirSync(`${root}-neighbour`);
  writeFileSync(join(`${root}-neighbour`, 'secret'), SECRET);
  directory.write('a', 'public');
  directory.write('b/index.html', 'public');
  directory.write('.dot', SECRET);
  directory.write('.git/config', SECRET);
  directory.write('b/.dot', SECRET);
  directory.link('file', join(outside, 'secret'));
  directory.link('relative', '../outside/secret');
  directory.link('dir', outside);
  directory.link('parent', '..');
  directory.link('neighbour', `${root}-neighbour`);
  directory.link('chain', 'file');
  directory.link('b/deep', '../dir/secret');
  directory.link('a.gz', join(outside, 'secret'));
  directory.link('dangling', 'nowhere');
  directory.link('self', 'self');
  directory.link('within', 'b');
  directory.link('root', '.');
});
test.after.always(() => scope.end());

/** A disk that records the real path of every file it opens. */
function watched(opened: string[]): Disk {
  return {
    ...nodeDisk,
    openResolved: (path) => {
      const file = nodeDisk.openResolved(path);
      opened.push(realpathSync(path));
      return file;
    },
    open: () => {
      throw new Error('a path was opened that nobody had resolved');
    },
  };
}

const name = fc.constantFrom(
  ...[
    'a',
    'b',
    'file',
    'relative',
    'dir',
    'parent',
    'neighbour',
    'chain',
    'deep',
    'dangling',
    'self',
    'within',
    'root',
  ],
  ...[
    'secret',
    'outside',
    'index.html',
    '.dot',
    '.git',
    'config',
    '..',
    '.',
    '',
    '%2e%2e',
    '..%2foutside',
    '..%5coutside',
  ],
  ...['%00', 'a%00', '%2edot', '%2Egit', '%c0%ae%c0%ae', '..;', '...', 'root-neighbour', '~root', 'a.gz'],
);
const known = fc.constantFrom('a', 'b', 'root', 'within', 'index.html', '');
const path = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: name },
      { weight: 4, arbitrary: known },
      { weight: 1, arbitrary: fc.string({ maxLength: 3 }) },
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((names) => `/${names.join('/')}`);

test('nothing outside the root, and no dot file, is ever opened or sent', async (t) => {
  const root = realpathSync(directory.root);
  const opened: string[] = [];
  const options: StaticOptions = {
    root: directory.root,
    path: '/*',
    index: ['index.html', 'file'],
    dotfiles: 'hide',
    symlinks: 'inside',
    precompressed: ['gzip'],
    recheckMs: 0,
    etag: 'mtime',
    cacheControl: '',
    maxRanges: 4,
    readBytes: 65_536,
  };
  const files = new Files(options, {
    disk: watched(opened),
    turns: new ReadTurns(),
    now: Date.now,
    boundary: () => 'B',
  });
  await fc.assert(
    fc.asyncProperty(path, fc.constantFrom('gzip', 'identity'), async (target, coding) => {
      const exchange = { path: target, fields: { 'accept-encoding': coding } };
      const response = await ask((one) => files.serve(one), exchange);
      t.false(response.text.includes(SECRET), target);
      t.true([200, 301, 400, 404].includes(response.status), `${target} ${response.status}`);
      for (const real of opened.splice(0)) t.true(real === root || real.startsWith(root + sep), target);
    }),
    { numRuns: 2_000 },
  );
  // Not everything is refused either.
  for (const target of ['/a', '/b/', '/within/index.html', '/root/root/a']) {
    t.is((await ask((one) => files.serve(one), { path: target })).text, 'public');
  }
});
