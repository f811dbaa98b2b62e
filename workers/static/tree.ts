/**
 * The files below a root: names → an open file. What is known of a file (its size, its times) is asked of the open file
 * and not of its name, which may come to mean another in between.
 *
 * Unless links may lead anywhere, a name is resolved first, and only a path inside the root is opened, its last name not
 * as a link. The root may be a link itself that a deployment turns to the next release: it is resolved again when a file
 * turns out to lie elsewhere.
 */
import { join, sep } from 'node:path';
import type { Disk, DiskFile, FileStats } from './disk.ts';
import type { StaticOptions } from './options.ts';

export interface OpenFile {
  readonly file: DiskFile;
  readonly stats: FileStats;
  /** The path asked for, whose last name tells the media type. */
  readonly path: string;
}

/** What a name turned out to be. `outside`: a link that leaves the root; `special`: a device, pipe or socket. */
export type Found = OpenFile | 'directory' | 'missing' | 'outside' | 'special' | 'forbidden';

export class Tree {
  readonly #root: string;
  readonly #symlinks: StaticOptions['symlinks'];
  readonly #disk: Disk;
  /** The root's real path and a separator; empty until it is known. */
  #within = '';

  constructor(root: string, symlinks: StaticOptions['symlinks'], disk: Disk) {
    this.#root = root;
    this.#symlinks = symlinks;
    this.#disk = disk;
  }

  /**
   * Opens what lies below the root under these names; the caller closes it.
   * @throws the system's error when it is not about the file (EMFILE, EIO)
   */
  find(segments: readonly string[]): Found {
    return this.#open(join(this.#root, ...segments));
  }

  /**
   * Opens a path that begins with that of a file which was found; the caller closes it.
   * @throws as `find`
   */
  openBeside(path: string): Found {
    return this.#open(path);
  }

  #open(path: string): Found {
    let file: DiskFile | null;
    try {
      file = this.#symlinks === 'anywhere' ? this.#disk.open(path) : this.#openInside(path);
    } catch (error) {
      const absent = absence(error);
      if (absent === null) throw error;
      return absent;
    }
    if (file === null) return 'outside';
    let isHandedOver = false;
    try {
      const stats = file.stat();
      if (stats.isDirectory()) return 'directory';
      if (!stats.isFile()) return 'special';
      isHandedOver = true;
      return { file, stats, path };
    } finally {
      if (!isHandedOver) file.close();
    }
  }

  /** Null: it lies outside of the root. */
  #openInside(path: string): DiskFile | null {
    const target = this.#disk.realpath(path);
    if (this.#within === '' || !target.startsWith(this.#within)) {
      const root = this.#disk.realpath(this.#root);
      this.#within = root.endsWith(sep) ? root : root + sep;
      if (target !== root && !target.startsWith(this.#within)) return null;
    }
    return this.#disk.openResolved(target);
  }
}

/** What a system error says of the file; null when it says something of the system. */
export function absence(error: unknown): Exclude<Found, OpenFile> | null {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'ENOENT':
    case 'ENOTDIR':
    // Too long for a name, links in a circle, characters that the file system has no names with.
    case 'ENAMETOOLONG':
    case 'ELOOP':
    case 'EINVAL':
    case 'EILSEQ':
      return 'missing';
    case 'EACCES':
    case 'EPERM':
      return 'forbidden';
    // Windows opens no directories.
    case 'EISDIR':
      return 'directory';
    // Sockets, and devices without a driver.
    case 'ENXIO':
    case 'ENODEV':
    case 'EOPNOTSUPP':
      return 'special';
    default:
      return null;
  }
}
