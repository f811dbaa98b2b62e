/** The four forms of a request target (RFC 9112 section 3.2). */
import { isHttpAuthority } from './host.ts';

export interface Target {
  /** Null if the form has none, so that Host applies. */
  readonly scheme: 'http' | 'https' | null;
  readonly authority: string | null;
  /** As in HTTP/2's `:path`: empty for CONNECT, `*` for OPTIONS of the whole server. */
  readonly path: string;
}

const ABSOLUTE = /^(https?):\/\/([^/?]*)(.*)$/i;

/**
 * @param target visible ASCII without `#`; the reader has checked that
 * @returns null if the target is malformed, or its form does not match the method
 */
export function parseTarget(method: string, target: string): Target | null {
  if (method === 'CONNECT') return authorityForm(target);
  if (target.charCodeAt(0) === 0x2f) return { scheme: null, authority: null, path: target };
  if (target === '*') return method === 'OPTIONS' ? { scheme: null, authority: null, path: target } : null;
  return absoluteForm(method, target);
}

/** RFC 9110 section 9.3.6: the port has no default, so it is required. */
function authorityForm(target: string): Target | null {
  if (!isHttpAuthority(target) || !/:\d+$/.test(target)) return null;
  return { scheme: null, authority: target, path: '' };
}

function absoluteForm(method: string, target: string): Target | null {
  const match = ABSOLUTE.exec(target);
  if (match === null) return null;
  const [, scheme = '', authority = '', rest = ''] = match;
  if (!isHttpAuthority(authority)) return null;
  return {
    scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http',
    authority,
    path: rest.startsWith('/') ? rest : emptyPath(method, rest),
  };
}

/** RFC 9112 sections 3.2.1 and 3.2.4: an empty path means `/`, or with OPTIONS the server as a whole. */
function emptyPath(method: string, query: string): string {
  return method === 'OPTIONS' && query === '' ? '*' : `/${query}`;
}
