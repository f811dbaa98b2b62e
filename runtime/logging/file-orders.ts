/**
 * The messages between a `LogFile` and the thread that writes it: one order at a time, and an outcome for
 * each.
 */

/** Append these bytes; or open this path, and write to it from then on. */
export type FileOrder = Uint8Array | string;

export interface FileOutcome {
  /** Where later output is written. */
  readonly fd: number;
  readonly error: Error | null;
}

/** The owner may read and write the file, its group may read it. */
export const LOG_FILE_PERMISSIONS = 0o640;
