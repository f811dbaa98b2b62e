/**
 * The end of a field block that repeats the end of the block before: references alone, the same octets, and a
 * table that has not changed in between. Most requests of a connection differ only in their pseudo-fields,
 * which come first. So what was decoded and checked once need not be again.
 *
 * It belongs to one connection, as the table does: everything that it remembers came from the connection's
 * peer.
 */

/** A reference takes one octet or two. */
const MAX_TAIL_BYTES = 128;

export class RepeatedTail {
  /** Set by the decoder for each block: the decoded lines lack the tail, which is `lines`. */
  isRepeated = false;
  /** Set by the decoder for each block: the block ends in `lines`. */
  isOfLastBlock = false;
  /** name, value, name, value… of the last tail; empty if there is none to compare with. */
  lines: readonly string[] = [];
  /** What the tail counts towards the limit of a field list. */
  listBytes = 0;
  #octets: Uint8Array | null = null;
  #length = 0;
  #inserted = 0;
  #evicted = 0;

  /** Makes every later comparison fail. */
  forget(): void {
    this.#length = 0;
    this.isRepeated = false;
    this.isOfLastBlock = false;
    this.lines = [];
  }

  /**
   * Whether bytes[start, end) equal the last tail.
   * @param inserted, evicted the table's serials
   */
  matches(bytes: Uint8Array, start: number, end: number, inserted: number, evicted: number): boolean {
    const length = this.#length;
    if (length === 0 || end - start !== length) return false;
    if (this.#inserted !== inserted || this.#evicted !== evicted) return false;
    const octets = this.#octets as Uint8Array;
    for (let i = 0; i < length; i++) if (octets[i] !== bytes[start + i]) return false;
    return true;
  }

  /** Remembers a tail: references alone, which have left the table unchanged. */
  remember(
    bytes: Uint8Array,
    start: number,
    end: number,
    inserted: number,
    evicted: number,
    lines: readonly string[],
    listBytes: number,
  ): void {
    const length = end - start;
    if (length > MAX_TAIL_BYTES) {
      this.forget();
      return;
    }
    this.#octets ??= new Uint8Array(MAX_TAIL_BYTES);
    for (let i = 0; i < length; i++) this.#octets[i] = bytes[start + i];
    this.#length = length;
    this.#inserted = inserted;
    this.#evicted = evicted;
    this.lines = lines;
    this.isOfLastBlock = true;
    this.listBytes = listBytes;
  }
}
