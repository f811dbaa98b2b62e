/**
 * A counter for each name: one instance in the whole process, on one thread. It outlasts its instance, which moves when its thread is
 * reloaded or recycled, and stops when nobody asks for long, in a file.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { ActorContext } from '../../workers/actors/actors.ts';

export interface Count {
  readonly name: string;
  readonly n: number;
  /** Where the counter lives. */
  readonly thread: number;
  /** How many instances there have been, this one among them. */
  readonly lives: number;
}

interface Saved {
  readonly n: number;
  readonly lives: number;
}

/** The process's own: what another has left says nothing of ours. */
const DIRECTORY = join(tmpdir(), `sluice-counter-${process.pid}`);

export class Counter {
  readonly #name: string;
  readonly #file: string;
  #n = 0;
  #lives = 1;

  constructor(name: string, _context: ActorContext) {
    this.#name = name;
    // Base64url: whatever the name is, it is a name of a file.
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

  /** Whole or not at all: it is written beside the old one and takes its place. */
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
