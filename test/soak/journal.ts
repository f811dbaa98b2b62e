/** Where applications note what they have begun: a file, since a thread that is ended takes its memory along. */
import { openSync, writeSync } from 'node:fs';
import { JOURNAL_VARIABLE } from './journal-variable.ts';

const file = openSync(process.env[JOURNAL_VARIABLE] as string, 'a');

/** Written before it returns, in one piece, whatever other threads write. */
export function note(id: string): void {
  writeSync(file, `${id}\n`);
}
