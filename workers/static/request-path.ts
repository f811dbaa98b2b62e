/**
 * From the path of a request to names below the root: where traversal ends. Nothing here touches a file system; what
 * it lets through can be joined to a root and never leads above it, on any platform.
 *
 * A path is split before it is decoded, so that an encoded slash is part of a name and never a separator (RFC 3986
 * section 2.2), and no file has a name with a slash in it. Dot segments are refused rather than resolved: every client removes
 * them before it sends (RFC 3986 section 5.2.4), and a route that was chosen for `/a/../b` is not the one of `/b`.
 */

export interface RequestPath {
  /** Decoded; none is empty, `.` or `..`, and none has a slash, backslash or NUL in it. */
  readonly segments: readonly string[];
  /** It ended in a slash: a directory is asked for. */
  readonly isDirectory: boolean;
  /** The last segment of the whole path, decoded, even when it belongs to the route's prefix. */
  readonly lastName: string;
  /** With its question mark; empty when there is none. */
  readonly query: string;
}

/** 400: no well-formed path; 404: a path that can name no file. */
export type PathRefusal = 400 | 404;

/** What a pattern takes off a path: `/assets/*` → `/assets`, `/favicon.ico` → nothing, `/a/b.txt` → `/a`. */
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

/** Null when it is not percent-encoded UTF-8. Raw octets above US-ASCII have no place in a URI (RFC 3986 section 2). */
function decode(text: string): string | null {
  if (!/^[\x21-\x7e]*$/.test(text)) return null;
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // A bad escape, or octets that are not UTF-8.
    return null;
  }
}

function refusalOf(segment: string, platform: NodeJS.Platform): PathRefusal | null {
  if (segment.includes('\0') || segment === '.' || segment === '..') return 400;
  // Joined, an empty name would vanish and give one file two paths.
  if (segment === '' || segment.includes('/') || segment.includes('\\')) return 404;
  return platform === 'win32' && !isWindowsName(segment) ? 404 : null;
}

/**
 * Names that Windows reads as another file (`a.txt.`, `a.txt::$DATA`), as a device whatever follows (`con.html`), or as a
 * short name of a hidden one (`GIT~1`).
 */
function isWindowsName(segment: string): boolean {
  if (/[<>:"|?*~]|[. ]$/.test(segment)) return false;
  return !/^(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(?:\s*\.|\s*$)/i.test(segment);
}
