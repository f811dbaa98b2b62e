/**
 * An application that a test defines as a function in its own file. It runs in a thread like every application, but a function cannot be
 * sent to a thread. Its source text therefore becomes a module of its own, which cannot use names of the test's file.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';

/** A function of any kind of application. */
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
    // The caller only asks whether the text is an expression, and a SyntaxError answers that.
    return false;
  }
}
