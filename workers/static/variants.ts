/**
 * Finds out which codings of a file exist beside it. Most files have none, and asking the disk for three
 * missing names costs more than sending a small file. So the result is remembered for a moment. Only the
 * names are remembered; a variant is judged by its own times when it is opened.
 */
import { CODING_SUFFIX } from './content-coding.ts';
import type { Disk, FileStats } from './disk.ts';
import type { ContentCoding } from './options.ts';
import { absence, type OpenFile, type Tree } from './tree.ts';

export interface Variant {
  readonly coding: ContentCoding;
  readonly path: string;
  readonly modifiedSeconds: bigint;
}

interface Known {
  readonly atMs: number;
  readonly variants: readonly Variant[];
}

const NONE: readonly Variant[] = [];
/** The number of remembered files is limited, because clients choose which files they request. */
const REMEMBERED = 4_096;

export class Variants {
  readonly #codings: readonly ContentCoding[];
  readonly #recheckMs: number;
  readonly #disk: Disk;
  readonly #tree: Tree;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  /** @param recheckMs how long a result is valid */
  constructor(
    codings: readonly ContentCoding[],
    recheckMs: number,
    disk: Disk,
    tree: Tree,
    now: () => number,
  ) {
    this.#codings = codings;
    this.#recheckMs = recheckMs;
    this.#disk = disk;
    this.#tree = tree;
    this.#now = now;
  }

  /**
   * The variants in the order of preference. A variant older than the file was made from an earlier state and
   * is left out.
   */
  of(original: OpenFile): readonly Variant[] {
    if (this.#codings.length === 0) return NONE;
    const { path, stats } = original;
    const now = this.#now();
    let known = this.#known.get(path);
    // If the clock is set back, a result must not be kept for that much longer.
    if (known === undefined || now < known.atMs || now - known.atMs >= this.#recheckMs) {
      known = { atMs: now, variants: this.#lookFor(path) };
      this.#remember(path, known);
    }
    return known.variants.filter((variant) => variant.modifiedSeconds >= secondsOf(stats));
  }

  /**
   * Null if the variant has changed since; the file itself serves as well. The caller must close the result.
   */
  open(variant: Variant, original: OpenFile): OpenFile | null {
    const found = this.#tree.open(variant.path);
    if (typeof found === 'string') return null;
    if (secondsOf(found.stats) >= secondsOf(original.stats)) return found;
    found.file.close();
    return null;
  }

  #lookFor(path: string): Variant[] {
    return this.#codings.map((coding) => this.#lookAt(path, coding)).filter((variant) => variant !== null);
  }

  #lookAt(original: string, coding: ContentCoding): Variant | null {
    const path = original + CODING_SUFFIX[coding];
    try {
      const stats = this.#disk.stat(path);
      return stats?.isFile() === true ? { coding, path, modifiedSeconds: secondsOf(stats) } : null;
    } catch (error) {
      if (absence(error) !== null) return null;
      throw error;
    }
  }

  #remember(path: string, known: Known): void {
    this.#known.delete(path);
    if (this.#known.size >= REMEMBERED) this.#known.delete(this.#known.keys().next().value as string);
    this.#known.set(path, known);
  }
}

/** Compares whole seconds, because not all tools that keep a file's time keep the fraction. */
function secondsOf({ mtimeNs }: FileStats): bigint {
  return mtimeNs / 1_000_000_000n;
}
