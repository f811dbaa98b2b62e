/**
 * Fields that a trailer section must not contain (RFC 9110 section 6.5.1). They would change how the message
 * is framed, routed or authenticated after that was decided, and a tier behind the server that merges
 * trailers into the head would believe them. They are removed, whichever HTTP version they came over.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'max-forwards',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/**
 * @param fields name, value, name, value…, names in lower case
 * @returns the same array if no field is forbidden
 */
export function trailersOf(fields: string[]): string[] {
  for (let i = 0; i < fields.length; i += 2) {
    if (FORBIDDEN.has(fields[i] as string)) return withoutForbidden(fields);
  }
  return fields;
}

function withoutForbidden(fields: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (!FORBIDDEN.has(name)) kept.push(name, fields[i + 1] as string);
  }
  return kept;
}
