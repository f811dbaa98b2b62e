/** Tells a command that runs until the user ends it that the user has done so. */
import { StopSignals } from '../process/stop-signals.ts';

/**
 * Aborts at the first SIGINT or SIGTERM, or when the reader of standard output has gone (`sluice top | head`). A second signal ends the process.
 * A Ctrl-C that npx passes on, although the terminal has sent it already, counts once.
 */
export function untilInterrupted(
  { first, second }: Pick<StopSignals, 'first' | 'second'> = new StopSignals(),
  output: NodeJS.EventEmitter = process.stdout,
  exit: (code: number) => void = (code) => process.exit(code),
): AbortSignal {
  const interrupted = new AbortController();
  void first.then(() => interrupted.abort());
  void second.then(exit);
  output.on('error', () => interrupted.abort());
  return interrupted.signal;
}
