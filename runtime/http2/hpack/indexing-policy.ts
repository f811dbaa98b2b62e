/**
 * Decides which fields the encoder puts into the dynamic table.
 *
 * An entry pays from its second use on. It costs the peer memory, and takes the place of other entries. So:
 *
 * - Credentials are never indexed, neither here nor by an intermediary (RFC 7541 section 7.1.3): a table that
 *   answers "have I seen this value?" lets an attacker guess it.
 * - Names whose values are usually new with each message are indexed when the same value comes twice in a
 *   row. A date repeats within its second on a busy connection and never on a quiet one; content-length
 *   repeats when one resource is requested again and again.
 * - Fields that the application marks follow their mark.
 * - All others are indexed at first sight, until several values of the name came and none was used again.
 *   From then on they are treated like the second kind (a request id, a trace id).
 */
import { FieldMark } from '../../../wire/field-marks.ts';

export const Indexing = { Never: 0, OnRepeat: 1, AtOnce: 2 } as const;
export type Indexing = (typeof Indexing)[keyof typeof Indexing];

/**
 * If this many values of a name in a row went into the table and were not used, the name waits for repeats.
 */
export const MAX_UNUSED_VALUES = 8;

const indexingByName = new Map<string, Indexing>();
for (const name of ['authorization', 'proxy-authorization', 'cookie', 'set-cookie']) {
  indexingByName.set(name, Indexing.Never);
}
for (const name of [
  ':path',
  'age',
  'content-length',
  'content-location',
  'content-range',
  'date',
  'etag',
  'expires',
  'if-modified-since',
  'if-none-match',
  'last-modified',
  'link',
  'location',
  'range',
  'retry-after',
]) {
  indexingByName.set(name, Indexing.OnRepeat);
}

/** The policy above, for a name in lower case. */
export function defaultIndexing(name: string): Indexing {
  return indexingByName.get(name) ?? Indexing.AtOnce;
}

/** What the mark in front of a name asks for; null: no mark. */
export function markedIndexing(name: string): Indexing | null {
  if (name.startsWith(FieldMark.Never)) return Indexing.Never;
  return name.startsWith(FieldMark.Prefer) ? Indexing.AtOnce : null;
}

/** What the encoder knows about one field name on one connection. */
export class NameRecord {
  readonly name: string;
  /** The first static entry with this name, or 0. */
  readonly staticIndex: number;
  indexing: Indexing;
  /** Serial of the newest dynamic entry with this name, which may have been evicted since. */
  newest = 0;
  unusedValues = 0;
  /** Fingerprint of the last value that was sent as a literal, to recognise it when it comes again. */
  lastFingerprint = 0;

  constructor(name: string, staticIndex: number, indexing: Indexing) {
    this.name = name;
    this.staticIndex = staticIndex;
    this.indexing = indexing;
  }

  /** The dynamic table had the value. */
  used(): void {
    this.unusedValues = 0;
  }

  /** Whether this value, which the table does not have, should enter it. */
  admits(value: string): boolean {
    if (this.indexing === Indexing.AtOnce) {
      if (++this.unusedValues > MAX_UNUSED_VALUES) this.indexing = Indexing.OnRepeat;
      return true;
    }
    if (this.indexing === Indexing.Never) return false;
    const before = this.lastFingerprint;
    this.lastFingerprint = fingerprint(value);
    return before === this.lastFingerprint;
  }
}

/** Two values with the same fingerprint only cost a superfluous entry. Never 0, which means none. */
function fingerprint(value: string): number {
  let hash = value.length;
  for (let i = 0; i < value.length; i++) hash = (Math.imul(hash, 31) + value.charCodeAt(i)) | 0;
  return hash === 0 ? 1 : hash;
}
