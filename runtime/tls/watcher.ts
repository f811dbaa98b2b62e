/**
 * Reports when files may have changed. It watches their directories and not the files: a certificate is
 * usually replaced by renaming a new file, or a directory above it (as Kubernetes does), and a watch on the
 * old file would notice nothing.
 */
import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';

/** A certificate and its key are seldom written at the same instant. */
const quietMs = 200;

export class FileWatcher {
  readonly #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param onChange called when something has changed and then nothing more for a moment
   * @param onFailure a directory cannot be watched, or can no longer be watched
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
