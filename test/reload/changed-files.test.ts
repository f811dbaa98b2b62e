/** Which files are watched, and what happens at the limit of their folders. */
import test from 'ava';
import { ChangedFiles } from '../../runtime/watch/changed-files.ts';
import { AppFolder } from './app-folder.ts';

test('a file is reported when it changes, and when it appears in a folder that was missing', async (t) => {
  const folder = new AppFolder(t);
  let tell: (names: string[]) => void = () => undefined;
  const next = () => new Promise<string[]>((resolve) => (tell = resolve));
  const files = new ChangedFiles(
    (changed) => tell(changed.map((file) => file.slice(folder.path.length))),
    (_folder, error) => t.fail(error.message),
  );
  // Watching alone keeps no process alive.
  const alive = setInterval(() => undefined, 1_000_000);
  t.teardown(() => {
    clearInterval(alive);
    files.close();
  });
  files.add(folder.write('a.js', '1'));
  files.add(`${folder.path}/later/deep/b.js`);
  let changed = next();
  folder.write('a.js', '22');
  t.deepEqual(await changed, ['/a.js']);
  changed = next();
  folder.write('later/deep/b.js', '1');
  t.deepEqual(await changed, ['/later/deep/b.js']);
  changed = next();
  folder.write('later/deep/b.js', '22');
  t.deepEqual(await changed, ['/later/deep/b.js']);
});

test('beyond the limit of folders files are not watched, which is told once', (t) => {
  const folder = new AppFolder(t);
  const told: string[] = [];
  const files = new ChangedFiles(
    () => undefined,
    (_folder, error) => told.push(error.message),
    1,
  );
  t.teardown(() => files.close());
  for (const name of ['a/1.js', 'a/2.js', 'b/1.js', 'c/1.js']) files.add(folder.write(name, ''));
  t.deepEqual(told, ['expected modules in at most 1 folders, got more']);
});

test('a file that is no longer wanted is not reported, nor is its folder watched', async (t) => {
  const folder = new AppFolder(t);
  const told: string[] = [];
  let tell: (names: string[]) => void = () => undefined;
  const files = new ChangedFiles(
    (changed) => tell(changed.map((file) => file.slice(folder.path.length))),
    (_folder, error) => told.push(error.message),
    3,
  );
  const alive = setInterval(() => undefined, 1_000_000);
  t.teardown(() => {
    clearInterval(alive);
    files.close();
  });
  const kept = folder.write('kept.js', '1');
  const later = `${folder.path}/later/deep/kept.js`;
  files.add(kept);
  files.add(later);
  files.add(folder.write('a/forgotten.js', '1'));
  t.is(told.length, 1, 'there are more folders than may be watched');
  files.keepOnly(new Set([kept]));
  files.add(folder.write('b/added.js', '1'));
  files.add(folder.write('a/forgotten.js', '22'));
  files.keepOnly(new Set([kept, `${folder.path}/b/added.js`]));
  const changed = new Promise<string[]>((resolve) => (tell = resolve));
  folder.write('a/forgotten.js', '333');
  folder.write('b/added.js', '22');
  t.deepEqual(await changed, ['/b/added.js']);
  t.is(told.length, 1);
});
