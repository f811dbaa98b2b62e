/**
 * Copies out of a ring. `TypedArray.set` and `Buffer.from` copy byte by byte when one side is shared memory, ten times as
 * slowly as `Buffer.copy` of a part of a larger buffer does.
 */
const copy = Buffer.prototype.copy;

/** Copies source[start,end) to target at offset. */
export function copyInto(
  target: Uint8Array,
  offset: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  copy.call(source, target, offset, start, end);
}

/** source[start,end) in memory of its own. */
export function copyOf(source: Uint8Array, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(end - start);
  copy.call(source, bytes, 0, start, end);
  return bytes;
}

/** The same for a short while: small ones share memory, which an application must not see. */
export function shortLivedCopyOf(source: Uint8Array, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - start);
  copy.call(source, bytes, 0, start, end);
  return bytes;
}
