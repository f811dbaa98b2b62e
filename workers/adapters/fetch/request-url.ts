/** The URL of a request as the Fetch Standard wants it: absolute and normal, or not at all. */
import type { ExchangeRequest } from '../../gateway.ts';

/** What a URL parser leaves as it is: most requests need none. A port might be the scheme's own, which it would leave out. */
const PLAIN_AUTHORITY = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::(?!80$|443$)[1-9]\d{0,4})?$/;
const PLAIN_PATH = /^\/(?!\.)[A-Za-z0-9\-._~!$&()*+,;=:@%/]*(?:\?[A-Za-z0-9\-._~!$&()*+,;=:@%/?]*)?$/;

/** Null where the peer's authority is none that a URL could have: two readers would take it for two hosts. */
export function urlOf({ scheme, authority, path }: ExchangeRequest): string | null {
  const isPlain = PLAIN_AUTHORITY.test(authority) && PLAIN_PATH.test(path) && !path.includes('/.');
  // Dotted numbers are an address, which is written in more than one way.
  if (isPlain && !/^[\d.]+(?::|$)/.test(authority)) return `${scheme}://${authority}${path}`;
  const text = `${scheme}://${authority}${path === '*' ? '/' : path}`;
  if (authority === '' || /[\s@/?#\\]/.test(authority) || !URL.canParse(text)) return null;
  return new URL(text).href;
}
