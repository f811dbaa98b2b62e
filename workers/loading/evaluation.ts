/**
 * Imports an application, or a module of actors, and detects whether it uses top-level await.
 *
 * V8 aborts the whole process (`Check failed`, in Node 22, 24 and 26) when a thread ends in the body of a module that imports another
 * module with a top-level await and has none itself. A `terminate()`, a `process.exit()` and a full heap all do that. The thread therefore
 * tells the reactor (`Vitals`) to wait instead of terminating it, and delays an exit.
 *
 * A wrapper module imports the application and, after it, a mark. Module bodies run in that order unless one waits for a top-level
 * await. If the mark runs before the import has completed, the application has a top-level await.
 */
import { insteadOfExits } from './exits.ts';
import type { ModuleExports } from './exports.ts';

const HERE = import.meta.url;
/** The mark has the extension of this module: TypeScript in the repository, JavaScript in the package. */
const MARK = new URL(`evaluation-mark${HERE.slice(HERE.lastIndexOf('.'))}`, HERE).href;

export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly code = 'SLUICE_EXIT_WHILE_LOADING';

  constructor(exitCode: unknown) {
    super(`the module called process.exit(${exitCode ?? ''}) while it was loaded`);
  }
}

let imports = 0;
let onMark = (): void => undefined;
let tell = (_mayRun: boolean): void => undefined;

/** @param to receives true when module bodies may run after a top-level await, and false when the import is over */
export function watchEvaluation(to: (mayRun: boolean) => void): void {
  tell = to;
}

/** Called by the mark. */
export function passed(): void {
  onMark();
}

/** @param application URL of its module */
export async function importApplication(application: string): Promise<ModuleExports> {
  let mayRun = false;
  onMark = () => {
    mayRun = true;
    tell(true);
  };
  const restoreExits = insteadOfExits({
    exit(args, exit) {
      if (!mayRun) exit(...args);
      setImmediate(() => exit(...args));
      // The rest of the module must not run.
      throw new ExitError(args[0]);
    },
    kill: () => false,
  });
  const mark = `${MARK}?${++imports}`;
  const text = `import * as application from ${JSON.stringify(application)};import ${JSON.stringify(mark)};export{application}`;
  try {
    const wrapper = await import(`data:text/javascript,${encodeURIComponent(text)}`);
    return wrapper.application;
  } finally {
    mayRun = false;
    tell(false);
    restoreExits();
  }
}
