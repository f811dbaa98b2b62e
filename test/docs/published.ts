/** What package.json exports, in the sources. */
import { readFileSync } from 'node:fs';
import { root } from './markdown.ts';

const { name, exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
};

/** Specifier → file. */
export const published: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(exports).flatMap(([path, entry]) =>
    typeof entry === 'string'
      ? []
      : [[path.replace('.', name), entry.default.replace('./dist/', root).replace(/\.js$/, '.ts')] as const],
  ),
);
