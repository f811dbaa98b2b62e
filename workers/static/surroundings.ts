/** What the application needs to find, read and date a file. */
import { randomBytes } from 'node:crypto';
import { type Disk, nodeDisk } from './disk.ts';
import { ReadTurns } from './read-turns.ts';

export interface Surroundings {
  readonly disk: Disk;
  /** Shared by everything that the thread sends. */
  readonly turns: ReadTurns;
  now(): number;
  /** Delimits the parts of a multipart response; must not occur in any file. */
  boundary(): string;
}

/** The surroundings of this thread. */
export const SURROUNDINGS: Surroundings = {
  disk: nodeDisk,
  turns: new ReadTurns(),
  now: Date.now,
  // No file contains 144 random bits by chance, and they cannot be written into a file beforehand, because
  // they are not known.
  boundary: () => randomBytes(18).toString('base64url'),
};
