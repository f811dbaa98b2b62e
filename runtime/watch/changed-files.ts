/**
 * Reports which of a set of files have changed. It watches their folders, because an editor may write a new file and rename it over the
 * old one, which a watch on the old file does not notice. A folder's watch may report too much, or no name, so size, time and inode of
 * each file are compared with those seen last. A folder that is missing is awaited in the nearest one that exists, and one that was
 * replaced (another branch was checked out) is watched again.
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
  readonly #mostFolders: number;
  /** Size, time and inode of each file as seen last. */
  readonly #states = new Map<string, string>();
  readonly #folders = new Map<string, WatchedFolder>();
  #timer: NodeJS.Timeout | null = null;
  #hasToldOfLimit = false;

  /**
   * @param onChanged called when files have changed and no folder has reported anything for a moment
   * @param onFailure called when a folder cannot be watched
   */
  constructor(
    onChanged: (files: readonly string[]) => void,
    onFailure: (folder: string, error: Error) => void,
    mostFolders = MOST_FOLDERS,
  ) {
    this.#mostFolders = mostFolders;
    this.#onChanged = onChanged;
    this.#onFailure = onFailure;
  }

  /** Idempotent: a change to a file that is watched already is still reported. */
  add(file: string): void {
    if (this.#states.has(file)) return;
    this.#states.set(file, stateOf(file));
    this.#watch(dirname(file));
  }

  /** Forgets all other files, and the folders that were watched for them. */
  keepOnly(files: ReadonlySet<string>): void {
    for (const file of this.#states.keys()) if (!files.has(file)) this.#states.delete(file);
    const needed = new Set<string>();
    for (const file of this.#states.keys()) this.#addNeeded(dirname(file), needed);
    for (const [folder, { watcher }] of this.#folders) {
      if (needed.has(folder)) continue;
      watcher?.close();
      this.#folders.delete(folder);
    }
    // Folders that were beyond the limit may be watched now.
    for (const folder of needed) this.#watch(folder);
  }

  /** To await a missing folder, its nearest existing parent must stay watched. */
  #addNeeded(folder: string, needed: Set<string>): void {
    if (needed.has(folder)) return;
    needed.add(folder);
    if (this.#folders.get(folder)?.state === MISSING) this.#addNeeded(dirname(folder), needed);
  }

  #watch(folder: string): void {
    if (this.#folders.has(folder)) return;
    if (this.#folders.size >= this.#mostFolders) {
      this.#tellOfLimit(folder);
      return;
    }
    const state = stateOfFolder(folder);
    if (state !== MISSING) {
      this.#folders.set(folder, { state, watcher: this.#open(folder) });
      return;
    }
    this.#folders.set(folder, { state, watcher: null });
    if (dirname(folder) !== folder) this.#watch(dirname(folder));
  }

  /** @returns null if it cannot be watched */
  #open(folder: string): FSWatcher | null {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      watcher.on('error', (error) => this.#onFailure(folder, error as Error));
      return watcher;
    } catch (error) {
      this.#onFailure(folder, error as Error);
      return null;
    }
  }

  #tellOfLimit(folder: string): void {
    if (this.#hasToldOfLimit) return;
    this.#hasToldOfLimit = true;
    this.#onFailure(folder, new Error(`expected modules in at most ${this.#mostFolders} folders, got more`));
  }

  #lookSoon(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), QUIET_MS);
    this.#timer.unref();
  }

  #look(): void {
    this.#timer = null;
    this.#watchReplaced();
    const changed: string[] = [];
    for (const [file, before] of this.#states) {
      const now = stateOf(file);
      if (now === before) continue;
      this.#states.set(file, now);
      changed.push(file);
    }
    if (changed.length > 0) this.#onChanged(changed);
  }

  /** Folders that have come, gone, or were replaced since the last look. */
  #watchReplaced(): void {
    for (const [folder, { state, watcher }] of [...this.#folders]) {
      if (stateOfFolder(folder) === state) continue;
      watcher?.close();
      this.#folders.delete(folder);
      this.#watch(folder);
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const { watcher } of this.#folders.values()) watcher?.close();
    this.#folders.clear();
  }
}

interface WatchedFolder {
  readonly state: string;
  /** Null: the folder is missing or cannot be watched. */
  readonly watcher: FSWatcher | null;
}

const MISSING = 'none';

/** Identifies the folder at this path. */
function stateOfFolder(folder: string): string {
  const stats = statSync(folder, { throwIfNoEntry: false });
  return stats === undefined ? MISSING : `${stats.ino} ${stats.birthtimeMs}`;
}

function stateOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? MISSING : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}
