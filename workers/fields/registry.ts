/**
 * Which fields of the field registry (RFC 9110 section 18.4) are singletons, and which are no lists. A field that is not in these tables
 * may be either; the code guesses nothing about it.
 */

/**
 * Singleton fields by the document that defines them. Each has one value, so a second line makes the message ambiguous (RFC 9110 sections
 * 5.3 and 5.5). The table has the registry's permanent fields whose grammar is a singleton, including structured fields of the type Item
 * (RFC 9651 section 3.3), without obsolete fields that no program reads.
 */
const SINGLETONS_BY_DOCUMENT: { readonly [document: string]: readonly string[] } = {
  'RFC 9110 (HTTP semantics)': [
    'authorization',
    'content-length',
    'content-location',
    'content-range',
    'content-type',
    'date',
    'etag',
    'from',
    'host',
    'if-modified-since',
    'if-range',
    'if-unmodified-since',
    'last-modified',
    'location',
    'max-forwards',
    'proxy-authorization',
    'range',
    'referer',
    'retry-after',
    'server',
    'user-agent',
  ],
  'RFC 9111 (caching)': ['age', 'expires'],
  'RFC 9112 (HTTP/1.1)': ['mime-version'],
  'RFC 4918 and 6638 (WebDAV, CalDAV)': [
    'depth',
    'destination',
    'if',
    'if-schedule-tag-match',
    'lock-token',
    'overwrite',
    'schedule-reply',
    'schedule-tag',
  ],
  'RFC 5023 (AtomPub)': ['slug'],
  'RFC 6266 (disposition)': ['content-disposition'],
  'RFC 6454 (origin)': ['origin'],
  'RFC 6455 (WebSocket)': ['sec-websocket-accept', 'sec-websocket-key'],
  'RFC 6797 (HSTS)': ['strict-transport-security'],
  'RFC 7089 (Memento)': ['accept-datetime', 'memento-datetime'],
  'RFC 7838 (alternative services)': ['alt-used'],
  'RFC 8030 (Web Push)': ['topic', 'ttl', 'urgency'],
  'RFC 8470 (early data)': ['early-data'],
  'RFC 8555 (ACME)': ['replay-nonce'],
  'RFC 8594 and 9745 (sunset, deprecation)': ['deprecation', 'sunset'],
  'RFC 9297 (capsules)': ['capsule-protocol'],
  'RFC 9440 (client certificates)': ['client-cert'],
  'RFC 9449 (DPoP)': ['dpop', 'dpop-nonce'],
  'RFC 9842 (compression dictionaries)': ['available-dictionary', 'dictionary-id'],
  'Fetch, HTML and their like': [
    'access-control-allow-credentials',
    'access-control-allow-origin',
    'access-control-max-age',
    'access-control-request-method',
    'cross-origin-embedder-policy',
    'cross-origin-embedder-policy-report-only',
    'cross-origin-opener-policy',
    'cross-origin-opener-policy-report-only',
    'cross-origin-resource-policy',
    'last-event-id',
    'origin-agent-cluster',
    'ping-from',
    'ping-to',
    'sec-fetch-dest',
    'sec-fetch-mode',
    'sec-fetch-site',
    'sec-fetch-user',
    'sec-gpc',
    'sec-purpose',
  ],
  'Trace Context': ['traceparent'],
};

export const SINGLETONS: ReadonlySet<string> = new Set(Object.values(SINGLETONS_BY_DOCUMENT).flat());

/** Fields that may repeat and are no lists: their values contain commas (RFC 6265 section 3) or are joined by `; ` (RFC 9113 section 8.2.3). */
const NOT_LISTS = new Set(['set-cookie', 'cookie']);

export function isSingleton(name: string): boolean {
  return SINGLETONS.has(name);
}

export function isList(name: string): boolean {
  return !SINGLETONS.has(name) && !NOT_LISTS.has(name);
}

/** Splits one line at the commas outside quoted strings and drops empty elements (RFC 9110 section 5.6.1.2). */
export function elementsOf(value: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < value.length; at++) {
    const char = value[at];
    // Inside quotes a backslash escapes the next character (RFC 9110 section 5.6.4).
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
