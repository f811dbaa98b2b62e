/**
 * What of the file system the application uses: one seam, so that tests can drive faults that no real disk shows on demand.
 *
 * What may wait for a disk is asynchronous: resolving names and reading content go to the few threads that Node has for
 * files. To hand a call over and to be woken again costs more than most calls take, so the others are made at once: a name
 * that was just resolved is opened out of the kernel's cache, and neither `fstat` nor closing a file that was only read
 * waits for anything. This thread serves one directory and owns no socket; a file system that hangs in spite of
 * that holds up its own files alone.
 */
import { closeSync, constants, fstatSync, open, openSync, read } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';

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
  /** Resolves with the number of bytes read; 0 at the end. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  close(): void;
}

export interface Disk {
  readonly platform: NodeJS.Platform;
  realpath(path: string): Promise<string>;
  stat(path: string): Promise<FileStats>;
  /** Opens any path for reading. */
  open(path: string): Promise<DiskFile>;
  /** Opens what `realpath` gave; a last name that has become a symbolic link since is refused. */
  openResolved(path: string): DiskFile;
}

/**
 * O_NONBLOCK: a named pipe that nobody writes to would never be opened. Windows has neither flag.
 */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const READ_RESOLVED = READ | (constants.O_NOFOLLOW ?? 0);

class NodeFile implements DiskFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  stat(): FileStats {
    return fstatSync(this.#fd, { bigint: true });
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#fd, buffer, offset, length, position, (error, bytesRead) =>
        error === null ? resolve(bytesRead) : reject(error),
      );
    });
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export const nodeDisk: Disk = {
  platform: process.platform,
  realpath,
  stat: (path) => stat(path, { bigint: true }),
  open: (path) =>
    new Promise((resolve, reject) => {
      open(path, READ, (error, fd) => (error === null ? resolve(new NodeFile(fd)) : reject(error)));
    }),
  openResolved: (path) => new NodeFile(openSync(path, READ_RESOLVED)),
};
