/** Preload links (RFC 8288, W3C Preload), which replace a push that is not possible, or become one. */

/** The destination by extension. A browser fetches a preload without `as` twice (Fetch Standard, "destination"). */
const DESTINATIONS: ReadonlyMap<string, string> = new Map([
  ['css', 'style'],
  ['js', 'script'],
  ['mjs', 'script'],
  ['woff', 'font'],
  ['woff2', 'font'],
  ['png', 'image'],
  ['jpg', 'image'],
  ['jpeg', 'image'],
  ['gif', 'image'],
  ['svg', 'image'],
  ['webp', 'image'],
  ['avif', 'image'],
]);

/** The value of a `Link` field that replaces a push. */
export function preloadLink(path: string): string {
  const extension = /\.(\w+)(?:\?|$)/.exec(path)?.[1]?.toLowerCase() ?? '';
  const destination = DESTINATIONS.get(extension);
  if (destination === undefined) return `<${path}>; rel=preload`;
  // Browsers fetch fonts in CORS mode, so without this they would not use the preloaded one.
  const crossorigin = destination === 'font' ? '; crossorigin' : '';
  return `<${path}>; rel=preload; as=${destination}${crossorigin}`;
}

/** Targets of the links that have `rel=preload` and not `nopush`. */
export function preloadTargets(values: readonly string[]): string[] {
  const targets: string[] = [];
  for (const value of values) {
    for (const [, target = '', parameters = ''] of value.matchAll(
      /<([^>]*)>((?:\s*;\s*[\w!#$%&'*+.^`|~-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]*))?)*)/g,
    )) {
      const isPreload = /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?preload(?:\s[^"]*)?"|preload(?=\s*(?:;|$)))/i.test(
        parameters,
      );
      if (isPreload && !/;\s*nopush(?=\s*(?:;|=|$))/i.test(parameters)) targets.push(target);
    }
  }
  return targets;
}

/** Targets of `X-Associated-Content`: quoted URLs, each optionally followed by a colon and a priority. */
export function associatedTargets(values: readonly string[]): string[] {
  return values.flatMap((value) => [...value.matchAll(/"([^"]*)"/g)].map(([, target = '']) => target));
}

/**
 * The path of a target that has the origin of the request; otherwise null. A server may push only for its own origin.
 */
export function sameOriginPath(target: string, scheme: string, authority: string): string | null {
  const origin = `${scheme}://${authority}`;
  if (!URL.canParse(target, `${origin}/`) || !URL.canParse(origin)) return null;
  const url = new URL(target, `${origin}/`);
  return url.origin === new URL(origin).origin ? `${url.pathname}${url.search}` : null;
}
