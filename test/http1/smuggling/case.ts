/** What a case of the collection is, and the words that the cases are written in. */

export interface SmugglingCase {
  readonly what: string;
  readonly section: string;
  /** Characters are bytes. */
  readonly sent: string;
  /** Requests that an application may see whole, by `requestLine`, in their order. */
  readonly seen: readonly string[];
  /** The response that ends the connection behind theirs; null: everything is taken, and what follows is the next request. */
  readonly refused: number | null;
}

/** What stands behind each message. Where that is refused, nobody may ever see this. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: smuggled\r\n\r\n';

/** How a request that was seen is named here. */
export function requestLine(method: string, path: string, content: string): string {
  return content === '' ? `${method} ${path}` : `${method} ${path} ${content}`;
}

/** What its test at the reader is called; over a socket it is called so too, by one word more. */
export function titleOf({ what, section, refused }: SmugglingCase, where = ''): string {
  return `${refused ?? 'taken'}${where}: ${what} (${section})`;
}

/** The limits that the reader, and the server, have for these. */
export const SMUGGLING_LIMITS = {
  maxTargetBytes: 60,
  maxHeaderBytes: 1_024,
  maxFieldLines: 8,
  smallChunks: { burst: 1_000, perSecond: 0 },
};

export const get = 'GET /a HTTP/1.1\r\nHost: a\r\n';
export const post = 'POST /a HTTP/1.1\r\nHost: a\r\n';
export const te = 'Transfer-Encoding: chunked\r\n';
export const chunked = `${post}${te}\r\n`;
export const empty = '0\r\n\r\n';

const spelled = (text: string): string => {
  const shown = JSON.stringify(text)
    .replaceAll(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`)
    .replaceAll('\\u00', '\\x')
    // Titles that differ in white space alone are the same.
    .replaceAll(/(?<= ) |(?<=^") | (?="$)/g, '\\x20')
    .replaceAll('`', "'");
  return shown.length > 70 ? `${shown.slice(0, 60)}… of ${text.length}` : shown;
};

/** Refused before any request is whole. */
export const refuse = (section: string, what: string, sent: string, refused = 400): SmugglingCase => ({
  what,
  section,
  sent,
  seen: [],
  refused,
});
/** Taken: these requests, then the one behind. */
export const take = (section: string, what: string, sent: string, ...seen: string[]): SmugglingCase => ({
  what,
  section,
  sent,
  seen,
  refused: null,
});

export const each = (values: readonly string[], make: (value: string) => SmugglingCase): SmugglingCase[] =>
  values.map((value) => {
    const made = make(value);
    return { ...made, what: `${made.what} ${spelled(value)}` };
  });
