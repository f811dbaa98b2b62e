/**
 * A program that parses a module and its imports without running them, and prints where the first syntax error is. Node reports the
 * place for CommonJS and TypeScript; its error for an imported ECMAScript module names neither file nor line.
 *
 *   node --experimental-vm-modules find-syntax-error.ts URL
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import vm from 'node:vm';

interface ParsedModule {
  readonly dependencySpecifiers?: readonly string[];
  /** Since Node 24. */
  readonly moduleRequests?: readonly { readonly specifier: string }[];
}
const { SourceTextModule } = vm as unknown as {
  SourceTextModule: new (source: string, options: { readonly identifier: string }) => ParsedModule;
};

/** Parsing stops after this many modules; the report is then Node's own error. */
const MOST_MODULES = 2_000;
const MODULE = /\.(?:m?js|m?ts)$/;

const [entry = ''] = process.argv.slice(2);
const seen = new Set([entry]);
for (const url of seen) {
  if (seen.size > MOST_MODULES) break;
  const file = fileURLToPath(url);
  const text = readFileSync(file, 'utf8');
  const source = /ts$/.test(file) ? stripTypeScriptTypes(text) : text;
  let parsed: ParsedModule;
  try {
    parsed = new SourceTextModule(source, { identifier: file });
  } catch {
    const place = check(file);
    if (place !== null) process.stdout.write(place);
    break;
  }
  for (const specifier of parsed.dependencySpecifiers ??
    parsed.moduleRequests?.map((each) => each.specifier) ??
    []) {
    const next = resolve(specifier, url);
    if (next !== null && MODULE.test(next) && !next.includes('/node_modules/')) seen.add(next);
  }
}

/** `file:line`, the line and a mark below the error, as Node prints them; null if Node finds none, as in a CommonJS module. */
function check(file: string): string | null {
  const { status, stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' });
  return status !== 0 && stderr.startsWith(file) ? stderr.split('\n').slice(0, 3).join('\n') : null;
}

/** Null for Node's own modules, and for missing ones, which are reported as another error. */
function resolve(specifier: string, from: string): string | null {
  try {
    if (/^(?:\.{1,2}\/|\/|file:)/.test(specifier)) return new URL(specifier, from).href;
    const found = createRequire(from).resolve(specifier);
    return found.startsWith('/') ? pathToFileURL(found).href : null;
  } catch {
    return null;
  }
}
