/** What the tests of this directory share: bytes from hex, and one block in or out as values. */
import type { HpackDecoder } from '../../../runtime/http2/hpack/decoder.ts';
import { DecodeResult } from '../../../runtime/http2/hpack/decoder.ts';
import type { HpackEncoder } from '../../../runtime/http2/hpack/encoder.ts';

/** Limits that no test reaches unless it means to. */
export const ROOMY = { maxTableBytes: 4096, maxFieldListBytes: 1 << 20, maxFieldLines: 10_000 };

export function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

/** The fields of one block that must decode. */
export function decodeBlock(decoder: HpackDecoder, block: Uint8Array): string[] {
  const fields: string[] = [];
  const result = decoder.decode(block, 0, block.length, fields);
  if (result !== DecodeResult.Ok)
    throw new Error(`decode gave ${result} for ${Buffer.from(block).toString('hex')}`);
  return fields;
}

/** The result alone, and what had been appended. */
export function tryDecode(decoder: HpackDecoder, hex: string): { result: DecodeResult; fields: string[] } {
  const fields: string[] = [];
  const block = bytesOf(hex);
  return { result: decoder.decode(block, 0, block.length, fields), fields };
}

/** Encodes with exactly the room that the encoder asked for; a write past it would be lost and show up. */
export function encodeFields(encoder: HpackEncoder, fields: readonly string[]): Buffer {
  const out = Buffer.alloc(encoder.maxEncodedBytes(fields));
  const end = encoder.encodeFields(fields, out, 0);
  if (end > out.length) throw new Error(`wrote ${end} bytes, the bound was ${out.length}`);
  return out.subarray(0, end);
}

export function encodeResponse(encoder: HpackEncoder, status: number, fields: readonly string[]): Buffer {
  const out = Buffer.alloc(encoder.maxEncodedBytes(fields));
  const end = encoder.encodeResponse(status, fields, out, 0);
  if (end > out.length) throw new Error(`wrote ${end} bytes, the bound was ${out.length}`);
  return out.subarray(0, end);
}

/** The dynamic table as RFC 7541 appendix C prints it: newest first. */
export function tableOf(coder: Pick<HpackDecoder, 'table'>): string[] {
  const { table } = coder;
  return Array.from({ length: table.length }, (_, i) => {
    const serial = table.inserted - i;
    return `${table.name(serial)}: ${table.value(serial)}`;
  });
}
