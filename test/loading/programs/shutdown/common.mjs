/** What a program does when it ends is told in a file: its thread is gone when a test asks. */
import { appendFileSync } from 'node:fs';

export const tell = (what) => appendFileSync(process.env.TOLD, `${what}\n`);
