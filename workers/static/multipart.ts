/** A response with several ranges: `multipart/byteranges` (RFC 9110 section 14.6, RFC 2046 section 5.1). */
import { type ByteRange, contentRange } from './ranges.ts';

export interface MultipartPart {
  /** What precedes the bytes of the range. */
  readonly head: Buffer;
  readonly range: ByteRange;
}

export interface Multipart {
  readonly contentType: string;
  readonly parts: readonly MultipartPart[];
  readonly tail: Buffer;
  /** The length of the whole body, for Content-Length and for the check at the end. */
  readonly bytes: number;
}

/** @param boundary must not occur in the file: use at least 24 random characters */
export function layMultipart(
  ranges: readonly ByteRange[],
  size: number,
  contentType: string,
  boundary: string,
): Multipart {
  const parts = ranges.map((range, position): MultipartPart => {
    const delimiter = `${position === 0 ? '' : '\r\n'}--${boundary}\r\n`;
    const fields = `Content-Type: ${contentType}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`;
    return { head: Buffer.from(delimiter + fields), range };
  });
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const bytes = parts.reduce(
    (sum, { head, range }) => sum + head.length + range.last - range.first + 1,
    tail.length,
  );
  return { contentType: `multipart/byteranges; boundary=${boundary}`, parts, tail, bytes };
}
