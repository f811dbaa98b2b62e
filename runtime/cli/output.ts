/** Standard output of a command that runs until the user ends it. */
import { once } from 'node:events';
import type { AdminOutput } from './admin.ts';

/** Ends at SIGINT or SIGTERM, or when its reader has gone. */
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
      // Waits for a slow reader; the server drops lines meanwhile.
      await once(process.stdout, 'drain', { signal: ended.signal }).catch(() => undefined);
    },
  };
}
