/**
 * Removes from the published package the declarations that no exported type refers to: `node
 * runtime/prune-declarations.ts [DIST]`. The compiler writes a declaration beside every module. Users cannot
 * import those of internal modules, which are a sixth of the package.
 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DECLARATION = '.d.ts';

export function pruneDeclarations(dist: string): void {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  const entries = Object.values(exports)
    .filter((entry) => typeof entry === 'object')
    .map(({ types }) => resolve(dist, '..', types));
  const reached = new Set(declarationsFrom(entries));
  for (const entry of entries)
    if (!reached.has(entry)) throw new Error(`expected the compiler to read ${entry}`);
  for (const file of globSync(`**/*${DECLARATION}`, { cwd: dist }))
    if (!reached.has(join(dist, file))) rmSync(join(dist, file));
}

/** The files that the compiler reads for them. */
function declarationsFrom(entries: readonly string[]): string[] {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['--ignoreConfig', '--noEmit', '--listFilesOnly', '--module', 'nodenext'];
  const listed = execFileSync(process.execPath, [compiler, ...options, ...entries], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed.split('\n').map((file) => resolve(ROOT, file));
}

if (import.meta.main) pruneDeclarations(resolve(process.argv[2] ?? join(ROOT, 'dist')));
