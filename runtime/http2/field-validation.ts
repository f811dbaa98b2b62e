/**
 * RFC 9113 section 8: decides whether field lines form a request. Each broken rule has a sentence. A
 * malformed request is never delivered (8.1.1), so that no application and no tier behind it interprets it in
 * its own way.
 *
 * Lines are flat: name, value, name, value… in wire order and wire case, latin1.
 */
import type { Http2Stream } from './stream.ts';

/** What a known name requires. Names that are not in the table are checked letter by letter. */
const NameKind = {
  Plain: 1,
  /** Connection-specific (8.2.2). */
  Forbidden: 2,
  Te: 3,
  ContentLength: 4,
  Host: 5,
  Cookie: 6,
  Priority: 7,
  Method: 8,
  Scheme: 9,
  Authority: 10,
  Path: 11,
  Protocol: 12,
} as const;

/** A name that needs no checking, and its last valid value. */
class KnownName {
  readonly kind: number;
  /**
   * Most values repeat from request to request and are one string in the HPACK table. Finding a value here
   * costs one comparison of pointers instead of a walk over its characters. Never a secret: secrets are
   * checked each time.
   */
  lastValue = '';

  constructor(kind: number) {
    this.kind = kind;
  }
}

const knownNames = new Map<string, KnownName>();
const secretNames: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);
const kindsByName: readonly (readonly [number, readonly string[]])[] = [
  [NameKind.Method, [':method']],
  [NameKind.Scheme, [':scheme']],
  [NameKind.Authority, [':authority']],
  [NameKind.Path, [':path']],
  [NameKind.Protocol, [':protocol']],
  [NameKind.Te, ['te']],
  [NameKind.ContentLength, ['content-length']],
  [NameKind.Host, ['host']],
  [NameKind.Cookie, ['cookie']],
  [NameKind.Priority, ['priority']],
  [NameKind.Forbidden, ['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']],
  [
    NameKind.Plain,
    [
      'accept',
      'accept-encoding',
      'accept-language',
      'authorization',
      'cache-control',
      'content-encoding',
      'content-type',
      'dnt',
      'expect',
      'forwarded',
      'grpc-accept-encoding',
      'grpc-timeout',
      'if-modified-since',
      'if-none-match',
      'origin',
      'pragma',
      'range',
      'referer',
      'sec-ch-ua',
      'sec-ch-ua-mobile',
      'sec-ch-ua-platform',
      'sec-fetch-dest',
      'sec-fetch-mode',
      'sec-fetch-site',
      'sec-fetch-user',
      'traceparent',
      'tracestate',
      'upgrade-insecure-requests',
      'user-agent',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-request-id',
    ],
  ],
];
for (const [kind, names] of kindsByName) for (const name of names) knownNames.set(name, new KnownName(kind));

const COLON = 0x3a;

/** Indexed by character code. Bits say where the character is allowed. */
const charClasses = new Uint8Array(256);
const Char = { Name: 1, Method: 2, Value: 4, Path: 8, Authority: 16 } as const;
for (let code = 0; code < 256; code++) {
  const char = String.fromCharCode(code);
  // RFC 9110 section 5.6.2: token; names in lower case (RFC 9113 section 8.2.1).
  if (/[!#$%&'*+\-.^_`|~0-9a-z]/.test(char)) charClasses[code] |= Char.Name;
  if (/[!#$%&'*+\-.^_`|~0-9a-zA-Z]/.test(char)) charClasses[code] |= Char.Method;
  // RFC 9110 section 5.5: visible characters, SP, HTAB and obs-text.
  if (code === 9 || (code >= 0x20 && code !== 0x7f)) charClasses[code] |= Char.Value;
  // RFC 3986 sections 3.3 and 3.4, and what is often sent unescaped. As in HTTP/1.1, never a space, a control
  // character, a fragment or anything outside US-ASCII.
  if (code > 0x20 && code < 0x7f && char !== '#') charClasses[code] |= Char.Path;
  // RFC 3986 section 3.2 without userinfo (RFC 9113 section 8.3.1).
  if (/[A-Za-z0-9\-._~!$&'()*+,;=:[\]%]/.test(char)) charClasses[code] |= Char.Authority;
}

function isAll(text: string, charClass: number): boolean {
  for (let i = 0; i < text.length; i++) if ((charClasses[text.charCodeAt(i)] & charClass) === 0) return false;
  return true;
}

/**
 * RFC 9113 section 8.2.1: no NUL, CR or LF (nor any other control character), and no space around the value.
 */
function isFieldValue(value: string): boolean {
  const length = value.length;
  if (length === 0) return true;
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(length - 1);
  if (first === 0x20 || first === 0x09 || last === 0x20 || last === 0x09) return false;
  return isAll(value, Char.Value);
}

/** @returns what is wrong with a regular field line, or null */
function judgeLine(known: KnownName | undefined, name: string, value: string): string | null {
  if (known === undefined) {
    if (name.length === 0) return 'empty field name';
    if (name.charCodeAt(0) === COLON) return 'unknown pseudo-field';
    if (!isAll(name, Char.Name)) return 'invalid character in field name';
    return isFieldValue(value) ? null : 'invalid character in field value';
  }
  if (known.kind === NameKind.Forbidden) return 'connection-specific field';
  if (known.kind === NameKind.Te && value !== 'trailers') return 'te is not "trailers"';
  if (known.lastValue === value) return null;
  if (!isFieldValue(value)) return 'invalid character in field value';
  if (!secretNames.has(name)) known.lastValue = value;
  return null;
}

/**
 * RFC 9110 section 8.6.
 * @returns -1 if the value is not a length that can be represented
 */
function parseContentLength(value: string): number {
  if (value.length === 0 || value.length > 15) return -1;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/** The field lines with all cookies joined into one, in the place of the first (RFC 9113 section 8.2.3). */
function joinCookies(fields: string[]): string[] {
  const joined: string[] = [];
  let cookieAt = -1;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'cookie') {
      joined.push(fields[i], fields[i + 1]);
    } else if (cookieAt < 0) {
      cookieAt = joined.push('cookie', fields[i + 1]) - 1;
    } else {
      joined[cookieAt] += `; ${fields[i + 1]}`;
    }
  }
  return joined;
}

/** Absent, as opposed to empty. */
const absent: string | null = null;

/** The result of checking the lines that follow a request's pseudo-fields. */
export class JudgedFields {
  host: string | null = null;
  contentLength = -1;
  priorityField: string | null = null;
  /** The fields in the form that the stream has them. */
  fields: readonly string[] = [];
}

/**
 * Reads these lines as a request head into the stream.
 * @param extendedConnect `:protocol` is allowed (RFC 8441)
 * @param judged the fields, if they are already known and the lines are only the pseudo-fields; otherwise it
 * is filled
 * @returns what is malformed, or null
 */
export function readRequestHead(
  lines: readonly string[],
  stream: Http2Stream,
  extendedConnect: boolean,
  judged: JudgedFields,
  areJudged: boolean,
): string | null {
  const count = lines.length;
  let method = absent;
  let scheme = absent;
  let authority = absent;
  let path = absent;
  let protocol = absent;
  let at = 0;
  // All pseudo-fields come before the first regular field (8.3).
  for (; at < count; at += 2) {
    const name = lines[at];
    if (name.charCodeAt(0) !== COLON) break;
    const value = lines[at + 1];
    switch (name) {
      case ':method':
        if (method !== null) return 'repeated :method';
        method = value;
        break;
      case ':scheme':
        if (scheme !== null) return 'repeated :scheme';
        scheme = value;
        break;
      case ':authority':
        if (authority !== null) return 'repeated :authority';
        authority = value;
        break;
      case ':path':
        if (path !== null) return 'repeated :path';
        path = value;
        break;
      case ':protocol':
        if (protocol !== null) return 'repeated :protocol';
        protocol = value;
        break;
      default:
        return 'unknown pseudo-field';
    }
  }
  const wrong = judgeTarget(method, scheme, authority, path, protocol, extendedConnect);
  if (wrong !== null) return wrong;

  if (!areJudged) {
    const wrongField = judgeFields(lines, at, judged);
    if (wrongField !== null) return wrongField;
  }
  const { host } = judged;
  // An http or https URI has a host (RFC 9110 section 4.2.1).
  if ((authority ?? host) === '' && (scheme === 'http' || scheme === 'https')) return 'empty authority';
  if (
    host !== null &&
    authority !== null &&
    host !== authority &&
    host.toLowerCase() !== authority.toLowerCase()
  ) {
    return 'host differs from :authority';
  }
  stream.method = method as string;
  stream.scheme = scheme ?? '';
  stream.authority = authority ?? host ?? '';
  stream.path = path ?? '';
  stream.protocol = protocol ?? '';
  stream.contentLength = judged.contentLength;
  stream.priorityField = judged.priorityField;
  stream.fields = judged.fields;
  return null;
}

/**
 * Checks the lines from `from` on, which must not be pseudo-fields.
 * @returns what is malformed, or null
 */
function judgeFields(lines: readonly string[], from: number, judged: JudgedFields): string | null {
  let host = absent;
  let hostAt = -1;
  let cookies = 0;
  let contentLength = -1;
  let priorityField = absent;
  for (let i = from; i < lines.length; i += 2) {
    const name = lines[i];
    const value = lines[i + 1];
    const known = knownNames.get(name);
    const kind = known === undefined ? 0 : known.kind;
    if (kind >= NameKind.Method) return 'pseudo-field after a regular field';
    const wrongLine = judgeLine(known, name, value);
    if (wrongLine !== null) return wrongLine;
    if (kind === NameKind.ContentLength) {
      // Two of them, even if equal, let two tiers disagree about where a message ends.
      if (contentLength >= 0) return 'repeated content-length';
      contentLength = parseContentLength(value);
      if (contentLength < 0) return 'invalid content-length';
    } else if (kind === NameKind.Host) {
      if (host !== null) return 'repeated host';
      if (!isAll(value, Char.Authority)) return 'invalid character in host';
      host = value;
      hostAt = i;
    } else if (kind === NameKind.Cookie) {
      cookies++;
    } else if (kind === NameKind.Priority) {
      // Several lines form one list (RFC 9110 section 5.3).
      priorityField = priorityField === null ? value : `${priorityField}, ${value}`;
    }
  }
  const fields = lines.slice(from);
  // The value of host becomes the authority and is removed here, because a proxy may send both (8.3.1).
  if (hostAt >= 0) fields.splice(hostAt - from, 2);
  judged.host = host;
  judged.contentLength = contentLength;
  judged.priorityField = priorityField;
  judged.fields = cookies > 1 ? joinCookies(fields) : fields;
  return null;
}

/** As `KnownName.lastValue`: the last valid value. */
let lastAuthority = '';

/** Checks the pseudo-fields together (8.3.1, 8.5; RFC 8441 section 4). */
function judgeTarget(
  method: string | null,
  scheme: string | null,
  authority: string | null,
  path: string | null,
  protocol: string | null,
  extendedConnect: boolean,
): string | null {
  if (method === null) return 'no :method';
  if (method !== 'GET' && (method.length === 0 || !isAll(method, Char.Method))) return 'invalid :method';
  if (authority !== null && authority !== lastAuthority) {
    if (!isAll(authority, Char.Authority)) return 'invalid character in :authority';
    lastAuthority = authority;
  }
  if (protocol !== null) {
    if (!extendedConnect) return ':protocol without SETTINGS_ENABLE_CONNECT_PROTOCOL';
    if (method !== 'CONNECT') return ':protocol without CONNECT';
    if (protocol.length === 0 || !isAll(protocol, Char.Method)) return 'invalid :protocol';
    if (authority === null || authority.length === 0) return 'CONNECT without :authority';
  } else if (method === 'CONNECT') {
    if (scheme !== null || path !== null) return 'CONNECT with :scheme or :path';
    return authority === null || authority.length === 0 ? 'CONNECT without :authority' : null;
  }
  if (scheme === null) return 'no :scheme';
  if (!isScheme(scheme)) return 'invalid :scheme';
  if (path === null) return 'no :path';
  if (path.length === 0) return 'empty :path';
  // RFC 9110 section 4.2.3 and 7.1: origin form, or the asterisk form of OPTIONS.
  if (path.charCodeAt(0) !== 0x2f && !(path === '*' && method === 'OPTIONS')) return ':path is not absolute';
  return isAll(path, Char.Path) ? null : 'invalid character in :path';
}

/** RFC 3986 section 3.1. */
function isScheme(scheme: string): boolean {
  return scheme === 'http' || scheme === 'https' || /^[A-Za-z][A-Za-z0-9+.-]*$/.test(scheme);
}

/**
 * Checks the trailer section (8.1), which must have no pseudo-fields.
 * @returns what is malformed, or null
 */
export function judgeTrailers(lines: readonly string[]): string | null {
  for (let i = 0; i < lines.length; i += 2) {
    const known = knownNames.get(lines[i]);
    if (known !== undefined && known.kind >= NameKind.Method) return 'pseudo-field in trailers';
    const wrong = judgeLine(known, lines[i], lines[i + 1]);
    if (wrong !== null) return wrong;
  }
  return null;
}

/**
 * RFC 9113 section 8.1.1: at the end the sum of DATA must equal content-length; before that, it must not
 * exceed it.
 */
export function breaksContentLength(stream: Http2Stream, endStream: boolean): boolean {
  const announced = stream.contentLength;
  if (announced < 0) return false;
  return endStream ? stream.contentBytes !== announced : stream.contentBytes > announced;
}
