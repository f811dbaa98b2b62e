/**
 * What of the file system the application uses: one seam, so that tests can drive faults that no real disk shows on demand.
 *
 * Every call is made at once, on the thread that serves. An asynchronous one would wait for one of the few threads that
 * libuv has for the whole process, and an application that hashes passwords or waits for a pipe takes those from everybody.
 * Handing a call over also costs more than the call when the kernel has the answer in memory. The thread owns no socket, so a
 * file system that hangs holds up those whom this thread serves, and nobody else.
 */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';

/** The part of `BigIntStats` that is looked at. */
export interface FileStats {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  isFile(): boolean;
  isDirectory(): boolean;
}

export interface DiskFile {
  stat(): FileStats;
  /** The number of bytes read; 0 at the end. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): number;
  close(): void;
}

export interface Disk {
  readonly platform: NodeJS.Platform;
  realpath(path: string): string;
  /** Null when nothing has this name. */
  stat(path: string): FileStats | null;
  /** Opens any path for reading; what it is has to be asked before it is read. */
  open(path: string): DiskFile;
  /** Opens what `realpath` gave; a last name that has become a symbolic link since is refused. */
  openResolved(path: string): DiskFile;
}

/**
 * O_NONBLOCK: a named pipe that nobody writes to would never be opened. O_NOCTTY: a terminal must not become the one that
 * controls this process. Windows has none of these flags.
 */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
const READ_RESOLVED = READ | (constants.O_NOFOLLOW ?? 0);

class NodeFile implements DiskFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  stat(): FileStats {
    return fstatSync(this.#fd, { bigint: true });
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number): number {
    return readSync(this.#fd, buffer, offset, length, position);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export const nodeDisk: Disk = {
  platform: process.platform,
  realpath: realpathSync.native,
  stat: (path) => statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null,
  open: (path) => new NodeFile(openSync(path, READ)),
  openResolved: (path) => new NodeFile(openSync(path, READ_RESOLVED)),
};
