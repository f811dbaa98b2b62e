/** Standard output of a command that goes on until somebody has seen enough. */
import { once } from 'node:events';
import type { AdminOutput } from './admin.ts';

/** Until SIGINT or SIGTERM, or until whoever reads has gone. */
export function processOutput(): AdminOutput {
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ended.abort());
  process.stdout.once('error', () => ended.abort());
  const isTerminal = process.stdout.isTTY === true;
  return {
    isTerminal,
    colour: isTerminal && !process.env.NO_COLOR,
    signal: ended.signal,
    write: async (text) => {
      if (ended.signal.aborted || process.stdout.write(text)) return;
      // A reader that is slow is waited for, and the server leaves lines out meanwhile.
      await once(process.stdout, 'drain', { signal: ended.signal }).catch(() => undefined);
    },
  };
}
