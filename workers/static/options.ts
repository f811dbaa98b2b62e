/**
 * The options of the built-in application for files, as JSON in the boot data of its threads. The
 * configuration has validated them and filled in every default.
 */
export interface StaticOptions {
  /** Absolute path of the directory. */
  readonly root: string;
  /** The route's pattern: `/assets/*` serves what follows `/assets`, an exact path its own last segment. */
  readonly path: string;
  /** File names to try in order for a path that ends in a slash; empty: none. */
  readonly index: readonly string[];
  /** What happens to names that begin with a dot: `hide` answers 404, `refuse` 403. */
  readonly dotfiles: 'hide' | 'refuse' | 'serve';
  /** Where a symbolic link may lead: only inside the root, or anywhere. */
  readonly symlinks: 'inside' | 'anywhere';
  /** Content codings whose files are looked for beside a file, the preferred one first; empty: none. */
  readonly precompressed: readonly ContentCoding[];
  /** How long the application remembers which codings exist beside a file, in milliseconds. */
  readonly recheckMs: number;
  /** What the entity tag is made from, together with the size; `none` sends no tag. */
  readonly etag: 'mtime' | 'ctime' | 'none';
  /** The value of Cache-Control; empty sends none. */
  readonly cacheControl: string;
  /** A request for more ranges than this is answered with the whole file. */
  readonly maxRanges: number;
  /**
   * Bytes of one read, and the most that one exchange holds of a file. A file that fits is sent as one
   * message.
   */
  readonly readBytes: number;
}

/** RFC 9110 section 8.4.1, RFC 7932, RFC 8878. */
export type ContentCoding = 'br' | 'zstd' | 'gzip';
