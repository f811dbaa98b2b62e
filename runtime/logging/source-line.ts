/** The source line of an error with a mark under the column, for the person who has just written it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The server's own folders, in the repository as in the package. */
const OWN = ['runtime', 'wire', 'workers'].map((folder) =>
  fileURLToPath(new URL(`../../${folder}/`, import.meta.url)),
);
const PLACE = /(?:\()?((?:file:\/\/\/|\/)[^\s():]+):(\d+)(?::(\d+))?\)?/g;
const MOST_CHARACTERS = 200;

/**
 * Null if no frame of the stack is in a readable file outside of the server and of packages.
 * @param stack as V8 and Node write it
 */
export function sourceLineOf(stack: string): string | null {
  for (const [, name = '', line = '', column] of stack.matchAll(PLACE)) {
    if (name.includes('/node_modules/')) continue;
    try {
      const file = name.startsWith('file:') ? fileURLToPath(name) : name;
      if (OWN.some((folder) => file.startsWith(folder))) continue;
      const text = readFileSync(file, 'utf8').split('\n')[Number(line) - 1];
      if (text === undefined || text.length > MOST_CHARACTERS) continue;
      // For a syntax error Node gives the line without a column.
      if (column === undefined) return `${file}:${line}\n${text}`;
      // A loader without source maps: the place is one of what it made of the file.
      if (Number(column) > text.length + 1) return `${file}:${line}:${column}`;
      return `${file}:${line}:${column}\n${text}\n${' '.repeat(Math.max(0, Number(column) - 1))}^`;
    } catch {
      // The file cannot be read; try the next frame.
    }
  }
  return null;
}
