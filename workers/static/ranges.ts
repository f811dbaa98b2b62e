/** Byte ranges of a file (RFC 9110 section 14). */

/** Both ends are inclusive. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** `ignored`: the response is the whole file (RFC 9110 section 14.2). */
export type RangeSelection = readonly ByteRange[] | 'ignored' | 'unsatisfiable';

/**
 * Ranges this close together are sent as one: the head of a separate part would cost more than the bytes
 * between them.
 */
const NEAR_BYTES = 100;
const RANGE = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * @param values the request's Range fields
 * @param maxRanges a request for more is ignored, because an attacker would ask for thousands of single bytes
 */
export function selectRanges(values: readonly string[], size: number, maxRanges: number): RangeSelection {
  if (values.length !== 1) return 'ignored';
  const match = /^bytes=(.*)$/i.exec(values[0] as string);
  if (match === null) return 'ignored';
  const specs = (match[1] as string)
    .split(',', maxRanges + 1)
    .map((spec) => spec.replace(/^[ \t]+|[ \t]+$/g, ''));
  if (specs.length > maxRanges) return 'ignored';
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    // A list may have empty members (RFC 9110 section 5.6.1.2).
    if (spec === '') continue;
    const range = parseRange(spec, size);
    if (range === 'invalid') return 'ignored';
    if (range !== 'unsatisfiable') ranges.push(range);
  }
  if (ranges.length > 0) return joinNear(ranges);
  // A list of only commas is no set of ranges. A suffix of an empty file is satisfiable, but Content-Range
  // cannot express it.
  if (specs.every((spec) => spec === '')) return 'ignored';
  return size === 0 && specs.some((spec) => /^-0*[1-9]/.test(spec)) ? 'ignored' : 'unsatisfiable';
}

function parseRange(spec: string, size: number): ByteRange | 'invalid' | 'unsatisfiable' {
  const match = RANGE.exec(spec);
  if (match === null) return 'invalid';
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 };
  }
  const from = Number(first);
  const to = last === '' ? Number.POSITIVE_INFINITY : Number(last);
  if (to < from) return 'invalid';
  return from >= size ? 'unsatisfiable' : { first: from, last: Math.min(to, size - 1) };
}

/**
 * Joins ranges so that no byte is sent twice. A joined range takes the place of the first of its parts in the
 * request (RFC 9110 section 15.3.7.2).
 */
function joinNear(ranges: readonly ByteRange[]): ByteRange[] {
  const byStart = ranges
    .map((range, order) => ({ ...range, order }))
    .sort((one, other) => one.first - other.first);
  const joined: { first: number; last: number; order: number }[] = [];
  for (const range of byStart) {
    const before = joined.at(-1);
    if (before === undefined || range.first > before.last + 1 + NEAR_BYTES) {
      joined.push(range);
      continue;
    }
    before.last = Math.max(before.last, range.last);
    before.order = Math.min(before.order, range.order);
  }
  return joined.sort((one, other) => one.order - other.order).map(({ first, last }) => ({ first, last }));
}

/** The value of Content-Range (RFC 9110 section 14.4). */
export function contentRange(range: ByteRange | null, size: number): string {
  return range === null ? `bytes */${size}` : `bytes ${range.first}-${range.last}/${size}`;
}
