/**
 * Extensible priorities (RFC 9218): the value of the `priority` field and of PRIORITY_UPDATE. It is a
 * dictionary of RFC 8941 section 3.2 in which `u` and `i` have a meaning. A value that is no dictionary is
 * ignored (RFC 9218 section 4).
 */

/** Urgency in the low three bits, and whether the response is useful in pieces. */
export type Priority = number;

export const defaultUrgency = 3;
const incrementalBit = 8;
export const defaultPriority: Priority = defaultUrgency;

export function urgencyOf(priority: Priority): number {
  return priority & 7;
}

export function isIncremental(priority: Priority): boolean {
  return (priority & incrementalBit) !== 0;
}

/**
 * Whether a dictionary contains a parameter at all. In a response, a missing parameter differs from its
 * default (RFC 9218 section 5).
 */
export function saysUrgency(value: string): boolean {
  return /(?:^|,)[ \t]*u=/.test(value);
}

export function saysIncremental(value: string): boolean {
  return /(?:^|,)[ \t]*i(?:=|[ \t]*(?:,|;|$))/.test(value);
}

/** A member: its key, its value if it has one, and parameters, which have no meaning here. */
const key = `[a-z*][a-z0-9_.*-]*`;
const item = String.raw`(?:-?\d{1,15}(?:\.\d{1,3})?|"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"|:[A-Za-z0-9+/=]*:|\?[01]|[A-Za-z*][!#$%&'*+.^_\x60|~0-9A-Za-z:/-]*)`;
const parameters = `(?:; *${key}(?:=${item})?)*`;
const innerList = String.raw`\( *(?:${item}${parameters}(?: +${item}${parameters})*)? *\)`;
const member = new RegExp(`(${key})(?:=(${item}|${innerList}))?${parameters}[ \\t]*`, 'y');

/** Longer values are ignored: a dictionary of two short members needs no more, and matching must be cheap. */
const maxValueLength = 256;

export function parsePriority(value: string): Priority {
  if (value.length > maxValueLength) return defaultPriority;
  let end = value.length;
  while (end > 0 && value.charCodeAt(end - 1) === 0x20) end--;
  let at = 0;
  while (value.charCodeAt(at) === 0x20) at++;
  let urgency = defaultUrgency;
  let incremental = false;
  while (at < end) {
    member.lastIndex = at;
    const match = member.exec(value);
    if (match === null) return defaultPriority;
    const [, name, text] = match;
    // The last of several counts. A value of another type or out of range is ignored.
    if (name === 'u') urgency = text !== undefined && /^[0-7]$/.test(text) ? Number(text) : defaultUrgency;
    else if (name === 'i') incremental = text === undefined || text === '?1';
    at = member.lastIndex;
    if (at >= end) break;
    if (value.charCodeAt(at) !== 0x2c) return defaultPriority;
    at++;
    while (value.charCodeAt(at) === 0x20 || value.charCodeAt(at) === 0x09) at++;
    // A comma at the end separates no members, so the dictionary is invalid.
    if (at >= end) return defaultPriority;
  }
  return urgency | (incremental ? incrementalBit : 0);
}
