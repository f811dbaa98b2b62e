/** Which protocol a connection's first bytes begin. */
import { METHODS } from '../http1/methods.ts';

/** The start of HTTP/2's client preface (RFC 9113 section 3.4), which no HTTP/1 request begins with. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** RFC 8446 section 5.1: the content type of a handshake record. No HTTP begins with it. */
const HANDSHAKE = 0x16;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9112 section 2.3, at the end of a request line; that of RTSP, which looks alike, the parser refuses. */
const VERSION = / [A-Z]+\/\d(?:\.\d)?$/;
/** As far as the end of a first line is looked for. */
const MAX_LINE_BYTES = 8_192;

/** Null: too few bytes to tell. `none`: no HTTP of any kind. */
export function protocolOf(seen: Buffer): 'http2' | 'http1' | 'none' | null {
  const compared = Math.min(seen.length, PREFACE.length);
  if (PREFACE.compare(seen, 0, compared, 0, compared) !== 0) return judgeFirstLine(seen);
  return compared < PREFACE.length ? null : 'http2';
}

/**
 * A line that has neither a method that anybody knows nor a version at its end is no request, and is not answered in a protocol that
 * its sender does not speak: an HTTP/2 client with a wrong preface, say (RFC 9113 section 3.4). All else that is wrong the parser of
 * HTTP/1 answers, and a method that nobody knows it hears of with its whole line, so that it answers alike however that was cut.
 */
function judgeFirstLine(seen: Buffer): 'http1' | 'none' | null {
  const space = seen.indexOf(0x20);
  const method = seen.toString('latin1', 0, space === -1 ? Math.min(seen.length, MAX_LINE_BYTES) : space);
  if (method === 'PRI') return 'none';
  // Without the space behind it, a method may be the beginning of another.
  if (!TOKEN.test(method) || (space !== -1 && METHODS.has(method))) return 'http1';
  const end = seen.findIndex(isControl);
  if (end === -1) return seen.length < MAX_LINE_BYTES ? null : 'http1';
  return VERSION.test(seen.toString('latin1', 0, end)) ? 'http1' : 'none';
}

/** The line's end, or what no line of HTTP has. */
function isControl(byte: number): boolean {
  return byte < 0x20 || byte === 0x7f;
}

/** Of a connection that has sent at least a byte. */
export function beginsTls(seen: Buffer): boolean {
  return seen[0] === HANDSHAKE;
}
