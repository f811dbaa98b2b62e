/** What the commands for clinic pass to a tool, and what the tool returns. Types only. */
import type { Clinic } from '../clinic/installed.ts';
import type { ServerRun } from '../clinic/server-run.ts';
import type { Config } from '../config/config.ts';
import type { ProfileFolder } from '../profiling/profile-folder.ts';
import type { ServerStatus } from '../status/status-types.ts';
import type { ClinicArguments } from './clinic-arguments.ts';

/** What a tool runs with. */
export interface Session {
  readonly given: ClinicArguments;
  readonly config: Config;
  readonly clinic: Clinic;
  readonly run: ServerRun;
  readonly folder: ProfileFolder;
}

/** What a tool has begun when its server listens. */
export interface Recording {
  /** Ends the recording and the server. What is to be opened, the most useful first, and what is to be known of it. */
  finish(
    after: ServerStatus,
  ): Promise<{ readonly files: readonly string[]; readonly notes: readonly string[] }>;
}
