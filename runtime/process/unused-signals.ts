/**
 * SIGUSR2 restarts some servers and reopens the log of others. Here it means nothing, and without a listener it would end the process at once, with
 * every open exchange.
 */
import type { Log } from '../logging/log.ts';

/** Leaves the signal to Node if one of its flags has a use for it, such as `--report-on-signal`. */
export function tellOfUnusedSignal(log: Log): void {
  if (process.listenerCount('SIGUSR2') > 1) return;
  process.on('SIGUSR2', () =>
    log.warn('SIGUSR2 has no effect: SIGHUP reloads, SIGUSR1 reopens log.file, and SIGTERM drains and ends'),
  );
}
