/** `sluice reload`: makes the servers of a configuration load what is on the disk now, one after the other. */
import type { FindOptions } from '../control/find.ts';
import { describeReload, isWhole, type ReloadReport } from '../reload/report.ts';
import { type Answer, type AskedConfig, askServers, DoneInPart, inTurn } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';

const wording = { prefix: 'not reloaded: ', exitCode: exitCodeOf };

/**
 * Prints a line for each change, or why a server has not reloaded. If the version on the disk is to blame, the remaining servers are not asked. One
 * that has ended, or is stopping, leaves the others to be asked.
 */
export function askReload(
  config: AskedConfig,
  find: FindOptions,
  print: (text: string) => void,
): Promise<Answer> {
  return askServers(
    config,
    (found) =>
      inTurn(
        found,
        { print },
        async (client) => {
          const report = (await client.ask('POST', '/reload')) as ReloadReport;
          const isDone = isWhole(report);
          const head = isDone ? `reloaded in ${report.durationMs} ms` : 'reloaded in part';
          const text = [head, ...describeReload(report)].join('\n');
          if (!isDone) throw new DoneInPart(text);
          return `${text}\n`;
        },
        wording,
      ),
    find,
    wording,
  );
}

/** The exit code that a start with the same error would have. */
function exitCodeOf(code: string): ExitCode {
  if (code === 'SLUICE_APPLICATION_LOAD_FAILED') return ExitCode.ApplicationFailed;
  return code.startsWith('SLUICE_CONFIG_') || code.startsWith('SLUICE_TLS_')
    ? ExitCode.ConfigWrong
    : ExitCode.Failed;
}
