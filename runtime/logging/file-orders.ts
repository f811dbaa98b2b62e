/** What a `LogFile` and the thread that writes it say to each other. One order at a time, and an outcome for each. */

/** Bytes are to be appended; a path is to be opened, for what is written from then on. */
export type FileOrder = Uint8Array | string;

export interface FileOutcome {
  /** What is written to next. */
  readonly fd: number;
  readonly error: Error | null;
}

/** Its owner reads and writes it, its group reads it. */
export const LOG_FILE_PERMISSIONS = 0o640;
