/** `sluice reload`: has the servers of a configuration take over what is on the disk now, one after the other. */
import type { Config } from '../config/config.ts';
import { describeReload, isWhole, type ReloadReport } from '../reload/report.ts';
import { type Answer, askServers } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';

/**
 * What has changed, a line for each; or why nothing has, or not all. Where one server does not take it over, the ones behind it are not
 * asked: they would fare no better.
 */
export function askReload(config: Config): Promise<Answer> {
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
    ({ message, code }) => ({
      exitCode: exitCodeOf(code),
      text: `${text}not reloaded: ${message} [${code}]`,
    }),
  );
}

/** As if the server had been started with it. */
function exitCodeOf(code: string): ExitCode {
  if (code === 'SLUICE_APPLICATION_LOAD_FAILED') return ExitCode.ApplicationFailed;
  return code.startsWith('SLUICE_CONFIG_') || code.startsWith('SLUICE_TLS_')
    ? ExitCode.ConfigWrong
    : ExitCode.Failed;
}
