/** The value that sends requests to the same thread: that of a field or of a cookie. */

export interface Affinity {
  /** In lower case; `cookie` for a cookie. */
  readonly field: string;
  /** The cookie's name; null: the value of the field itself counts. */
  readonly cookie: string | null;
}

const COOKIE = 'cookie:';

/** @param written a field's name, or `cookie:` and a cookie's name, as in the configuration */
export function parseAffinity(written: string): Affinity {
  return written.startsWith(COOKIE)
    ? { field: 'cookie', cookie: written.slice(COOKIE.length) }
    : { field: written.toLowerCase(), cookie: null };
}

/**
 * @param fields names and values in turns
 * @returns empty: the request has no such value, and may go to any thread
 */
export function affinityKeyOf({ field, cookie }: Affinity, fields: readonly string[]): string {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== field) continue;
    const value = fields[i + 1] as string;
    if (cookie === null) return value;
    const found = cookieIn(value, cookie);
    if (found !== '') return found;
  }
  return '';
}

/**
 * RFC 6265 section 4.2.1: pairs, separated by a semicolon and a space. The first pair with the name counts.
 */
function cookieIn(value: string, name: string): string {
  for (const pair of value.split(';')) {
    const trimmed = pair.trimStart();
    if (trimmed.startsWith(name) && trimmed.charCodeAt(name.length) === 0x3d)
      return trimmed.slice(name.length + 1);
  }
  return '';
}
