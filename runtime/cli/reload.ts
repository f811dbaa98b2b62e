/** `sluice reload`: has the server of a configuration take over what is on the disk now. */
import type { Config } from '../config/config.ts';
import { connectControl } from '../control/client.ts';
import { ControlRefusal, ControlSocketError } from '../control/errors.ts';
import { describeReload, isWhole, type ReloadReport } from '../reload/report.ts';
import { ExitCode } from './exit-code.ts';

export interface ReloadAnswer {
  readonly exitCode: ExitCode;
  /** What has changed, a line for each; or why nothing has, or not all. */
  readonly text: string;
}

export async function askReload(config: Config): Promise<ReloadAnswer> {
  try {
    const client = await connectControl(config);
    try {
      const report = (await client.ask('POST', '/reload')) as ReloadReport;
      const lines = describeReload(report);
      return isWhole(report)
        ? { exitCode: ExitCode.Ok, text: linesOf([`reloaded in ${report.durationMs} ms`, ...lines]) }
        : { exitCode: ExitCode.Failed, text: linesOf(['reloaded in part', ...lines]) };
    } finally {
      client.close();
    }
  } catch (error) {
    if (!(error instanceof ControlSocketError || error instanceof ControlRefusal)) throw error;
    const text = `not reloaded: ${error.message} [${error.code}]`;
    return { exitCode: exitCodeOf(error.code), text };
  }
}

function linesOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

/** As if the server had been started with it. */
function exitCodeOf(code: string): ExitCode {
  if (code === 'SLUICE_APPLICATION_LOAD_FAILED') return ExitCode.ApplicationFailed;
  return code.startsWith('SLUICE_CONFIG_') || code.startsWith('SLUICE_TLS_')
    ? ExitCode.ConfigWrong
    : ExitCode.Failed;
}
