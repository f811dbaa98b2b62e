/** Reads a whole body, within a limit. */
import { HostError } from './errors.ts';
import { requireLimit } from './values.ts';

export const DEFAULT_LIMIT_BYTES = 1024 * 1024;

/** @throws HostError `SLUICE_BODY_TOO_LARGE`, `SLUICE_VALUE_INVALID` */
export async function wholeBody(
  pieces: AsyncIterable<Uint8Array>,
  limitBytes: number = DEFAULT_LIMIT_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  requireLimit(limitBytes);
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    // Checked as the bytes arrive, so that an endless body is refused at the limit and not when memory is
    // used up.
    if (length > limitBytes) {
      throw new HostError(
        'SLUICE_BODY_TOO_LARGE',
        `expected a body of at most ${limitBytes} bytes, got more`,
      );
    }
    kept.push(piece);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const piece of kept) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
