/** Which files a thread loads for its application, for whoever watches them: modules of any kind, JSON, and what is loaded later. */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The server's own modules are not the application's, and do not change under it. */
const OWN = ['../../workers/', '../../wire/', '../../runtime/'].map(
  (path) => new URL(path, import.meta.url).href,
);

export class LoadedFiles {
  readonly #tell: (files: readonly string[]) => void;
  #untold: string[] = [];

  /** Sees what is loaded from now on. @param tell is given absolute paths, several at a time, each file once for each load */
  constructor(tell: (files: readonly string[]) => void) {
    this.#tell = tell;
    registerHooks({
      // Before it is read: a file that cannot be parsed counts too, and is the one that will be mended.
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

  /** Before the thread says anything that depends on it. */
  flush(): void {
    if (this.#untold.length === 0) return;
    this.#tell(this.#untold);
    this.#untold = [];
  }
}
