/** `sluice reload`: makes the servers of a configuration load what is on the disk now, one after the other. */
import type { FindOptions } from '../control/client.ts';
import { describeReload, isWhole, type ReloadReport } from '../reload/report.ts';
import { type Answer, type AskedConfig, askServers } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';

/**
 * Prints a line for each change, or why a server has not reloaded. After a failure the remaining servers are not asked, because they would
 * fail in the same way.
 */
export function askReload(config: AskedConfig, find: FindOptions): Promise<Answer> {
  let text = '';
  return askServers(
    config,
    async (clients) => {
      for (const client of clients) {
        if (clients.length > 1) text += `${client.path}\n`;
        const report = (await client.ask('POST', '/reload')) as ReloadReport;
        const isDone = isWhole(report);
        const head = isDone ? `reloaded in ${report.durationMs} ms` : 'reloaded in part';
        text += `${[head, ...describeReload(report)].join('\n')}\n`;
        if (!isDone) return { exitCode: ExitCode.Failed, text };
      }
      return { exitCode: ExitCode.Ok, text };
    },
    find,
    ({ message, code }) => ({
      exitCode: exitCodeOf(code),
      // Each problem of a configuration has its code already.
      text: `${text}not reloaded: ${message}${message.endsWith(`[${code}]`) ? '' : ` [${code}]`}`,
    }),
  );
}

/** The exit code that a start with the same error would have. */
function exitCodeOf(code: string): ExitCode {
  if (code === 'SLUICE_APPLICATION_LOAD_FAILED') return ExitCode.ApplicationFailed;
  return code.startsWith('SLUICE_CONFIG_') || code.startsWith('SLUICE_TLS_')
    ? ExitCode.ConfigWrong
    : ExitCode.Failed;
}
