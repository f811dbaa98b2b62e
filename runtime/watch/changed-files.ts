/**
 * Reports which of a set of files have changed. It watches their folders, because an editor may write a new file and rename it over the
 * old one, which a watch on the old file does not notice. A folder's watch may report too much, or no name, so size, time and inode of
 * each file are compared with those seen last.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Editors and compilers change several files together, and truncate a file before they write it. */
const QUIET_MS = 50;
/** The most folders that are watched. The system has its own, often smaller, limit. */
const MOST_FOLDERS = 4_096;

export class ChangedFiles {
  readonly #onChanged: (files: readonly string[]) => void;
  readonly #onFailure: (folder: string, error: Error) => void;
  /** Size, time and inode of each file as seen last. */
  readonly #states = new Map<string, string>();
  /** Null: the folder cannot be watched. */
  readonly #watchers = new Map<string, FSWatcher | null>();
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param onChanged called when files have changed and no folder has reported anything for a moment
   * @param onFailure called when a folder cannot be watched
   */
  constructor(
    onChanged: (files: readonly string[]) => void,
    onFailure: (folder: string, error: Error) => void,
  ) {
    this.#onChanged = onChanged;
    this.#onFailure = onFailure;
  }

  /** Idempotent: a change to a file that is watched already is still reported. */
  add(file: string): void {
    if (this.#states.has(file)) return;
    this.#states.set(file, stateOf(file));
    this.#watch(dirname(file));
  }

  #watch(folder: string): void {
    if (this.#watchers.has(folder) || this.#watchers.size >= MOST_FOLDERS) return;
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      watcher.on('error', (error) => this.#onFailure(folder, error as Error));
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.#watchers.set(folder, null);
      this.#onFailure(folder, error as Error);
    }
  }

  #lookSoon(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), QUIET_MS);
    this.#timer.unref();
  }

  #look(): void {
    this.#timer = null;
    const changed: string[] = [];
    for (const [file, before] of this.#states) {
      const now = stateOf(file);
      if (now === before) continue;
      this.#states.set(file, now);
      changed.push(file);
    }
    if (changed.length > 0) this.#onChanged(changed);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher?.close();
    this.#watchers.clear();
  }
}

function stateOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? 'none' : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}
