/**
 * The HPACK encoder (RFC 7541): turns flat lists of names and values into field blocks.
 *
 * For each field name that it has seen, the encoder knows where the name's newest entry in the dynamic table
 * is; entries of one name are linked by serial. So an exact match takes one map look-up and a few
 * comparisons, whatever the size of the table. `indexing-policy.ts` decides what goes into the table.
 *
 * Fields are latin1 strings that the caller has validated. The caller provides `maxEncodedBytes` octets of
 * room.
 */
import { Buffer } from 'node:buffer';
import { isMarked, plainName } from '../../../wire/field-marks.ts';
import { latin1Bytes, putLatin1 } from '../../bytes/latin1.ts';
import { DynamicTable, type DynamicTableView, ENTRY_OVERHEAD_BYTES } from './dynamic-table.ts';
import { huffmanEncode, huffmanEncodedBytes } from './huffman-encode.ts';
import { defaultIndexing, Indexing, markedIndexing, NameRecord } from './indexing-policy.ts';
import { INTEGER_MAX_BYTES, writeInteger } from './integer.ts';
import { RepeatedResponse } from './repeated-response.ts';
import {
  STATIC_LENGTH,
  STATIC_NAMES,
  STATIC_STATUS_INDEX,
  STATIC_VALUES,
  staticIndexOfName,
} from './static-table.ts';

export interface HpackEncoderOptions {
  /** The most bytes of dynamic table to use, whatever the peer would allow. 4,096 needs no size update. */
  readonly maxTableBytes: number;
  /**
   * Huffman-code strings where that is shorter; default true. Without it blocks are larger and cheaper to
   * make.
   */
  readonly huffman?: boolean;
  /** How the values of a name go into the table; default `defaultIndexing`. */
  readonly indexingOf?: (name: string) => Indexing;
}

/** The initial size of a peer's decoder table (RFC 9113 section 6.5.2). */
const INITIAL_TABLE_BYTES = 4096;
/** The most names that are remembered, which bounds the cost of an application that invents names. */
const MAX_NAME_RECORDS = 128;
/** The newest entries of one name that are compared; a name rarely has more values in use. */
const MAX_VALUE_PROBES = 8;
/** Two size updates, and a `:status` literal. */
const BLOCK_OVERHEAD_BYTES = 3 * INTEGER_MAX_BYTES + 4;
/** A literal's representation and its two string lengths. */
const FIELD_OVERHEAD_BYTES = 3 * INTEGER_MAX_BYTES;

// The bits above the prefix (sections 6.1 to 6.3).
const INDEXED = 0x80;
const LITERAL_INDEXING = 0x40;
const SIZE_UPDATE = 0x20;
const LITERAL_NEVER_INDEXED = 0x10;
const LITERAL_NOT_INDEXED = 0x00;

/** Strings are unpacked here before they are encoded; shared, because encoding is synchronous. */
const scratch = Buffer.allocUnsafeSlow(4 * 1024);

export class HpackEncoder {
  readonly #maxTableBytes: number;
  readonly #huffman: boolean;
  readonly #indexingOf: (name: string) => Indexing;
  readonly #table: DynamicTable;
  #records: Map<string, NameRecord> | null = null;
  /** The lowest capacity since the last block; the table itself has the current one. */
  #lowestTableBytes: number;
  readonly #repeated = new RepeatedResponse();
  /**
   * Everything encoded since this was set was a reference, or a literal that never enters the table. Encoding
   * it again would give the same bytes.
   */
  #leftNoTrace = true;
  /** The capacity that the peer's decoder uses after the blocks sent so far. */
  #peerTableBytes = INITIAL_TABLE_BYTES;

  constructor(options: HpackEncoderOptions) {
    this.#maxTableBytes = options.maxTableBytes;
    this.#huffman = options.huffman ?? true;
    this.#indexingOf = options.indexingOf ?? defaultIndexing;
    this.#table = new DynamicTable(Math.min(options.maxTableBytes, INITIAL_TABLE_BYTES));
    this.#lowestTableBytes = this.#table.capacityBytes;
  }

  /** The current dynamic table. */
  get table(): DynamicTableView {
    return this.#table;
  }

  /**
   * The peer's SETTINGS_HEADER_TABLE_SIZE. The next block announces the resulting size (RFC 7541 section
   * 4.2): the lowest since the last block, if the table was smaller in between, and the current one.
   */
  setPeerMaxTableBytes(peerMaxTableBytes: number): void {
    const capacityBytes = Math.min(peerMaxTableBytes, this.#maxTableBytes);
    this.#table.setCapacity(capacityBytes);
    if (capacityBytes < this.#lowestTableBytes) this.#lowestTableBytes = capacityBytes;
  }

  /** An upper bound of what `encodeResponse` or `encodeFields` could write now for these fields. */
  maxEncodedBytes(fields: readonly string[]): number {
    let bytes = BLOCK_OVERHEAD_BYTES + (fields.length >> 1) * FIELD_OVERHEAD_BYTES;
    for (let i = 0; i < fields.length; i++) bytes += fields[i].length;
    return bytes;
  }

  /**
   * Writes a response's field block: the size updates that are due, `:status`, the fields.
   * @returns the new offset
   */
  encodeResponse(status: number, fields: readonly string[], out: Uint8Array, offset: number): number {
    const table = this.#table;
    const repeated = this.#repeated;
    const isSizeAnnounced = this.#isSizeAnnounced;
    if (isSizeAnnounced && repeated.is(status, fields, table.inserted, table.evicted))
      return repeated.copyTo(out, offset);
    this.#leftNoTrace = true;
    let at = this.#sizeUpdates(out, offset);
    const statusIndex = STATIC_STATUS_INDEX[status];
    if (statusIndex > 0) out[at++] = INDEXED | statusIndex;
    else at = this.#encodeField(':status', String(status), out, at);
    for (let i = 0; i < fields.length; i += 2) at = this.#encodeField(fields[i], fields[i + 1], out, at);
    if (isSizeAnnounced && this.#leftNoTrace) {
      repeated.remember(status, fields, table.inserted, table.evicted, out, offset, at);
    }
    return at;
  }

  /** No size update is due: the peer's decoder knows the table's capacity. */
  get #isSizeAnnounced(): boolean {
    const { capacityBytes } = this.#table;
    return capacityBytes === this.#peerTableBytes && this.#lowestTableBytes === capacityBytes;
  }

  /**
   * Writes a field block from name, value, name, value…
   * @returns the new offset
   */
  encodeFields(fields: readonly string[], out: Uint8Array, offset: number): number {
    let at = this.#sizeUpdates(out, offset);
    for (let i = 0; i < fields.length; i += 2) at = this.#encodeField(fields[i], fields[i + 1], out, at);
    return at;
  }

  /**
   * Writes fields whose values will not repeat, after those of the block that was just written: their names
   * enter the table, their values never do.
   * @returns the new offset
   */
  encodeOnce(fields: readonly string[], out: Uint8Array, offset: number): number {
    let at = offset;
    for (let i = 0; i < fields.length; i += 2) at = this.#encodeFieldOnce(fields[i], fields[i + 1], out, at);
    return at;
  }

  #encodeFieldOnce(name: string, value: string, out: Uint8Array, offset: number): number {
    const record = this.#records?.get(name) ?? this.#addRecord(name);
    const table = this.#table;
    let nameIndex = record.staticIndex;
    if (nameIndex === 0 && record.newest > table.evicted)
      nameIndex = STATIC_LENGTH + 1 + table.inserted - record.newest;
    let at: number;
    if (nameIndex === 0 && record.indexing !== Indexing.Never && this.#hasRoom(record, value)) {
      // The first value enters the table together with its name.
      at = writeInteger(out, offset, LITERAL_INDEXING, 0x3f, 0);
      table.insert(record.name, ownCopy(value), 0);
      record.newest = table.inserted;
    } else {
      const pattern = record.indexing === Indexing.Never ? LITERAL_NEVER_INDEXED : LITERAL_NOT_INDEXED;
      at = writeInteger(out, offset, pattern, 0x0f, nameIndex);
    }
    if (nameIndex === 0) at = writeString(record.name, this.#huffman, out, at);
    // Huffman coding would save a few octets and cost more than the rest of the response's head.
    return putLatin1(out, writeInteger(out, at, 0x00, 0x7f, value.length), value);
  }

  #sizeUpdates(out: Uint8Array, offset: number): number {
    if (this.#isSizeAnnounced) return offset;
    const capacityBytes = this.#table.capacityBytes;
    let at = offset;
    if (this.#lowestTableBytes < Math.min(capacityBytes, this.#peerTableBytes)) {
      at = writeInteger(out, at, SIZE_UPDATE, 0x1f, this.#lowestTableBytes);
    }
    at = writeInteger(out, at, SIZE_UPDATE, 0x1f, capacityBytes);
    this.#lowestTableBytes = capacityBytes;
    this.#peerTableBytes = capacityBytes;
    return at;
  }

  #encodeField(name: string, value: string, out: Uint8Array, offset: number): number {
    const record = this.#records?.get(name) ?? this.#addRecord(name);
    const table = this.#table;
    const firstStatic = record.indexing === Indexing.Never ? 0 : record.staticIndex;
    for (let index = firstStatic; index !== 0 && STATIC_NAMES[index] === record.name; index++) {
      if (STATIC_VALUES[index] === value) return writeInteger(out, offset, INDEXED, 0x7f, index);
    }
    const evicted = table.evicted;
    const newest = record.newest > evicted ? record.newest : 0;
    for (let serial = newest, probes = 0; serial > evicted && probes < MAX_VALUE_PROBES; probes++) {
      if (table.value(serial) === value) {
        record.used();
        return writeInteger(out, offset, INDEXED, 0x7f, STATIC_LENGTH + 1 + table.inserted - serial);
      }
      serial = table.link(serial);
    }

    let nameIndex = record.staticIndex;
    if (nameIndex === 0 && newest !== 0) nameIndex = STATIC_LENGTH + 1 + table.inserted - newest;
    let at: number;
    if (this.#shouldIndex(record, value)) {
      at = writeInteger(out, offset, LITERAL_INDEXING, 0x3f, nameIndex);
      this.#leftNoTrace = false;
      table.insert(record.name, ownCopy(value), newest);
      record.newest = table.inserted;
    } else {
      // If the same value comes again it may enter the table.
      if (record.indexing !== Indexing.Never) this.#leftNoTrace = false;
      const pattern = record.indexing === Indexing.Never ? LITERAL_NEVER_INDEXED : LITERAL_NOT_INDEXED;
      at = writeInteger(out, offset, pattern, 0x0f, nameIndex);
    }
    if (nameIndex === 0) at = writeString(record.name, this.#huffman, out, at);
    return writeString(value, this.#huffman, out, at);
  }

  #shouldIndex(record: NameRecord, value: string): boolean {
    return this.#hasRoom(record, value) && record.admits(value);
  }

  /** An entry of more than half the table evicts more than it is likely to save. */
  #hasRoom({ name }: NameRecord, value: string): boolean {
    return (name.length + value.length + ENTRY_OVERHEAD_BYTES) * 2 <= this.#table.capacityBytes;
  }

  #addRecord(name: string): NameRecord {
    const records = (this.#records ??= new Map());
    // Forgetting all names costs some literals where an index would have done, but keeps the bound simple.
    if (records.size >= MAX_NAME_RECORDS) records.clear();
    const plain = plainName(name);
    const staticIndex = staticIndexOfName(plain);
    const ownName = staticIndex > 0 ? STATIC_NAMES[staticIndex] : ownCopy(plain);
    const record = new NameRecord(ownName, staticIndex, markedIndexing(name) ?? this.#indexingOf(ownName));
    records.set(isMarked(name) ? ownCopy(name) : ownName, record);
    return record;
  }
}

/**
 * A copy of a string with its own characters. A string that a decoder has cut out of a message can be a slice
 * (V8 makes slices from 13 characters on), and an entry that holds it would keep the whole message in memory.
 */
function ownCopy(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'latin1').toString('latin1');
}

/**
 * Writes a string literal (section 5.2), Huffman-coded where that is shorter. The string is unpacked first,
 * because passes over octets are much faster than passes over the characters of a string.
 */
function writeString(text: string, huffman: boolean, out: Uint8Array, offset: number): number {
  const length = text.length;
  const octets = length <= scratch.length ? scratch : Buffer.allocUnsafeSlow(length);
  latin1Bytes(text, octets);
  const huffmanBytes = huffman ? huffmanEncodedBytes(octets, length) : length;
  if (huffmanBytes < length) {
    return huffmanEncode(octets, length, out, writeInteger(out, offset, 0x80, 0x7f, huffmanBytes));
  }
  const at = writeInteger(out, offset, 0x00, 0x7f, length);
  for (let i = 0; i < length; i++) out[at + i] = octets[i];
  return at + length;
}
