/** Sends a value through the codec of payloads. */
import { PayloadDecoder } from '../../wire/payload/decoder.ts';
import { PayloadEncoder } from '../../wire/payload/encoder.ts';
import type { PayloadLimits } from '../../wire/payload/forms.ts';

export const limits: PayloadLimits = {
  maxBytes: 262_144,
  maxDepth: 64,
  maxReferences: 1_000,
  maxErrorChars: 8_192,
};
export const encoder = new PayloadEncoder();
const decoder = new PayloadDecoder();

/** @returns what arrives */
export function carried(value: unknown): unknown {
  encoder.encode(value, 'value', limits);
  const bytes = Buffer.from(encoder.bytes.subarray(0, encoder.length));
  return decoder.decode(bytes, 0, bytes.length, limits);
}
