/** The line of a source that an error is about, with a mark under the place, for a person who has just written it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PLACE = /(?:\()?((?:file:\/\/\/|\/)[^\s():]+):(\d+)(?::(\d+))?\)?/g;
const MOST_CHARACTERS = 200;

/**
 * Null: no frame of the stack is in a file that could be read, or all are the server's own or a package's.
 * @param stack as V8 and Node write it
 */
export function sourceLineOf(stack: string): string | null {
  for (const [, name = '', line = '', column] of stack.matchAll(PLACE)) {
    if (name.includes('/node_modules/') || /\/(?:workers|wire)\/[a-z-]+\.[jt]s$/.test(name)) continue;
    try {
      const file = name.startsWith('file:') ? fileURLToPath(name) : name;
      const text = readFileSync(file, 'utf8').split('\n')[Number(line) - 1];
      if (text === undefined || text.length > MOST_CHARACTERS) continue;
      // Of a syntax error Node says the line alone.
      if (column === undefined) return `${file}:${line}\n${text}`;
      return `${file}:${line}:${column}\n${text}\n${' '.repeat(Math.max(0, Number(column) - 1))}^`;
    } catch {
      // Not there, or not to be read: the next frame may be.
    }
  }
  return null;
}
