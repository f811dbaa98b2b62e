/**
 * Tells which of a set of files have changed. Their folders are watched and not they: editors write a new file and rename it into the
 * place of the old one, of which a watch on the old file would hear nothing. A folder's watch tells of more than there is, or without a
 * name, so what a file is (size, time, inode) is compared with what it was.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Editors and compilers change several files in one go, and truncate before they write. */
const QUIET_MS = 50;
/** Folders that are watched; the system has a limit of its own on them. */
const MOST_FOLDERS = 4_096;

export class ChangedFiles {
  readonly #onChanged: (files: readonly string[]) => void;
  readonly #onFailure: (folder: string, error: Error) => void;
  /** What each file was when it was looked at last. */
  readonly #states = new Map<string, string>();
  readonly #watchers = new Map<string, FSWatcher | null>();
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param onChanged something has changed, and nothing has for a moment
   * @param onFailure a folder cannot be watched
   */
  constructor(
    onChanged: (files: readonly string[]) => void,
    onFailure: (folder: string, error: Error) => void,
  ) {
    this.#onChanged = onChanged;
    this.#onFailure = onFailure;
  }

  /** Idempotent. A file that is watched already is what it was when it was looked at last. */
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
