/**
 * A counter for each name: one instance in the whole process, on one thread. The count is kept in a file. So
 * it survives when its instance moves because its thread is reloaded or recycled, or stops because it has not
 * been used for a long time.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { ActorContext } from '../../workers/actors/actors.ts';

export interface Count {
  readonly name: string;
  readonly n: number;
  /** The thread that has the counter. */
  readonly thread: number;
  /** How many instances there have been, including this one. */
  readonly lives: number;
}

interface Saved {
  readonly n: number;
  readonly lives: number;
}

/** A directory of this process alone: files left by another process must not count. */
const DIRECTORY = join(tmpdir(), `sluice-counter-${process.pid}`);

export class Counter {
  readonly #name: string;
  readonly #file: string;
  #n = 0;
  #lives = 1;

  constructor(name: string, _context: ActorContext) {
    this.#name = name;
    // Base64url makes a valid file name of any name.
    this.#file = join(DIRECTORY, Buffer.from(name).toString('base64url'));
  }

  async start(): Promise<void> {
    let text: string;
    try {
      text = await readFile(this.#file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    const { n, lives } = JSON.parse(text) as Saved;
    this.#n = n;
    this.#lives = lives + 1;
  }

  /** Atomic: the count is written to a second file, which then replaces the first. */
  async stop(): Promise<void> {
    await mkdir(DIRECTORY, { recursive: true });
    const saved: Saved = { n: this.#n, lives: this.#lives };
    await writeFile(`${this.#file}.new`, JSON.stringify(saved));
    await rename(`${this.#file}.new`, this.#file);
  }

  add(by: number): Count {
    this.#n += by;
    return this.value();
  }

  value(): Count {
    return { name: this.#name, n: this.#n, thread: threadId, lives: this.#lives };
  }
}
