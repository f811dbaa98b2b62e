/**
 * Reports the files that a thread loads for its application, so that the watcher can reload it: modules, JSON, later imports, and
 * imported files that are missing, because their author may be about to write them.
 */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** What `require` appends to a path without one. */
const EXTENSIONS = ['.js', '.json'];

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
      resolve: (specifier, context, nextResolve) => {
        try {
          return nextResolve(specifier, context);
        } catch (error) {
          this.#noteMissing(specifier, context.parentURL);
          throw error;
        }
      },
      // Noted before the file is read: a file that cannot be parsed is the one that the author will fix.
      load: (url, context, nextLoad) => {
        this.#note(url);
        return nextLoad(url, context);
      },
    });
  }

  #noteMissing(specifier: string, parent: string | undefined): void {
    // The path of a package says nothing about where it will be installed.
    if (!/^(?:\.{0,2}\/|file:)/.test(specifier) || !URL.canParse(specifier, parent)) return;
    const { href, pathname } = new URL(specifier, parent);
    this.#note(href);
    if (/\.[^/]*$/.test(pathname)) return;
    for (const extension of EXTENSIONS) this.#note(`${href}${extension}`);
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
