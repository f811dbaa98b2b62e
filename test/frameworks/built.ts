/**
 * An application of apps/, installed from its own lock file and built by its own tools, in a folder outside of the project: there it
 * finds no packages but its own, and the project's tests do not find its packages.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const QUIET = { NEXT_TELEMETRY_DISABLED: '1', NUXT_TELEMETRY_DISABLED: '1', ASTRO_TELEMETRY_DISABLED: '1' };
const STEPS = [
  ['ci', '--no-fund', '--no-audit'],
  ['run', 'build', '--if-present'],
];

/** Made once in a process, and removed with its end. */
const built = new Map<string, string>();
process.once('exit', () => {
  for (const directory of built.values()) rmSync(directory, { recursive: true, force: true });
});

/** @returns where it is */
export function build(folder: string): string {
  const known = built.get(folder);
  if (known !== undefined) return known;
  const directory = mkdtempSync(join(tmpdir(), `sluice-${folder}-`));
  built.set(folder, directory);
  cpSync(fileURLToPath(new URL(`apps/${folder}`, import.meta.url)), directory, { recursive: true });
  for (const args of STEPS) {
    const { status, output } = spawnSync('npm', args, {
      cwd: directory,
      env: { ...process.env, ...QUIET },
      encoding: 'utf8',
    });
    if (status === 0) continue;
    throw new Error(`expected 'npm ${args.join(' ')}' to succeed for ${folder}: ${output?.join('')}`);
  }
  return directory;
}
