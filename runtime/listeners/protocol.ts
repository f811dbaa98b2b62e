/** Finds out from a connection's first bytes which protocol it uses. */
import { METHODS } from '../http1/methods.ts';

/** The start of HTTP/2's client preface (RFC 9113 section 3.4). No HTTP/1 request begins with it. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** RFC 8446 section 5.1: the content type of a handshake record. No HTTP message begins with it. */
const HANDSHAKE = 0x16;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9112 section 2.3, at the end of a request line. The parser refuses that of RTSP, which looks alike. */
const VERSION = / [A-Z]+\/\d(?:\.\d)?$/;
/** The end of the first line is only looked for up to here. */
const MAX_LINE_BYTES = 8_192;

/** Null: too few bytes to decide. `none`: no HTTP of any kind. */
export function protocolOf(seen: Buffer): 'http2' | 'http1' | 'none' | null {
  const compared = Math.min(seen.length, PREFACE.length);
  if (PREFACE.compare(seen, 0, compared, 0, compared) !== 0) return judgeFirstLine(seen);
  return compared < PREFACE.length ? null : 'http2';
}

/**
 * A line with neither a known method nor a version at its end is no request. It is not answered in a protocol
 * that its sender does not use, for example to an HTTP/2 client with a wrong preface (RFC 9113 section 3.4).
 * The HTTP/1 parser answers every other fault. It gets the whole line of an unknown method, so that the
 * answer is the same however the line was cut.
 */
function judgeFirstLine(seen: Buffer): 'http1' | 'none' | null {
  const space = seen.indexOf(0x20);
  const method = seen.toString('latin1', 0, space === -1 ? Math.min(seen.length, MAX_LINE_BYTES) : space);
  if (method === 'PRI') return 'none';
  // Without a space behind it, a method may be the beginning of a longer one.
  if (!TOKEN.test(method) || (space !== -1 && METHODS.has(method))) return 'http1';
  const end = seen.findIndex(isControl);
  if (end === -1) return seen.length < MAX_LINE_BYTES ? null : 'http1';
  return VERSION.test(seen.toString('latin1', 0, end)) ? 'http1' : 'none';
}

/** The end of the line, or a byte that no line of HTTP contains. */
function isControl(byte: number): boolean {
  return byte < 0x20 || byte === 0x7f;
}

/** For a connection that has sent at least one byte. */
export function beginsTls(seen: Buffer): boolean {
  return seen[0] === HANDSHAKE;
}
