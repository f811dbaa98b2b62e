/**
 * `sluice flame` and `heapprofiler`. clinic's collectors see only the main thread, so the server itself profiles all
 * threads, and clinic displays the result.
 */
import { dirname } from 'node:path';
import type { ClinicTool } from '../clinic/injected.ts';
import { Collected } from '../profiling/collected.ts';
import { startProfile } from '../profiling/receive.ts';
import { writeCpuReport, writeHeapReport } from '../profiling/report.ts';
import type { ClinicArguments } from './clinic-arguments.ts';
import type { Recording, Session } from './clinic-session.ts';

/** For a load to begin and to end in, on a busy machine. */
const MARGIN_SECONDS = 20;

/**
 * A profile ends with its load, or after so long. Samples are taken the less often the longer that is, so a load whose length is known does
 * not ask for more than it takes.
 */
export function longestMs(
  { load, seconds }: Pick<ClinicArguments, 'load' | 'seconds'>,
  maxSeconds: number,
): number {
  return 1_000 * (load === undefined ? maxSeconds : Math.min(maxSeconds, seconds + MARGIN_SECONDS));
}

export async function recordProfiles(tool: ClinicTool, session: Session): Promise<Recording> {
  const { run, given, config, folder } = session;
  await run.start(given.startWords, null);
  const collected = new Collected();
  const request = {
    kind: tool === 'flame' ? ('cpu' as const) : ('heap' as const),
    durationMs: longestMs(given, config.profiling.maxSeconds),
    ...(given.pool !== undefined && { pool: given.pool }),
  };
  const stream = await startProfile(run.client, request, (head, bytes) => collected.add(head, bytes));
  return {
    finish: async () => {
      stream.endEarly();
      await stream.done;
      await run.stop();
      const { signal } = new AbortController();
      const options = { folder, directory: dirname(config.file), clinic: true, signal };
      const write = tool === 'flame' ? writeCpuReport : writeHeapReport;
      const { files, notes } = await write(collected, options);
      const isClinics = (file: string) => file.endsWith(`.clinic-${tool}.html`);
      return { files: files.toSorted((a, b) => Number(isClinics(b)) - Number(isClinics(a))), notes };
    },
  };
}
