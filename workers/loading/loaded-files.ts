/** Reports the files that a thread loads for its application, so that the watcher can reload it: modules, JSON, and later imports. */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Sluice's own modules are not part of the application. */
const OWN = ['../../workers/', '../../wire/', '../../runtime/'].map(
  (path) => new URL(path, import.meta.url).href,
);

export class LoadedFiles {
  readonly #tell: (files: readonly string[]) => void;
  #untold: string[] = [];

  /** Reports every later load. @param tell receives absolute paths in batches, one entry per load */
  constructor(tell: (files: readonly string[]) => void) {
    this.#tell = tell;
    registerHooks({
      // Noted before the file is read: a file that cannot be parsed is the one that the author will fix.
      load: (url, context, nextLoad) => {
        this.#note(url);
        return nextLoad(url, context);
      },
    });
  }

  #note(url: string): void {
    if (!url.startsWith('file:') || url.includes('/node_modules/')) return;
    if (OWN.some((own) => url.startsWith(own))) return;
    if (this.#untold.length === 0) setImmediate(() => this.flush());
    const end = url.search(/[?#]/);
    this.#untold.push(fileURLToPath(end === -1 ? url : url.slice(0, end)));
  }

  /** The thread calls this before it sends a message that depends on the files. */
  flush(): void {
    if (this.#untold.length === 0) return;
    this.#tell(this.#untold);
    this.#untold = [];
  }
}
