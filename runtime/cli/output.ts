/** Standard output of a command that asks a running server. */
import { once } from 'node:events';
import { untilInterrupted } from './interrupts.ts';

export interface AdminOutput {
  /** Whether a person reads it. */
  readonly isTerminal: boolean;
  readonly colour: boolean;
  /** Writes a line to standard error. */
  warn(text: string): void;
  /** Writes to standard output at once. */
  print(text: string): void;
  /** For a command that writes until the user ends it. Until this is called, a signal ends the process at once. */
  stream(): OutputStream;
}

export interface OutputStream {
  /** Aborts when the user ends the command. */
  readonly signal: AbortSignal;
  write(text: string): Promise<void>;
}

export function processOutput(): AdminOutput {
  const isTerminal = process.stdout.isTTY === true;
  return {
    isTerminal,
    colour: isTerminal && !process.env.NO_COLOR,
    // If the reader has gone, the command goes on with what it was asked for.
    print: (text) => void process.stdout.write(text),
    warn: (text) => void process.stderr.write(`sluice: ${text}\n`),
    stream: () => {
      const signal = untilInterrupted();
      return {
        signal,
        write: async (text) => {
          if (signal.aborted || process.stdout.write(text)) return;
          // Waits for a slow reader; the server drops lines meanwhile.
          await once(process.stdout, 'drain', { signal }).catch(() => undefined);
        },
      };
    },
  };
}
