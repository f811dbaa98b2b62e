/** Conditional requests: the conditions of RFC 9110 section 13.1 in the order of section 13.2.2. */
import { linesOf } from '../fields/lines.ts';
import type { Fields } from '../gateway.ts';
import { parseHttpDate } from './http-date.ts';
import type { Validators } from './validators.ts';

/** `proceed`: there is no condition, or it holds. */
export type Verdict = 'proceed' | 'not-modified' | 'failed';

/** For GET and HEAD of an existing file. */
export function evaluatePreconditions(fields: Fields, validators: Validators, nowMs: number): Verdict {
  const { etag, modifiedSeconds } = validators;
  if (fields.has('if-match')) {
    if (!matchesList(fields.all('if-match'), etag, strongly)) return 'failed';
  } else {
    const date = dateOf(fields, 'if-unmodified-since', nowMs);
    if (date !== null && modifiedSeconds !== null && modifiedSeconds > date) return 'failed';
  }
  if (fields.has('if-none-match')) {
    return matchesList(fields.all('if-none-match'), etag, weakly) ? 'not-modified' : 'proceed';
  }
  const date = dateOf(fields, 'if-modified-since', nowMs);
  return date !== null && modifiedSeconds !== null && modifiedSeconds <= date ? 'not-modified' : 'proceed';
}

/**
 * Whether a Range may be answered (RFC 9110 section 13.1.5), because the client has a part of exactly this
 * state. Both forms need a strong validator, because parts of two states would otherwise be joined.
 */
export function allowsRange(fields: Fields, validators: Validators, nowMs: number): boolean {
  const values = linesOf(fields, 'if-range');
  if (values.length === 0) return true;
  const value = values.length === 1 ? (values[0] as string) : '';
  const date = parseHttpDate(value, nowMs);
  if (date !== null) return validators.isStable && date === validators.modifiedSeconds;
  return validators.etag !== null && strongly(value, validators.etag);
}

/**
 * The date, if there is a single valid one; any other must be ignored (RFC 9110 sections 13.1.3 and 13.1.4).
 */
function dateOf(fields: Fields, name: string, nowMs: number): number | null {
  const values = linesOf(fields, name);
  return values.length === 1 ? parseHttpDate(values[0] as string, nowMs) : null;
}

type Comparison = (one: string, other: string) => boolean;

/** RFC 9110 section 8.8.3.2. */
const strongly: Comparison = (one, other) => one === other && one.startsWith('"');
const weakly: Comparison = (one, other) => opaque(one) === opaque(other);

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

/** RFC 9110 section 8.8.3; a comma within the quotes belongs to the tag. */
const TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/y;
const SEPARATOR = /[ \t]*(?:,[ \t]*)+|[ \t]*$/y;

/** An existing file matches `*` even without a tag. What follows an invalid tag is not read. */
function matchesList(values: readonly string[], etag: string | null, matches: Comparison): boolean {
  // Empty members may come first (RFC 9110 section 5.6.1.2).
  const list = values.join(', ').replace(/^[ \t,]+/, '');
  if (list.trim() === '*') return true;
  if (etag === null) return false;
  for (let position = 0; position < list.length; position = SEPARATOR.lastIndex) {
    TAG.lastIndex = position;
    const tag = TAG.exec(list)?.[0];
    if (tag === undefined) return false;
    if (matches(tag, etag)) return true;
    SEPARATOR.lastIndex = TAG.lastIndex;
    if (!SEPARATOR.test(list)) return false;
  }
  return false;
}
