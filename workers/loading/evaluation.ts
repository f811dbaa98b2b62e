/**
 * Imports an application, or a module of actors, and knows whether what runs of it by now has waited for a top-level await.
 *
 * V8 does not let a thread end in the body of a module that imports another with a top-level await and has none itself: a `terminate()`, a
 * `process.exit()` and a heap that is full abort the whole process there (`Check failed`, in Node 22, 24 and 26). So the reactor is told
 * (`Vitals`), to wait for such a thread instead of terminating it, and an exit comes a moment later.
 *
 * The application is imported by a module of ours, which imports a mark behind it. Bodies run in that order, except for those that wait for a
 * top-level await. So when the mark runs before the import is over, there is one.
 */
import type { ModuleExports } from './exports.ts';

const HERE = import.meta.url;
/** Beside the sources the modules are TypeScript, in what is published they are JavaScript. */
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

/** @param to is told true when bodies that waited for a top-level await may run, and false when no more do */
export function watchEvaluation(to: (mayRun: boolean) => void): void {
  tell = to;
}

/** The mark runs. */
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
  const { exit } = process;
  const exitSafely = (code?: number | string | null): never => {
    if (!mayRun) return exit.call(process, code);
    setImmediate(() => exit.call(process, code));
    // The rest of the module is not to run.
    throw new ExitError(code);
  };
  process.exit = exitSafely;
  const mark = `${MARK}?${++imports}`;
  const text = `import * as application from ${JSON.stringify(application)};import ${JSON.stringify(mark)};export{application}`;
  try {
    const wrapper = await import(`data:text/javascript,${encodeURIComponent(text)}`);
    return wrapper.application;
  } finally {
    mayRun = false;
    tell(false);
    // The application may have put something else in its place.
    if (process.exit === exitSafely) process.exit = exit;
  }
}
