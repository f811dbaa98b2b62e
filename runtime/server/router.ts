/** Maps host and path to a destination. Routes are sorted, the most specific first; the first that matches decides. */
export interface Route<Target> {
  /** `*`, a lower-case name, or `*.` and a suffix. */
  readonly host: string;
  /** An exact path, or a prefix and `/*`. */
  readonly path: string;
  readonly target: Target;
}

/** The size of the cache of paths. It is bounded because peers choose the paths. */
const REMEMBERED = 1024;

export class Router<Target> {
  readonly #routes: readonly Route<Target>[];
  readonly #anyHost: boolean;
  readonly #known = new Map<string, Target | null>();

  constructor(routes: readonly Route<Target>[]) {
    this.#routes = routes;
    this.#anyHost = routes.every((route) => route.host === '*');
  }

  /** @param path as received, with its query */
  find(authority: string, path: string): Target | null {
    // If no route names a host, the path alone decides, and the result can be cached.
    if (!this.#anyHost) return this.#search(hostOf(authority), pathOf(path));
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const target = this.#search('', pathOf(path));
    if (this.#known.size < REMEMBERED && path.length <= 256) this.#known.set(path, target);
    return target;
  }

  #search(host: string, path: string): Target | null {
    for (const route of this.#routes) {
      if (matchesHost(route.host, host) && matchesPath(route.path, path)) return route.target;
    }
    return null;
  }
}

function matchesHost(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.')
    ? host.endsWith(pattern.slice(1)) && host.length >= pattern.length
    : host === pattern;
}

function matchesPath(pattern: string, path: string): boolean {
  // OPTIONS * is about the server as a whole (RFC 9110 section 9.3.7), so only a route for all paths matches.
  if (path === '*') return pattern === '/*';
  if (!pattern.endsWith('/*')) return path === pattern;
  const prefix = pattern.slice(0, -2);
  return (
    path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 0x2f)
  );
}

function pathOf(path: string): string {
  const query = path.indexOf('?');
  return query === -1 ? path : path.slice(0, query);
}

/** The host of an authority in lower case, without the port (RFC 3986 section 3.2). */
export function hostOf(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.indexOf(':');
  return (end <= 0 ? authority : authority.slice(0, end)).toLowerCase();
}
