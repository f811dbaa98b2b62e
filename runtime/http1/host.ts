/** RFC 9110 section 7.2 and RFC 3986 section 3.2: host and optional port, which must be readable in one way only. */
import { isIPv6 } from 'node:net';

/**
 * Of a Host field, an authority, and what a proxy says that either was. A name of the DNS has 253 at most, three times as many
 * where each is percent-encoded. Beside the fields it crosses to the thread a second time, so it cannot be as long as they.
 */
export const MAX_AUTHORITY_CHARS = 1_024;

const HOST_AND_PORT =
  /^(?:\[([0-9A-Fa-f:.]+)\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::(\d{0,5}))?$/;

/** The value that was found valid last: most requests of a server name one host. */
let lastHost = '';

/** Value of a Host field. It may be empty by its grammar; the reader knows whether the target names a host instead. */
export function isHost(value: string): boolean {
  if (value === lastHost) return true;
  if (!judge(value)) return false;
  lastHost = value;
  return true;
}

function judge(value: string): boolean {
  if (value.length > MAX_AUTHORITY_CHARS) return false;
  const match = HOST_AND_PORT.exec(value);
  // A port without a host names nobody.
  if (match === null || value.startsWith(':')) return false;
  const [, address, port] = match;
  return (address === undefined || isIPv6(address)) && (port === undefined || Number(port) <= 65_535);
}

/** Authority of an http or https URI, whose host is never empty and has no user information (RFC 9110 section 4.2). */
export function isHttpAuthority(value: string): boolean {
  return value !== '' && isHost(value);
}
