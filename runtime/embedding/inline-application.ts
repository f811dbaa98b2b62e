/**
 * An application that a test writes as a function of its own file. It runs in a thread, as every application does, and a function cannot be sent
 * to a thread. So its source text becomes a module, in which the names of the test's file mean nothing.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';

/** Of any kind that an application can be. */
export type InlineApplication = (...parameters: never[]) => unknown;

export interface WrittenApplication extends AsyncDisposable {
  readonly file: string;
}

/**
 * @param directory whose packages it can import with `await import()`
 * @throws TypeError for a function that has no source text
 */
export async function writeInlineApplication(
  application: InlineApplication,
  directory: string,
): Promise<WrittenApplication> {
  const source = inlineModule(application);
  const packages = join(directory, 'node_modules');
  const folder = await mkdtemp(join(existsSync(packages) ? packages : tmpdir(), '.sluice-test-'));
  const file = join(folder, 'application.mjs');
  await writeFile(file, source);
  return { file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** @throws TypeError */
export function inlineModule(application: InlineApplication): string {
  const text = Function.prototype.toString.call(application);
  const expression = `(${text})`;
  if (isExpression(expression)) return `export default ${expression};\n`;
  // `{ async answer(exchange) {} }`: the text of a method is no expression outside of an object.
  const method = `Object.values({ ${text} })[0]`;
  if (isExpression(method)) return `export default ${method};\n`;
  throw new TypeError(
    `application: expected a function with source text, got ${JSON.stringify(text.slice(0, 80))}; write a module and give its path`,
  );
}

function isExpression(text: string): boolean {
  try {
    new Script(text);
    return true;
  } catch {
    // A SyntaxError, which is what was asked about.
    return false;
  }
}
