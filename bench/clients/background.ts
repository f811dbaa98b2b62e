/** Client programs that enter a state and stay in it while a server is observed. */
import { fileURLToPath } from 'node:url';
import { Program } from '../processes.ts';

/**
 * Starts a client of this directory and waits until it prints a line that begins with `word`.
 * @returns the program, which the caller must stop, and the rest of that line
 */
export async function startClient(
  file: string,
  args: readonly (string | number)[],
  word: string,
  timeoutMs: number,
): Promise<{ program: Program; report: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let printed = '';
  const path = fileURLToPath(new URL(`./${file}`, import.meta.url));
  const program = new Program(file, process.execPath, [path, ...args.map(String)], {
    onOutput: (text) => {
      printed += text;
      const line = printed.split('\n').find((candidate) => candidate.startsWith(word));
      if (line !== undefined && printed.endsWith('\n')) resolve(line.slice(word.length).trim());
    },
  });
  program.exited.then((code) => reject(new Error(`${file} ended with ${code}:\n${program.output}`)));
  const timer = setTimeout(() => reject(new Error(`${file} was not ready in ${timeoutMs} ms`)), timeoutMs);
  try {
    return { program, report: await promise };
  } catch (error) {
    await program.stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
