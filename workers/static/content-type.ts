/** The media type of a file, by its name. */
import mime from 'mime';

/** The type for content that a client saves and does not interpret (RFC 2046 section 4.5.1). */
const UNKNOWN = 'application/octet-stream';

/**
 * Text is declared as UTF-8, because anything else that a client would guess from its locale is rarer today.
 * Types outside `text/` have their own rules: JSON is always UTF-8 (RFC 8259 section 8.1), and XML declares
 * its encoding inside.
 */
export function contentTypeOf(name: string): string {
  const type = mime.getType(name) ?? UNKNOWN;
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}
