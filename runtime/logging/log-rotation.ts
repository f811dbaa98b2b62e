/**
 * SIGUSR1: the log's file is opened anew, as whoever has just renamed it wants. Node opens its inspector on this signal as long as nobody
 * listens to it, so the command listens before anything else (`cli.ts`), and here is what it is for.
 */
import type { Log, LogOutput } from './log.ts';

export function reopenOnSignal({ file }: LogOutput, log: Log): void {
  process.on('SIGUSR1', () => {
    if (file === undefined) {
      log.info('nothing to reopen: log.file names no file, the log goes to standard output');
      return;
    }
    file.reopen((error) => {
      if (error) log.error({ err: error }, 'log file not reopened: the one that is open goes on');
      else log.info({ file: file.path }, 'log file reopened');
    });
  });
}
