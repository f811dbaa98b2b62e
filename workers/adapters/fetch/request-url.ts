/** The URL of a request as the Fetch Standard wants it: absolute and normal, or not at all. */
import type { ExchangeRequest } from '../../gateway.ts';

/** What a URL parser leaves as it is: most requests need none. A segment that begins with a dot, or with %2E for one, may lead upwards. */
const PLAIN_PATH = /^\/[A-Za-z0-9\-._~!$&()*+,;=:@%/]*(?:\?[A-Za-z0-9\-._~!$&()*+,;=:@%/?]*)?$/;

/** The origin that was asked for last, which most requests ask for; null: there is none. */
let last: { readonly scheme: string; readonly authority: string; readonly origin: string | null } | null =
  null;

/** Null where the peer's authority is none that a URL could have: two readers would take it for two hosts. */
export function urlOf({ scheme, authority, path }: ExchangeRequest): string | null {
  if (last === null || last.authority !== authority || last.scheme !== scheme) {
    last = { scheme, authority, origin: originOf(scheme, authority) };
  }
  const { origin } = last;
  if (origin === null) return null;
  const isPlain = PLAIN_PATH.test(path) && !path.includes('/.') && !path.includes('/%');
  if (isPlain) return origin + path;
  const text = origin + (path === '*' ? '/' : path);
  return URL.canParse(text) ? new URL(text).href : null;
}

/** Hosts are written in more ways than one, above all addresses, and a port may be the scheme's own. */
function originOf(scheme: string, authority: string): string | null {
  const text = `${scheme}://${authority}`;
  if (authority === '' || /[\s@/?#\\]/.test(authority) || !URL.canParse(text)) return null;
  const { protocol, host } = new URL(text);
  return `${protocol}//${host}`;
}
