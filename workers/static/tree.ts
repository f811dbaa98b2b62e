/**
 * The files below a root: turns names into an open file. The size and times of a file are read from the open
 * file and not by its name, which may come to mean another file in between.
 *
 * Unless links may lead anywhere, a name is resolved first. Only a path inside the root is opened, and its
 * last name not as a link. The root may itself be a link that a deployment points at the next release. So it
 * is resolved again when a file turns out to lie elsewhere.
 */
import { join, sep } from 'node:path';
import type { Disk, DiskFile, FileStats } from './disk.ts';
import type { StaticOptions } from './options.ts';

export interface OpenFile {
  readonly file: DiskFile;
  readonly stats: FileStats;
  /** The requested path, whose last name determines the media type. */
  readonly path: string;
}

/** What a name refers to. `outside`: a link that leaves the root; `special`: a device, pipe or socket. */
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
   * Opens what has these names below the root; the caller must close it.
   * @throws the system's error if it does not concern the file (EMFILE, EIO)
   */
  find(segments: readonly string[]): Found {
    return this.open(join(this.#root, ...segments));
  }

  /**
   * Opens a whole path, which lies inside the root unless links may lead anywhere; the caller must close it.
   * @throws as `find`
   */
  open(path: string): Found {
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

  /** Null: the path lies outside the root. */
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

/** What a system error says about the file; null if it says something about the system. */
export function absence(error: unknown): Exclude<Found, OpenFile> | null {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'ENOENT':
    case 'ENOTDIR':
    // The name is too long, links form a circle, or the file system does not allow the characters.
    case 'ENAMETOOLONG':
    case 'ELOOP':
    case 'EINVAL':
    case 'EILSEQ':
      return 'missing';
    case 'EACCES':
    case 'EPERM':
      return 'forbidden';
    // Windows cannot open directories.
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
