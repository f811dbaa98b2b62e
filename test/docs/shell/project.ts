/** Folders as a reader of the pages has them: a project with the packed package, and a clone of the project. */
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { manifest, type Packed, root } from '../../package/packed.ts';

/**
 * A project below `folder` in which the package is installed, and others of the checkout with the commands that they bring; what
 * `npm install` does is tested with the README.
 */
export function makeProject(folder: string, packed: Packed, others: readonly string[] = []): void {
  const bin = join(folder, 'node_modules/.bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "app", "type": "module" }');
  const command = join(packed.installed, manifest.bin.sluice);
  chmodSync(command, 0o755);
  symlinkSync(packed.installed, join(folder, 'node_modules', manifest.name));
  symlinkSync(command, join(bin, manifest.name));
  for (const name of others) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
    const own = join(root, 'node_modules/.bin', name);
    symlinkSync(own, join(bin, name));
  }
}

/** What git has of them, as they are now; the dependencies are the checkout's. */
export function makeClone(folder: string): void {
  const left = new Set(['.git', 'node_modules', 'dist']);
  cpSync(root, folder, {
    recursive: true,
    filter: (source) =>
      !relative(root, source)
        .split(sep)
        .some((name) => left.has(name)),
  });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}
