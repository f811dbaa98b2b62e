/** Which response an error of Node's parser or of its deadlines deserves. */
import type { Refusal } from './refusal.ts';

export interface ParseError extends Error {
  readonly code?: string;
  readonly reason?: string;
  /** What was being parsed. */
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

const LF = 0x0a;
const SP = 0x20;
/** The end of a request line with a version of another major number (RFC 9110 section 15.6.6). */
const MAJOR_ABOVE_1 = / HTTP\/[2-9]\.\d\r?$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Null: not the message's fault; the socket has failed. */
export function refusalOf(error: ParseError): Refusal | null {
  const { code = '' } = error;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, why: 'the request head took too long' };
  if (!code.startsWith('HPE_')) return null;
  if (code === 'HPE_HEADER_OVERFLOW') return overflow(error);
  // RFC 9110 section 9.1: a method that is one, but not known, is 501.
  if (code === 'HPE_INVALID_METHOD' && isToken(lineStart(error), error)) {
    return { status: 501, why: 'the method is not known' };
  }
  if (code === 'HPE_INVALID_VERSION' && MAJOR_ABOVE_1.test(restOfLine(error))) {
    return { status: 505, why: 'the version is neither 1.0 nor 1.1' };
  }
  return { status: 400, why: error.reason ?? 'the message is malformed' };
}

/** What the parser had seen of the line that it stopped in, and what follows. */
function restOfLine(error: ParseError): string {
  const { rawPacket } = error;
  if (rawPacket === undefined) return '';
  const start = lineStart(error);
  const end = rawPacket.indexOf(LF, start);
  return rawPacket.toString('latin1', start, end === -1 ? rawPacket.length : end);
}

/**
 * Node's parser has one limit for target and fields together and does not tell which it was; where the line begins that
 * it stopped in does.
 */
function overflow(error: ParseError): Refusal {
  const { rawPacket, bytesParsed = 0 } = error;
  const isTarget = rawPacket !== undefined && isRequestLine(rawPacket, lineStart(error), bytesParsed);
  return isTarget
    ? { status: 414, why: 'the request target is too long' }
    : { status: 431, why: 'the header section is too large' };
}

/** Where the line stands that the parser stopped in, as far as it can be seen. */
function lineStart({ rawPacket, bytesParsed = 0 }: ParseError): number {
  if (rawPacket === undefined || bytesParsed === 0) return 0;
  return rawPacket.lastIndexOf(LF, bytesParsed - 1) + 1;
}

/** A field's name ends in a colon, a method in a space. */
function isRequestLine(packet: Buffer, start: number, end: number): boolean {
  const space = packet.indexOf(SP, start);
  return space !== -1 && space < end && TOKEN.test(packet.toString('latin1', start, space));
}

function isToken(start: number, { rawPacket }: ParseError): boolean {
  if (rawPacket === undefined) return false;
  const space = rawPacket.indexOf(SP, start);
  return space !== -1 && space - start <= 64 && TOKEN.test(rawPacket.toString('latin1', start, space));
}
