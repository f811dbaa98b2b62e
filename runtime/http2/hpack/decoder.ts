/**
 * The HPACK decoder (RFC 7541): turns field blocks into flat lists of names and values.
 *
 * It never throws, does work in proportion to the block's length, and keeps nothing of the input. An indexed
 * field costs two loads of existing strings and allocates nothing. The strings of a literal are made once and
 * shared with the dynamic table. Names keep the case in which they arrived: this layer does not decide what a
 * field may contain (RFC 9113 section 8.2.1).
 *
 * The decoder does not keep whether a literal was marked never-indexed (RFC 7541 section 6.2.3), because
 * nothing here sends the fields on as HPACK.
 */
import { Buffer } from 'node:buffer';
import { latin1String } from '../../bytes/latin1.ts';
import { DynamicTable, type DynamicTableView, ENTRY_OVERHEAD_BYTES } from './dynamic-table.ts';
import { huffmanDecode, huffmanDecodedBound } from './huffman-decode.ts';
import { integerRead, readInteger } from './integer.ts';
import type { RepeatedTail } from './repeated-tail.ts';
import { STATIC_LENGTH, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

export const DecodeResult = {
  Ok: 0,
  /** A connection error of type COMPRESSION_ERROR (RFC 9113 section 4.3): the two tables no longer match. */
  CompressionError: 1,
  /** The fields exceeded a limit. The tables still match, and the connection can continue. */
  ListTooLarge: 2,
} as const;
export type DecodeResult = (typeof DecodeResult)[keyof typeof DecodeResult];

export interface HpackDecoderOptions {
  /**
   * Bytes of dynamic table that the peer's encoder may use: the server's SETTINGS_HEADER_TABLE_SIZE in force,
   * which is 4,096 until another value has been acknowledged.
   */
  readonly maxTableBytes: number;
  /** Limit of a field list: octets of names and values, and 32 for every line (RFC 9113 section 6.5.2). */
  readonly maxFieldListBytes: number;
  /** Most field lines in a list. */
  readonly maxFieldLines: number;
}

const COLON = 0x3a;

/**
 * A block starts with at most two: the smallest size since the last block, and the current one (RFC 7541
 * section 4.2).
 */
const MAX_SIZE_UPDATES = 2;
const NO_UPDATE_REQUIRED = -1;

/**
 * Huffman strings are unpacked here before they become strings. Decoding is synchronous, so the buffer is
 * shared. A longer string gets a buffer of its own, so that one large block does not occupy memory for good.
 */
const scratch = Buffer.allocUnsafeSlow(16 * 1024);

export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #maxFieldListBytes: number;
  readonly #maxFieldLines: number;
  #maxTableBytes: number;
  /** The next block must start with a size update to no more than this; -1 if no update is required. */
  #requiredTableBytes = NO_UPDATE_REQUIRED;
  /** Where the block is read; after `#readString`, behind the string. */
  #at = 0;

  constructor(options: HpackDecoderOptions) {
    this.#maxTableBytes = options.maxTableBytes;
    this.#maxFieldListBytes = options.maxFieldListBytes;
    this.#maxFieldLines = options.maxFieldLines;
    this.#table = new DynamicTable(options.maxTableBytes);
  }

  /** The current dynamic table. */
  get table(): DynamicTableView {
    return this.#table;
  }

  /**
   * SETTINGS_HEADER_TABLE_SIZE has changed and the peer has acknowledged it. If the peer's encoder may be
   * using more, the next block must start with a size update (RFC 7541 section 4.2, RFC 9113 section 4.3.1).
   */
  setMaxTableBytes(maxTableBytes: number): void {
    this.#maxTableBytes = maxTableBytes;
    if (maxTableBytes >= this.#table.capacityBytes) return;
    if (this.#requiredTableBytes === NO_UPDATE_REQUIRED || maxTableBytes < this.#requiredTableBytes) {
      this.#requiredTableBytes = maxTableBytes;
    }
  }

  /**
   * Decodes one whole field block, bytes[start,end), and appends name, value, name, value… to `out`.
   *
   * Beyond a limit it continues to decode, so that the dynamic table stays in step, but appends nothing more.
   * After a CompressionError the decoder must not be used again.
   *
   * @param tail the lines from the first regular field on are left out if they are the same as last time, and
   * remembered if they may repeat next time
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    out: string[],
    tail: RepeatedTail | null = null,
  ): DecodeResult {
    this.#at = start;
    if (tail !== null) {
      tail.isRepeated = false;
      tail.isOfLastBlock = false;
    }
    /**
     * Where the tail begins: its octets, its lines, and the size of the lines before it; -1 until it begins.
     */
    let tailAt = -1;
    let tailFrom = 0;
    let headBytes = 0;
    let tailIsReferences = true;
    if (this.#requiredTableBytes !== NO_UPDATE_REQUIRED || (start < end && (bytes[start] & 0xe0) === 0x20)) {
      if (!this.#readSizeUpdates(bytes, end)) return DecodeResult.CompressionError;
    }
    const table = this.#table;
    let listBytes = 0;
    let lines = 0;
    let kept = true;
    while (this.#at < end) {
      const lineAt = this.#at;
      const octet = bytes[this.#at++];
      let name: string;
      let value: string;
      if (octet >= 0x80) {
        // Indexed field line (section 6.1).
        let index = octet & 0x7f;
        if (index === 0x7f) {
          if ((this.#at = readInteger(bytes, this.#at, end, 0x7f)) < 0) return DecodeResult.CompressionError;
          index = integerRead;
        }
        if (index === 0 || index > STATIC_LENGTH + table.length) return DecodeResult.CompressionError;
        // Beyond a limit a reference changes nothing more: a reference of one byte must cost no more than one
        // byte.
        if (!kept) continue;
        if (index <= STATIC_LENGTH) {
          name = STATIC_NAMES[index];
          value = STATIC_VALUES[index];
        } else {
          const serial = table.inserted + STATIC_LENGTH + 1 - index;
          name = table.name(serial);
          value = table.value(serial);
        }
      } else {
        // A size update is only allowed at the start of a block (section 4.2), and those have been read.
        const indexing = octet >= 0x40;
        if (!indexing && octet >= 0x20) return DecodeResult.CompressionError;
        // Literal with incremental indexing (section 6.2.1), without (6.2.2) or never indexed (6.2.3).
        const prefixMax = indexing ? 0x3f : 0x0f;
        let index = octet & prefixMax;
        if (index === prefixMax) {
          if ((this.#at = readInteger(bytes, this.#at, end, prefixMax)) < 0)
            return DecodeResult.CompressionError;
          index = integerRead;
        }
        const wanted = kept || indexing;
        if (index === 0) {
          const text = this.#readString(bytes, end, wanted);
          if (text === null) return DecodeResult.CompressionError;
          name = text;
        } else if (index <= STATIC_LENGTH) {
          name = STATIC_NAMES[index];
        } else {
          if (index > STATIC_LENGTH + table.length) return DecodeResult.CompressionError;
          name = table.name(table.inserted + STATIC_LENGTH + 1 - index);
        }
        const text = this.#readString(bytes, end, wanted);
        if (text === null) return DecodeResult.CompressionError;
        value = text;
        if (indexing) table.insert(name, value, 0);
        tailIsReferences = false;
      }
      if (tailAt === -1 && name.charCodeAt(0) !== COLON) {
        tailAt = lineAt;
        tailFrom = out.length;
        headBytes = listBytes;
        tailIsReferences = octet >= 0x80;
        if (
          tail?.matches(bytes, lineAt, end, table.inserted, table.evicted) === true &&
          kept &&
          lines + (tail.lines.length >> 1) <= this.#maxFieldLines &&
          listBytes + tail.listBytes <= this.#maxFieldListBytes
        ) {
          tail.isRepeated = true;
          tail.isOfLastBlock = true;
          return DecodeResult.Ok;
        }
      }
      // References count in full: a few octets that name a large entry again and again are the "HPACK bomb".
      listBytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
      if (++lines > this.#maxFieldLines || listBytes > this.#maxFieldListBytes) kept = false;
      if (kept) out.push(name, value);
    }
    if (!kept) return DecodeResult.ListTooLarge;
    if (tail !== null && tailAt !== -1 && tailIsReferences) {
      const listed = listBytes - headBytes;
      tail.remember(bytes, tailAt, end, table.inserted, table.evicted, out.slice(tailFrom), listed);
    }
    return DecodeResult.Ok;
  }

  /**
   * Reads and applies the size updates that start a block. Returns false if one is missing or not allowed.
   */
  #readSizeUpdates(bytes: Uint8Array, end: number): boolean {
    let updates = 0;
    while (this.#at < end && (bytes[this.#at] & 0xe0) === 0x20) {
      if (++updates > MAX_SIZE_UPDATES) return false;
      let tableBytes = bytes[this.#at++] & 0x1f;
      if (tableBytes === 0x1f) {
        if ((this.#at = readInteger(bytes, this.#at, end, 0x1f)) < 0) return false;
        tableBytes = integerRead;
      }
      if (tableBytes > this.#maxTableBytes) return false;
      if (this.#requiredTableBytes !== NO_UPDATE_REQUIRED) {
        // The first update must go down to the lowest limit that was in force in between; the second may rise
        // again.
        if (tableBytes > this.#requiredTableBytes) return false;
        this.#requiredTableBytes = NO_UPDATE_REQUIRED;
      }
      this.#table.setCapacity(tableBytes);
    }
    return this.#requiredTableBytes === NO_UPDATE_REQUIRED;
  }

  /**
   * Reads a string literal (section 5.2). A string that is not wanted is still checked, and becomes ''.
   * @returns null if it is cut off or its Huffman code is invalid
   */
  #readString(bytes: Uint8Array, end: number, wanted: boolean): string | null {
    let at = this.#at;
    if (at >= end) return null;
    const octet = bytes[at++];
    let length = octet & 0x7f;
    if (length === 0x7f) {
      if ((at = readInteger(bytes, at, end, 0x7f)) < 0) return null;
      length = integerRead;
    }
    const stringEnd = at + length;
    if (stringEnd > end) return null;
    this.#at = stringEnd;
    if (octet < 0x80) return wanted ? latin1String(bytes, at, length) : '';
    const bound = huffmanDecodedBound(length);
    const room = bound <= scratch.length ? scratch : Buffer.allocUnsafeSlow(bound);
    const decoded = huffmanDecode(bytes, at, stringEnd, room);
    if (decoded < 0) return null;
    return wanted ? latin1String(room, 0, decoded) : '';
  }
}
