/** Where a syntax error is, which Node does not say of ECMAScript modules that are imported. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The graph is parsed again for it, by a process that is thrown away; nothing waits for it but the report of the failure. */
const TIMEOUT_MS = 5_000;
const MAX_OUTPUT_BYTES = 65_536;

const HERE = import.meta.url;
/** Beside the sources the modules are TypeScript, in what is published they are JavaScript. */
const PROGRAM = fileURLToPath(new URL(`find-syntax-error${HERE.slice(HERE.lastIndexOf('.'))}`, HERE));

/**
 * The same error with its place in front of its stack; any other error, and one whose place is not found, as it is.
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
    // It stays as Node has made it.
  }
  return error;
}
