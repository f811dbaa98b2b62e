/**
 * SIGUSR1 reopens the log file after a rotation has renamed it. Node opens its inspector on this signal
 * unless the process listens to it, so `cli.ts` adds a listener before anything else.
 */
import type { Log, LogOutput } from './log.ts';

export function reopenOnSignal({ file }: LogOutput, log: Log): void {
  process.on('SIGUSR1', () => {
    if (file === undefined) {
      log.info('nothing to reopen: log.file names no file, the log goes to standard output');
      return;
    }
    file.reopen((error) => {
      if (error) log.error({ err: error }, 'log file not reopened: the open one stays in use');
      else log.info({ file: file.path }, 'log file reopened');
    });
  });
}
