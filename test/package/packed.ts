/**
 * The package as a user has it: built, packed by npm and unpacked into a project that has its dependencies and nothing else,
 * so that an import of what only the checkout has must fail. Nothing is fetched: the dependencies are the checkout's own.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { glob, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pruneDeclarations } from '../../runtime/prune-declarations.ts';
import { vendorMsgpackr } from '../../wire/vendor-msgpackr.ts';
import type { Scope } from '../server/harness.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const execute = promisify(execFile);

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: { readonly sluice: string };
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

export interface Packed {
  /** Paths in the package. */
  readonly files: readonly string[];
  readonly unpackedBytes: number;
  /** A project that depends on it. */
  readonly project: string;
  /** The package in the project's node_modules. */
  readonly installed: string;
}

export const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

export async function packAndInstall(scope: Scope): Promise<Packed> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-package-'));
  scope.teardown(() => rm(directory, { recursive: true }));
  const staged = join(directory, 'staged');
  await stage(staged);
  // Its prepack would build in the checkout.
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory];
  const { stdout } = await execute('npm', pack, { cwd: staged });
  const [packed] = entriesOf(JSON.parse(stdout));
  const project = join(directory, 'project');
  const installed = join(project, 'node_modules', manifest.name);
  mkdirSync(installed, { recursive: true });
  const tarball = join(directory, `${manifest.name}-${manifest.version}.tgz`);
  await execute('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  linkDependencies(join(project, 'node_modules'));
  return {
    files: packed.files.map(({ path }) => path),
    unpackedBytes: packed.unpackedSize,
    project,
    installed,
  };
}

interface PackEntry {
  readonly files: readonly { readonly path: string }[];
  readonly unpackedSize: number;
}

/** npm gives an array of packages, and from version 12 on an object of them by name. */
function entriesOf(output: Readonly<Record<string, PackEntry>> | readonly PackEntry[]): [PackEntry] {
  return Object.values(output) as [PackEntry];
}

/** What npm packs is chosen from here: everything that `files` may name, and the pages that npm adds. */
async function stage(staged: string): Promise<void> {
  mkdirSync(staged);
  for (const part of ['tsconfig.build.json', 'tsconfig.page.json']) {
    await execute(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      ...['-p', join(root, part), '--outDir', join(staged, 'dist')],
    ]);
  }
  vendorMsgpackr(join(staged, 'dist'));
  pruneDeclarations(join(staged, 'dist'));
  const patterns = manifest.files.filter((pattern) => pattern !== 'dist');
  for await (const file of glob([...patterns, 'package.json', 'README.md', 'LICENSE'], { cwd: root })) {
    mkdirSync(dirname(join(staged, file)), { recursive: true });
    cpSync(join(root, file), join(staged, file), { recursive: true });
  }
}

/** Those that the lock file has for production, each at its place. */
function linkDependencies(nodeModules: string): void {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const path of Object.keys(manifest.dependencies)) {
    if (lock.packages[`node_modules/${path}`] === undefined)
      throw new Error(`expected ${path} in the lock file`);
    const link = join(nodeModules, path);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', path), link);
  }
}
