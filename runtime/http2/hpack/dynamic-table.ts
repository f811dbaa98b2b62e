/**
 * The dynamic table (RFC 7541 section 2.3.2), for both the encoder and the decoder.
 *
 * Every insertion has a serial number, 1, 2, 3…; the entries in the table are those from `evicted + 1` to
 * `inserted`. A serial never changes, while wire indices shift with each insertion. So code that remembers an
 * entry remembers its serial, and two comparisons tell whether the entry is still there. The slots are a ring
 * that starts empty and doubles: a connection that never fills its table never pays for it.
 *
 * Strings hold one byte per character (latin1), so their length is their size on the wire.
 */

/** What an entry costs in addition to its name and value (RFC 7541 section 4.1). */
export const ENTRY_OVERHEAD_BYTES = 32;
const FIRST_SLOTS = 8;

/** Shared by all tables that have no entry yet; never written to. */
const NO_STRINGS: string[] = [];
const NO_LINKS: number[] = [];

/** A read-only view of a table, for diagnosis and tests. */
export type DynamicTableView = Pick<
  DynamicTable,
  'capacityBytes' | 'sizeBytes' | 'length' | 'inserted' | 'evicted' | 'name' | 'value'
>;

export class DynamicTable {
  #names = NO_STRINGS;
  #values = NO_STRINGS;
  #links = NO_LINKS;
  #mask = -1;
  #inserted = 0;
  #evicted = 0;
  #sizeBytes = 0;
  #capacityBytes: number;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** Serial of the newest entry. */
  get inserted(): number {
    return this.#inserted;
  }

  /** Serial of the newest evicted entry. */
  get evicted(): number {
    return this.#evicted;
  }

  get length(): number {
    return this.#inserted - this.#evicted;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  // Argument of `name`, `value` and `link`: the serial of an entry that is in the table.

  name(serial: number): string {
    return this.#names[serial & this.#mask];
  }

  value(serial: number): string {
    return this.#values[serial & this.#mask];
  }

  /** The number that the caller passed to `insert`. */
  link(serial: number): number {
    return this.#links[serial & this.#mask];
  }

  /** Changes the maximum size and evicts what no longer fits (RFC 7541 section 4.3). */
  setCapacity(capacityBytes: number): void {
    this.#capacityBytes = capacityBytes;
    this.#evictTo(capacityBytes);
  }

  /**
   * Adds an entry after evicting others (RFC 7541 section 4.4). An entry larger than the whole table empties
   * it and is not added; that is not an error.
   */
  insert(name: string, value: string, link: number): void {
    const entryBytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    if (entryBytes > this.#capacityBytes) {
      this.#evictTo(0);
      return;
    }
    if (this.#sizeBytes + entryBytes > this.#capacityBytes) this.#evictTo(this.#capacityBytes - entryBytes);
    if (this.#inserted - this.#evicted > this.#mask) this.#grow();
    const slot = ++this.#inserted & this.#mask;
    this.#names[slot] = name;
    this.#values[slot] = value;
    this.#links[slot] = link;
    this.#sizeBytes += entryBytes;
  }

  #evictTo(targetBytes: number): void {
    while (this.#sizeBytes > targetBytes) {
      const slot = ++this.#evicted & this.#mask;
      this.#sizeBytes -= this.#names[slot].length + this.#values[slot].length + ENTRY_OVERHEAD_BYTES;
      // Releases the strings now instead of when the ring comes round.
      this.#names[slot] = '';
      this.#values[slot] = '';
    }
  }

  #grow(): void {
    const slots = this.#mask < 0 ? FIRST_SLOTS : (this.#mask + 1) * 2;
    const names = new Array<string>(slots).fill('');
    const values = new Array<string>(slots).fill('');
    const links = new Array<number>(slots).fill(0);
    for (let serial = this.#evicted + 1; serial <= this.#inserted; serial++) {
      names[serial & (slots - 1)] = this.#names[serial & this.#mask];
      values[serial & (slots - 1)] = this.#values[serial & this.#mask];
      links[serial & (slots - 1)] = this.#links[serial & this.#mask];
    }
    this.#names = names;
    this.#values = values;
    this.#links = links;
    this.#mask = slots - 1;
  }
}
