/**
 * The HPACK encoder (RFC 7541): flat lists of names and values to field blocks.
 *
 * The encoder keeps, for each field name that it met, where its newest entry in the dynamic table is; entries of one
 * name are linked by serial. So an exact match is one map look-up and a few comparisons, whatever the table holds.
 * `indexing-policy.ts` says what is put into the table.
 *
 * Fields are latin1 strings, validated by the caller. The caller provides `maxEncodedBytes` octets of room.
 */
import { Buffer } from 'node:buffer';
import { isMarked, plainName } from '../../../wire/field-marks.ts';
import { latin1Bytes, writeLatin1 } from '../../bytes/latin1.ts';
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
  /** Bytes of dynamic table that we use at most, whatever the peer would allow. 4,096 asks for no size update. */
  readonly maxTableBytes: number;
  /** Huffman-code strings where that is shorter; default true. Without it blocks are larger and cheaper to make. */
  readonly huffman?: boolean;
  /** How the values of a name are put into the table; default `defaultIndexing`. */
  readonly indexingOf?: (name: string) => Indexing;
}

/** What a peer's decoder starts with (RFC 9113 section 6.5.2). */
const INITIAL_TABLE_BYTES = 4096;
/** Names remembered; an application that invents names costs no more than this. */
const MAX_NAME_RECORDS = 128;
/** Newest entries of one name that are compared; a name with more values in use than that is rare. */
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

/** Where strings are unpacked before they are coded; shared, as encoding is synchronous. */
const scratch = Buffer.allocUnsafeSlow(4 * 1024);

export class HpackEncoder {
  readonly #maxTableBytes: number;
  readonly #huffman: boolean;
  readonly #indexingOf: (name: string) => Indexing;
  readonly #table: DynamicTable;
  #records: Map<string, NameRecord> | null = null;
  /** The lowest capacity since the last block; the table's own is what it ends at. */
  #lowestTableBytes: number;
  readonly #repeated = new RepeatedResponse();
  /** What has been encoded since this was set was references, or literals that no table takes: it would be encoded so again. */
  #leftNoTrace = true;
  /** The capacity that the peer's decoder works with after the blocks sent so far. */
  #peerTableBytes = INITIAL_TABLE_BYTES;

  constructor(options: HpackEncoderOptions) {
    this.#maxTableBytes = options.maxTableBytes;
    this.#huffman = options.huffman ?? true;
    this.#indexingOf = options.indexingOf ?? defaultIndexing;
    this.#table = new DynamicTable(Math.min(options.maxTableBytes, INITIAL_TABLE_BYTES));
    this.#lowestTableBytes = this.#table.capacityBytes;
  }

  /** The dynamic table as it stands. */
  get table(): DynamicTableView {
    return this.#table;
  }

  /**
   * The peer's SETTINGS_HEADER_TABLE_SIZE. The next block says what we make of it (RFC 7541 section 4.2): the lowest
   * size since the last block, when the table went through it, and the last.
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

  /** Writes a response's field block: size updates that are due, `:status`, the fields. @returns the new offset. */
  encodeResponse(status: number, fields: readonly string[], out: Uint8Array, offset: number): number {
    const table = this.#table;
    const repeated = this.#repeated;
    const isSettled = this.#isSettled;
    if (isSettled && repeated.is(status, fields, table.inserted, table.evicted))
      return repeated.copyTo(out, offset);
    this.#leftNoTrace = true;
    let at = this.#sizeUpdates(out, offset);
    const statusIndex = STATIC_STATUS_INDEX[status];
    if (statusIndex > 0) out[at++] = INDEXED | statusIndex;
    else at = this.#encodeField(':status', String(status), out, at);
    for (let i = 0; i < fields.length; i += 2) at = this.#encodeField(fields[i], fields[i + 1], out, at);
    if (isSettled && this.#leftNoTrace) {
      repeated.remember(status, fields, table.inserted, table.evicted, out, offset, at);
    }
    return at;
  }

  /** No size update is due. */
  get #isSettled(): boolean {
    const { capacityBytes } = this.#table;
    return capacityBytes === this.#peerTableBytes && this.#lowestTableBytes === capacityBytes;
  }

  /** Writes a field block from name, value, name, value… @returns the new offset. */
  encodeFields(fields: readonly string[], out: Uint8Array, offset: number): number {
    let at = this.#sizeUpdates(out, offset);
    for (let i = 0; i < fields.length; i += 2) at = this.#encodeField(fields[i], fields[i + 1], out, at);
    return at;
  }

  /**
   * Writes fields whose values do not come again, behind those of the block that has just been written: their names go into the table,
   * their values never. @returns the new offset.
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
      // The first value goes in with its name.
      at = writeInteger(out, offset, LITERAL_INDEXING, 0x3f, 0);
      table.insert(record.name, ownCopy(value), 0);
      record.newest = table.inserted;
    } else {
      const pattern = record.indexing === Indexing.Never ? LITERAL_NEVER_INDEXED : LITERAL_NOT_INDEXED;
      at = writeInteger(out, offset, pattern, 0x0f, nameIndex);
    }
    if (nameIndex === 0) at = writeString(record.name, this.#huffman, out, at);
    // Huffman's code would save a few octets and cost more than the rest of the response's head.
    return writePlain(value, out, at);
  }

  #sizeUpdates(out: Uint8Array, offset: number): number {
    if (this.#isSettled) return offset;
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
      // The same value again may be taken into the table.
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

  /** An entry that takes more than half of the table drives out more than it is likely to save. */
  #hasRoom({ name }: NameRecord, value: string): boolean {
    return (name.length + value.length + ENTRY_OVERHEAD_BYTES) * 2 <= this.#table.capacityBytes;
  }

  #addRecord(name: string): NameRecord {
    const records = (this.#records ??= new Map());
    // Forgetting all costs some literals where an index would have done; it keeps the bound simple.
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
 * A string with characters of its own. What a decoder cut out of a message can be a slice (V8 makes them from 13
 * characters on), and an entry that holds it would keep the whole message in memory.
 */
function ownCopy(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'latin1').toString('latin1');
}

/** Longer strings are copied faster by a call into V8's runtime. */
const LOOP_LIMIT = 32;

/** Writes a string literal as it is. */
function writePlain(text: string, out: Uint8Array, offset: number): number {
  const length = text.length;
  const at = writeInteger(out, offset, 0x00, 0x7f, length);
  if (length > LOOP_LIMIT) writeLatin1(out, at, text);
  else for (let i = 0; i < length; i++) out[at + i] = text.charCodeAt(i);
  return at + length;
}

/**
 * Writes a string literal (section 5.2), Huffman-coded where that is shorter. Passes over octets are much faster
 * than passes over the characters of a string, so it is unpacked first.
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
