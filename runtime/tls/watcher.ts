/**
 * Tells when files may have changed. Their directories are watched and not they: whoever replaces a certificate renames a new
 * file into its place, or a directory above it (as Kubernetes does), and a watch on the old file would hear nothing.
 */
import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';

/** A certificate and its key are seldom written in one instant. */
const quietMs = 200;

export class FileWatcher {
  readonly #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param onChange after something has changed and nothing has for a moment
   * @param onFailure a directory cannot be watched, or no longer
   */
  constructor(
    files: readonly string[],
    onChange: () => void,
    onFailure: (directory: string, error: Error) => void,
  ) {
    for (const directory of new Set(files.map((file) => dirname(file)))) {
      try {
        const watcher = watch(directory, { persistent: false }, () => this.#changed(onChange));
        watcher.on('error', (error) => onFailure(directory, error as Error));
        this.#watchers.push(watcher);
      } catch (error) {
        onFailure(directory, error as Error);
      }
    }
  }

  #changed(onChange: () => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(onChange, quietMs);
    this.#timer.unref();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }
}
