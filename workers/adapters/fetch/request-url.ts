/** The URL of a request as the Fetch Standard requires it: absolute and normalised. */
import type { ExchangeRequest } from '../../gateway.ts';

/** A path that a URL parser would not change, as most paths are. A segment that begins with a dot or with %2E may lead upwards. */
const PLAIN_PATH = /^\/[A-Za-z0-9\-._~!$&()*+,;=:@%/]*(?:\?[A-Za-z0-9\-._~!$&()*+,;=:@%/?]*)?$/;

/** The origin of the last request, which most requests share. */
let last: { readonly scheme: string; readonly authority: string; readonly origin: string | null } | null =
  null;

/** Null if a URL cannot have the peer's authority, because two readers could take it for two hosts. */
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

/** The normalised origin. A host, above all an address, can be written in several ways, and a port may be the scheme's default. */
function originOf(scheme: string, authority: string): string | null {
  const text = `${scheme}://${authority}`;
  if (authority === '' || /[\s@/?#\\]/.test(authority) || !URL.canParse(text)) return null;
  const { protocol, host } = new URL(text);
  return `${protocol}//${host}`;
}
