/**
 * The files below a root: names → an open file. What is known of a file (its size, its times) is asked of the open file
 * and not of its name, which may come to mean another in between.
 *
 * Unless links may lead anywhere, a name is resolved first, and only a path inside the root is opened, its last name not
 * as a link. The root is resolved each time too: it may be a link itself that a deployment turns to the next release.
 */
import { join, sep } from 'node:path';
import { CODING_SUFFIX } from './content-coding.ts';
import type { Disk, DiskFile, FileStats } from './disk.ts';
import type { ContentCoding, StaticOptions } from './options.ts';

export interface OpenFile {
  readonly file: DiskFile;
  readonly stats: FileStats;
  /** The path asked for, whose last name tells the media type. */
  readonly path: string;
}

/** What a name turned out to be. `outside`: a link that leaves the root; `special`: a device, pipe or socket. */
export type Found = OpenFile | 'directory' | 'missing' | 'outside' | 'special' | 'forbidden';

/** Files that hold other codings of a file, in the order in which they are preferred. */
export interface Variant {
  readonly coding: ContentCoding;
  readonly path: string;
}

export class Tree {
  readonly #root: string;
  readonly #symlinks: StaticOptions['symlinks'];
  readonly #disk: Disk;

  constructor(root: string, symlinks: StaticOptions['symlinks'], disk: Disk) {
    this.#root = root;
    this.#symlinks = symlinks;
    this.#disk = disk;
  }

  /**
   * Opens what lies below the root under these names; the caller closes it.
   * @throws the system's error when it is not about the file (EMFILE, EIO)
   */
  async find(segments: readonly string[]): Promise<Found> {
    return this.#open(join(this.#root, ...segments));
  }

  async openVariant(variant: Variant): Promise<OpenFile | null> {
    const found = await this.#open(variant.path);
    // It was there a moment ago, and the file itself is as good.
    return typeof found === 'string' ? null : found;
  }

  /** Which of the codings lie beside a file. One that is older than the file was made of an earlier state and is left out. */
  async variantsOf(original: OpenFile, codings: readonly ContentCoding[]): Promise<Variant[]> {
    const candidates = codings.map((coding) => ({ coding, path: original.path + CODING_SUFFIX[coding] }));
    const sound = await Promise.all(candidates.map(({ path }) => this.#isVariant(path, original.stats)));
    return candidates.filter((_, position) => sound[position]);
  }

  async #isVariant(path: string, original: FileStats): Promise<boolean> {
    try {
      const stats = await this.#disk.stat(path);
      // In whole seconds: tools that keep a file's time do not all keep its fraction.
      return stats.isFile() && stats.mtimeNs / 1_000_000_000n >= original.mtimeNs / 1_000_000_000n;
    } catch (error) {
      if (absence(error) !== null) return false;
      throw error;
    }
  }

  async #open(path: string): Promise<Found> {
    let file: DiskFile;
    try {
      const target = await this.#resolve(path);
      if (target === null) return 'outside';
      file = await this.#disk.open(target, this.#symlinks === 'inside');
    } catch (error) {
      const absent = absence(error);
      if (absent === null) throw error;
      return absent;
    }
    let isHandedOver = false;
    try {
      const stats = await file.stat({ bigint: true });
      if (stats.isDirectory()) return 'directory';
      if (!stats.isFile()) return 'special';
      isHandedOver = true;
      return { file, stats, path };
    } finally {
      if (!isHandedOver) await file.close();
    }
  }

  /** Null: outside of the root. */
  async #resolve(path: string): Promise<string | null> {
    if (this.#symlinks === 'anywhere') return path;
    const [root, target] = await Promise.all([this.#disk.realpath(this.#root), this.#disk.realpath(path)]);
    const within = root.endsWith(sep) ? root : root + sep;
    return target === root || target.startsWith(within) ? target : null;
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
