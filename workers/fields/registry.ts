/**
 * What the field registry (RFC 9110 section 18.4) says of the fields that people meet: which stand once, and which are no list.
 * A field that it does not know may be either; nothing is guessed about those.
 */

/** One value, not a list, so a second line makes the message ambiguous (RFC 9110 section 5.3; section 5.5: "singleton"). */
const SINGLETONS = new Set([
  'access-control-allow-credentials',
  'access-control-allow-origin',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-disposition',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'origin',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'sec-websocket-accept',
  'sec-websocket-key',
  'server',
  'strict-transport-security',
  'user-agent',
  'x-content-type-options',
]);

/** Repeated, and yet no list: their values hold commas (RFC 6265 section 3) or are joined in a way of their own (RFC 9113 section 8.2.3). */
const NOT_LISTS = new Set(['set-cookie', 'cookie']);

export function isSingleton(name: string): boolean {
  return SINGLETONS.has(name);
}

export function isList(name: string): boolean {
  return !SINGLETONS.has(name) && !NOT_LISTS.has(name);
}

/** The elements of one line: split at commas outside of quoted strings, empty ones left out (RFC 9110 section 5.6.1.2). */
export function elementsOf(value: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < value.length; at++) {
    const char = value[at];
    // In quotes a backslash takes the next character's meaning (RFC 9110 section 5.6.4).
    if (isQuoted && char === '\\') at++;
    else if (char === '"') isQuoted = !isQuoted;
    else if (char === ',' && !isQuoted) {
      add(elements, value.slice(start, at));
      start = at + 1;
    }
  }
  add(elements, value.slice(start));
  return elements;
}

function add(elements: string[], text: string): void {
  const element = text.replace(/^[ \t]+|[ \t]+$/g, '');
  if (element !== '') elements.push(element);
}
