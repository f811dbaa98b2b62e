/** The media type of a file by its name. */
import mime from 'mime';

/** What a client saves and does not interpret (RFC 2046 section 4.5.1). */
const UNKNOWN = 'application/octet-stream';

/**
 * Text is taken for UTF-8, as whatever else a client would guess from its locale is rarer today. Types outside of
 * `text/` have their own rules for it: JSON is always UTF-8 (RFC 8259 section 8.1), XML says it inside.
 */
export function contentTypeOf(name: string): string {
  const type = mime.getType(name) ?? UNKNOWN;
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}
