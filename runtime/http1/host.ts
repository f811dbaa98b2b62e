/**
 * RFC 9110 section 7.2 and RFC 3986 section 3.2: a host and an optional port. Only values that can be read in
 * one way are valid.
 */
import { isIPv6 } from 'node:net';

/**
 * The limit for a Host field, for an authority, and for what a proxy says that either was. A DNS name has at
 * most 253 characters, three times as many if each is percent-encoded. The authority is sent to the thread a
 * second time beside the fields, so it cannot be as long as they may be.
 */
export const MAX_AUTHORITY_CHARS = 1_024;

const HOST_AND_PORT =
  /^(?:\[([0-9A-Fa-f:.]+)\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::(\d{0,5}))?$/;

/** The last value found valid: most requests of a server name one host. */
let lastHost = '';

/**
 * Checks the value of a Host field. The grammar allows an empty value; the reader knows whether the target
 * names a host instead.
 */
export function isHost(value: string): boolean {
  if (value === lastHost) return true;
  if (!judge(value)) return false;
  lastHost = value;
  return true;
}

function judge(value: string): boolean {
  if (value.length > MAX_AUTHORITY_CHARS) return false;
  const match = HOST_AND_PORT.exec(value);
  // A port without a host identifies nothing.
  if (match === null || value.startsWith(':')) return false;
  const [, address, port] = match;
  return (address === undefined || isIPv6(address)) && (port === undefined || Number(port) <= 65_535);
}

/**
 * Checks the authority of an http or https URI, which has a host and no user information (RFC 9110 section
 * 4.2).
 */
export function isHttpAuthority(value: string): boolean {
  return value !== '' && isHost(value);
}
