/** Preload links (RFC 8288, W3C Preload), which stand for a push where there is none and may be turned into one. */

/** What a destination is fetched as, by its extension; a preload without it is fetched twice (Fetch Standard, "destination"). */
const DESTINATIONS: Readonly<Record<string, string>> = {
  css: 'style',
  js: 'script',
  mjs: 'script',
  woff: 'font',
  woff2: 'font',
  png: 'image',
  jpg: 'image',
  jpeg: 'image',
  gif: 'image',
  svg: 'image',
  webp: 'image',
  avif: 'image',
};

/** The value of a `Link` field in place of a push. */
export function preloadLink(path: string): string {
  const extension = /\.(\w+)(?:\?|$)/.exec(path)?.[1]?.toLowerCase() ?? '';
  const destination = DESTINATIONS[extension];
  if (destination === undefined) return `<${path}>; rel=preload`;
  // Fonts are always fetched across origins, so without this the preloaded one is not the one that is used.
  const crossorigin = destination === 'font' ? '; crossorigin' : '';
  return `<${path}>; rel=preload; as=${destination}${crossorigin}`;
}

/** Targets of the links of a field's values with `rel=preload` and without `nopush`. */
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

/** Targets of `X-Associated-Content`: quoted URLs, each perhaps with a colon and a priority behind it. */
export function associatedTargets(values: readonly string[]): string[] {
  return values.flatMap((value) => [...value.matchAll(/"([^"]*)"/g)].map(([, target = '']) => target));
}

/**
 * The path of a target, when it is of the origin that the request was made to; null otherwise. Nobody may be sent what another
 * origin is said to have.
 */
export function sameOriginPath(target: string, scheme: string, authority: string): string | null {
  const origin = `${scheme}://${authority}`;
  if (!URL.canParse(target, `${origin}/`) || !URL.canParse(origin)) return null;
  const url = new URL(target, `${origin}/`);
  return url.origin === new URL(origin).origin ? `${url.pathname}${url.search}` : null;
}
