/**
 * The static table (RFC 7541 appendix A), indexed from 1 as on the wire. Index 0 is an error and has no entry
 * here. Neither has the place after the last entry, where a walk over the entries of one name ends.
 *
 * Names and values lie in two arrays, so that resolving an index is two loads of existing strings.
 */

/** Entries in the static table; the dynamic table begins at the next index. */
export const STATIC_LENGTH = 61;

const ENTRIES: readonly (readonly [name: string, value: string])[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
];

export const STATIC_NAMES: readonly string[] = ['', ...ENTRIES.map(([name]) => name), ''];
export const STATIC_VALUES: readonly string[] = ['', ...ENTRIES.map(([, value]) => value), ''];

const firstIndexByName = new Map<string, number>();
for (let index = STATIC_LENGTH; index >= 1; index--) firstIndexByName.set(STATIC_NAMES[index], index);

/** The lowest index with this name, or 0. Entries with the same name are adjacent. */
export function staticIndexOfName(name: string): number {
  return firstIndexByName.get(name) ?? 0;
}

/** Status code → index of its complete `:status` line, or 0 if the table has none. */
export const STATIC_STATUS_INDEX = new Uint8Array(1000);
for (let index = staticIndexOfName(':status'); STATIC_NAMES[index] === ':status'; index++) {
  STATIC_STATUS_INDEX[Number(STATIC_VALUES[index])] = index;
}
