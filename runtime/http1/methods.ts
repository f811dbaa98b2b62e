/**
 * The methods that the server accepts: those of IANA's registry that some client is known to send, and a few
 * older ones. Any other method is answered 501 (RFC 9110 section 9.1), so that input that is not HTTP at all
 * never reaches an application.
 */
export const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'ACL',
  'BIND',
  'CHECKOUT',
  'COPY',
  'LINK',
  'LOCK',
  'M-SEARCH',
  'MERGE',
  'MKACTIVITY',
  'MKCALENDAR',
  'MKCOL',
  'MOVE',
  'NOTIFY',
  'PROPFIND',
  'PROPPATCH',
  'PURGE',
  'QUERY',
  'REBIND',
  'REPORT',
  'SEARCH',
  'SOURCE',
  'SUBSCRIBE',
  'UNBIND',
  'UNLINK',
  'UNLOCK',
  'UNSUBSCRIBE',
]);

/** RFC 9110 section 9.2.1: safe methods change nothing, so they may run side by side. */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE';
}

/** A longer token cannot be an accepted method, whatever follows. */
export const MAX_METHOD_BYTES = 32;

/** By length, the most frequent first. */
const byLength: string[][] = [];
for (const method of METHODS) (byLength[method.length] ??= []).push(method);

/** The method that bytes[start,end) spells; null if it is unknown. */
export function methodOf(bytes: Uint8Array, start: number, end: number): string | null {
  const candidates = byLength[end - start];
  if (candidates === undefined) return null;
  for (let i = 0; i < candidates.length; i++) {
    const method = candidates[i] as string;
    let at = 0;
    while (at < method.length && method.charCodeAt(at) === bytes[start + at]) at++;
    if (at === method.length) return method;
  }
  return null;
}
