/** Reads modules of the pages that Sluice makes, as JavaScript for a browser. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

const HERE = import.meta.url;
/** The modules are TypeScript in a checkout and JavaScript in the published package. */
const EXTENSION = HERE.slice(HERE.lastIndexOf('.'));

/** @param folder of the page, with a slash at its end */
export function readPageModule(folder: URL, name: string): string {
  const source = readFileSync(new URL(`${name}${EXTENSION}`, folder), 'utf8');
  return EXTENSION === '.ts' ? withoutTypes(source) : source;
}

function withoutTypes(source: string): string {
  const { emitWarning } = process;
  // Node's warning that type stripping is experimental does not concern the user of the page.
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
