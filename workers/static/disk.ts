/** What of the file system the application uses: one seam, so that tests can drive faults that no real disk shows on demand. */
import { constants, open, realpath, stat } from 'node:fs/promises';

/** The part of `BigIntStats` that is looked at. */
export interface FileStats {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  isFile(): boolean;
  isDirectory(): boolean;
}

export interface DiskFile {
  stat(options: { readonly bigint: true }): Promise<FileStats>;
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}

export interface Disk {
  readonly platform: NodeJS.Platform;
  realpath(path: string): Promise<string>;
  stat(path: string): Promise<FileStats>;
  /** For reading. With `isFinal` the last name must not be a symbolic link. */
  open(path: string, isFinal: boolean): Promise<DiskFile>;
}

/**
 * O_NONBLOCK: a named pipe that nobody writes to would hold one of the few threads that Node has for files. Windows has
 * neither flag.
 */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const READ_FINAL = READ | (constants.O_NOFOLLOW ?? 0);

export const nodeDisk: Disk = {
  platform: process.platform,
  realpath,
  stat: (path) => stat(path, { bigint: true }),
  open: (path, isFinal) => open(path, isFinal ? READ_FINAL : READ),
};
