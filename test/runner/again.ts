/** Which files a second, quiet run is to judge: those in which AVA's output shows a failure. */
import { stripVTControlCharacters } from 'node:util';

/** More files than this are a fault of the project, not of a busy machine. */
const MAX_FILES = 12;
const SEPARATOR = ' › ';

/**
 * @param output what AVA's default reporter wrote
 * @param exists whether there is such a file
 * @returns null if nothing failed, if more did than a busy machine explains, or if AVA names no file for a failure
 */
export function filesToRunAgain(output: string, exists: (file: string) => boolean): string[] | null {
  const files = new Set<string>();
  for (const line of stripVTControlCharacters(output).split('\n')) {
    const [, failure] = /^ *✘ (.*)$/.exec(line) ?? [];
    if (failure === undefined) continue;
    const file = fileOf(failure, exists);
    if (file === undefined) return null;
    files.add(file);
  }
  return files.size === 0 || files.size > MAX_FILES ? null : [...files];
}

/** A title begins with the way to its file below `test/`; what ends a file names it. */
function fileOf(failure: string, exists: (file: string) => boolean): string | undefined {
  const [, named] = /\b(test\/\S+\.test\.[jt]s)\b/.exec(failure) ?? [];
  if (named !== undefined && exists(named)) return named;
  const parts = failure.replace(/^\[[^\]]*\]: /, '').split(SEPARATOR);
  for (let count = parts.length; count > 0; count--) {
    const way = `test/${parts.slice(0, count).join('/')}.test`;
    const file = [`${way}.ts`, `${way}.js`].find(exists);
    if (file !== undefined) return file;
  }
  return undefined;
}
