/** Finds where a syntax error is. Node does not report the place when an ECMAScript module is imported. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A separate process parses the modules again. Only the error report waits for it. */
const TIMEOUT_MS = 5_000;
const MAX_OUTPUT_BYTES = 65_536;

const HERE = import.meta.url;
/** The program has the extension of this module: TypeScript in the repository, JavaScript in the package. */
const PROGRAM = fileURLToPath(new URL(`find-syntax-error${HERE.slice(HERE.lastIndexOf('.'))}`, HERE));

/**
 * Returns a syntax error with its place in front of its stack. Any other error is returned unchanged, and so is one without a place.
 * @param application URL of the module that was imported
 */
export async function locate(error: unknown, application: string): Promise<unknown> {
  if (!(error instanceof SyntaxError) || !error.stack?.startsWith('SyntaxError: ')) return error;
  const { NODE_OPTIONS: _, ...env } = process.env;
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--experimental-vm-modules', '--no-warnings', PROGRAM, application],
      { env, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES },
    );
    if (stdout === '') return error;
    error.stack = `${stdout}\n\n${error.stack}`;
    error.message = `${error.message} (${stdout.slice(0, stdout.indexOf('\n'))})`;
  } catch {
    // The error stays as Node made it.
  }
  return error;
}
