/**
 * Recently read field sections, found by their bytes. A client mostly sends the same fields with each of its
 * requests, and many clients send the same fields as each other. A comparison of bytes then replaces reading
 * them.
 *
 * The table is direct-mapped and has a fixed size. A section is found only by all of its bytes, so a request
 * never gets fields that its own peer did not send.
 */
import { Buffer } from 'node:buffer';
import type { FieldSection } from './field-section.ts';

export interface KeptSection {
  /** From the first field line to the empty line after the last. */
  readonly bytes: Buffer;
  readonly section: FieldSection;
  /** What the section counts towards the limit of a head. */
  readonly headBytes: number;
}

const SLOTS = 256;
/** Longer sections are not kept. All slots together hold 512 KiB of bytes, and as much again in strings. */
const MAX_KEPT_BYTES = 2_048;
/** Up to this many bytes a loop is faster than a call into the runtime. */
const LOOP_LIMIT = 64;

const compare = Buffer.prototype.compare;

export class FieldSections {
  readonly #slots: (KeptSection | null)[] = new Array(SLOTS).fill(null);
  /**
   * The hash of the last section that mapped to each slot: a section that comes only once is not worth a
   * copy.
   */
  readonly #hashes = new Int32Array(SLOTS);

  /**
   * Keeps the section that was read from bytes[start,end). Returns null if it is too long, or if it has come
   * for the first time.
   */
  keep(
    bytes: Uint8Array,
    start: number,
    end: number,
    section: FieldSection,
    headBytes: number,
  ): KeptSection | null {
    if (end - start > MAX_KEPT_BYTES) return null;
    const hash = hashOf(bytes, start, end);
    const slot = (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (SLOTS - 1);
    if (this.#hashes[slot] !== hash) {
      this.#hashes[slot] = hash;
      return null;
    }
    const kept = this.#slots[slot] as KeptSection | null;
    if (kept !== null && isSame(kept.bytes, bytes, start, end)) return kept;
    const copy = Buffer.allocUnsafeSlow(end - start);
    copy.set(bytes.subarray(start, end));
    // Frozen, so that code that sends the fields on may keep their encoding.
    Object.freeze(section.fields);
    const added: KeptSection = { bytes: copy, section, headBytes };
    this.#slots[slot] = added;
    return added;
  }
}

/** Whether bytes[start,end) begin with the section. */
export function beginsWith(
  { bytes: wanted }: KeptSection,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  return end - start >= wanted.length && isSame(wanted, bytes, start, start + wanted.length);
}

function isSame(wanted: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
  const length = wanted.length;
  if (end - start !== length) return false;
  if (length > LOOP_LIMIT) return compare.call(wanted, bytes, start, end) === 0;
  for (let i = 0; i < length; i++) if (wanted[i] !== bytes[start + i]) return false;
  return true;
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at += 5) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
  return hash;
}
