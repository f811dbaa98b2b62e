/**
 * The part of the file system that the application uses. It is one seam, so that tests can cause faults that
 * no real disk shows on demand.
 *
 * Every call is synchronous, on the thread that serves. An asynchronous call would wait for one of the few
 * threads that libuv has for the whole process; an application that hashes passwords or waits for a pipe can
 * occupy all of them. Passing a call on also costs more than the call itself if the kernel has the answer in
 * memory. The thread owns no socket, so a file system that hangs delays only the clients of this thread.
 */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';

/** The part of `BigIntStats` that is used. */
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
  /** Null if no file has this name. */
  stat(path: string): FileStats | null;
  /** Opens any path for reading. The caller must check what it is before reading it. */
  open(path: string): DiskFile;
  /** Opens a result of `realpath`. Refuses a last name that has become a symbolic link since. */
  openResolved(path: string): DiskFile;
}

/**
 * O_NONBLOCK: opening a named pipe without a writer would never return. O_NOCTTY: a terminal must not become
 * this process's controlling terminal. Windows has none of these flags.
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
