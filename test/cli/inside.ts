/**
 * Runs a command in the test's own process, by the same words as a person types: a process of its own costs a quarter of a second. Not for commands that
 * run until a signal. Tests that use it are serial, because standard output and standard error are the process's.
 */
import { main } from '../../runtime/cli/main.ts';

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runInside(
  words: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const stdout = capture(process.stdout);
  const stderr = capture(process.stderr);
  try {
    const exitCode = await main(words, variables);
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    stdout.release();
    stderr.release();
  }
}

function capture(stream: NodeJS.WriteStream) {
  const { write } = stream;
  const listeners = new Set(stream.listeners('error'));
  let all = '';
  const take = (chunk: string | Uint8Array, ...more: readonly unknown[]): boolean => {
    all += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    for (const each of more) if (typeof each === 'function') each();
    return true;
  };
  stream.write = take;
  return {
    text: () => all,
    release: () => {
      stream.write = write;
      // Commands leave listeners to a process that ends.
      for (const listener of stream.listeners('error') as (() => void)[])
        if (!listeners.has(listener)) stream.off('error', listener);
    },
  };
}
