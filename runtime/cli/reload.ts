/** `sluice reload`: has the servers of a configuration take over what is on the disk now, one after the other. */
import type { Config } from '../config/config.ts';
import { type ControlClient, connectControls } from '../control/client.ts';
import { ControlRefusal, ControlSocketError } from '../control/errors.ts';
import { describeReload, isWhole, type ReloadReport } from '../reload/report.ts';
import { ExitCode } from './exit-code.ts';

export interface ReloadAnswer {
  readonly exitCode: ExitCode;
  /** What has changed, a line for each; or why nothing has, or not all. */
  readonly text: string;
}

/** Where one server does not take it over, the ones behind it are not asked: they would fare no better. */
export async function askReload(config: Config): Promise<ReloadAnswer> {
  let clients: readonly ControlClient[] = [];
  let text = '';
  try {
    clients = await connectControls(config);
    for (const client of clients) {
      if (clients.length > 1) text += `${client.path}\n`;
      const report = (await client.ask('POST', '/reload')) as ReloadReport;
      const isDone = isWhole(report);
      const head = isDone ? `reloaded in ${report.durationMs} ms` : 'reloaded in part';
      text += `${[head, ...describeReload(report)].join('\n')}\n`;
      if (!isDone) return { exitCode: ExitCode.Failed, text };
    }
    return { exitCode: ExitCode.Ok, text };
  } catch (error) {
    if (!(error instanceof ControlSocketError || error instanceof ControlRefusal)) throw error;
    text += `not reloaded: ${error.message} [${error.code}]`;
    return { exitCode: exitCodeOf(error.code), text };
  } finally {
    for (const client of clients) client.close();
  }
}

/** As if the server had been started with it. */
function exitCodeOf(code: string): ExitCode {
  if (code === 'SLUICE_APPLICATION_LOAD_FAILED') return ExitCode.ApplicationFailed;
  return code.startsWith('SLUICE_CONFIG_') || code.startsWith('SLUICE_TLS_')
    ? ExitCode.ConfigWrong
    : ExitCode.Failed;
}
