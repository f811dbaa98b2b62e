/**
 * Copies out of a ring. `TypedArray.set` and `Buffer.from` copy byte by byte when one side is shared memory.
 * `Buffer.copy` of a part of a larger buffer is ten times faster.
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

/** A copy of source[start,end) in memory of its own. */
export function copyOf(source: Uint8Array, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(end - start);
  copy.call(source, bytes, 0, start, end);
  return bytes;
}

/**
 * As `copyOf`, for a short life: small copies share memory with others, so an application must not see them.
 */
export function shortLivedCopyOf(source: Uint8Array, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - start);
  copy.call(source, bytes, 0, start, end);
  return bytes;
}
