/** Which protocol a connection's first bytes begin. */

/** The start of HTTP/2's client preface (RFC 9113 section 3.4), which no HTTP/1 request begins with. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** RFC 8446 section 5.1: the content type of a handshake record. No HTTP begins with it. */
const HANDSHAKE = 0x16;

/** Null: too few bytes to tell. */
export function protocolOf(seen: Buffer): 'http2' | 'http1' | null {
  const compared = Math.min(seen.length, PREFACE.length);
  if (PREFACE.compare(seen, 0, compared, 0, compared) !== 0) return 'http1';
  return compared < PREFACE.length ? null : 'http2';
}

/** Of a connection that has sent at least a byte. */
export function beginsTls(seen: Buffer): boolean {
  return seen[0] === HANDSHAKE;
}
