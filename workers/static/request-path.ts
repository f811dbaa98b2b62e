/**
 * Turns the path of a request into names below the root. Traversal ends here. Nothing here uses a file
 * system. Any accepted path can be joined to a root and never leads above it, on any platform.
 *
 * A path is split before it is decoded. So an encoded slash is part of a name and never a separator (RFC 3986
 * section 2.2), and no file has a slash in its name. Dot segments are refused and not resolved: every client
 * removes them before it sends (RFC 3986 section 5.2.4), and the route chosen for `/a/../b` is not the route
 * of `/b`.
 */

export interface RequestPath {
  /** Decoded. None is empty, `.` or `..`, and none contains a slash, backslash or NUL. */
  readonly segments: readonly string[];
  /** The path ended in a slash: it names a directory. */
  readonly isDirectory: boolean;
  /** The last segment of the whole path, decoded, even if it belongs to the route's prefix. */
  readonly lastName: string;
  /** Includes the question mark; empty if there is no query. */
  readonly query: string;
}

/** 400: the path is malformed. 404: no file can have this path. */
export type PathRefusal = 400 | 404;

/**
 * What a pattern removes from a path: `/assets/*` → `/assets`, `/favicon.ico` → nothing, `/a/b.txt` → `/a`.
 */
export function prefixOf(pattern: string): string {
  return pattern.slice(0, pattern.lastIndexOf('/'));
}

export function readRequestPath(
  target: string,
  prefix: string,
  platform: NodeJS.Platform,
): RequestPath | PathRefusal {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  if (!path.startsWith(prefix)) return 404;
  const rest = path.slice(prefix.length);
  if (rest !== '' && !rest.startsWith('/')) return 404;
  const lastName = decode(prefix.slice(prefix.lastIndexOf('/') + 1));
  if (rest === '') return { segments: [], isDirectory: false, lastName: lastName ?? '', query };

  const encoded = rest.slice(1).split('/');
  const isDirectory = encoded.at(-1) === '';
  if (isDirectory) encoded.pop();
  const segments: string[] = [];
  for (const text of encoded) {
    const segment = decode(text);
    if (segment === null) return 400;
    const refusal = refusalOf(segment, platform);
    if (refusal !== null) return refusal;
    segments.push(segment);
  }
  return { segments, isDirectory, lastName: segments.at(-1) ?? lastName ?? '', query };
}

/**
 * Null if the text is not percent-encoded UTF-8. Raw octets outside US-ASCII are not allowed in a URI (RFC
 * 3986 section 2).
 */
function decode(text: string): string | null {
  if (!/^[\x21-\x7e]*$/.test(text)) return null;
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // The text has an invalid escape, or octets that are not UTF-8.
    return null;
  }
}

function refusalOf(segment: string, platform: NodeJS.Platform): PathRefusal | null {
  if (segment.includes('\0') || segment === '.' || segment === '..') return 400;
  // When joined, an empty name would vanish and give one file two paths.
  if (segment === '' || segment.includes('/') || segment.includes('\\')) return 404;
  return platform === 'win32' && !isWindowsName(segment) ? 404 : null;
}

/**
 * Whether a name is safe on Windows. Some names mean another file there (`a.txt.`, `a.txt::$DATA`), a device
 * whatever follows (`con.html`), or the short name of a hidden file (`GIT~1`).
 */
function isWindowsName(segment: string): boolean {
  if (/[<>:"|?*~]|[. ]$/.test(segment)) return false;
  return !/^(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(?:\s*\.|\s*$)/i.test(segment);
}
