/**
 * The versions of Node that the tests run on beside that of the scripts: the oldest that package.json admits, and the newest of
 * each other line. They have a package.json of their own, so that `npm ci` does not bring them to everybody. npm installs what
 * is built for the machine it runs on; none of it has an install script.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const versions: readonly string[] = ['22.20', '22', '26'];

const directory = fileURLToPath(new URL('.', import.meta.url));

/** The executable of a version, which is installed if it is not there. */
export function installedNode(version: string): string {
  const name = `${process.platform}-${process.arch}-${version}`;
  const file = `${directory}node_modules/${name}/bin/node`;
  if (!existsSync(file)) spawnSync('npm', ['ci', '--prefix', directory], { stdio: 'inherit' });
  if (existsSync(file)) return file;
  throw new Error(`expected '${name}' among the dependencies in test/nodes/package.json, it is not there`);
}
