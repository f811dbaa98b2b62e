/**
 * HTTP/2 over cleartext by `Upgrade: h2c` (RFC 7540 section 3.2, which RFC 9113 has left out and clients such as curl still
 * use): which HTTP/1.1 requests ask for it, and what they say of the client's settings.
 *
 * Whatever is not in order is no offer: the request is answered over HTTP/1.1, as RFC 9110 section 7.8 allows.
 */
import type { IncomingMessage } from 'node:http';
import type { RequestHead } from '../http1/head.ts';
import { ErrorCode } from '../http2/errors.ts';
import { readUint32 } from '../http2/frames.ts';
import { PeerSettings } from '../http2/settings.ts';
import type { Peer } from '../listeners/peer.ts';

/** The request that becomes stream 1. */
export interface UpgradedRequest {
  readonly head: RequestHead;
  /** The payload of a SETTINGS frame, whose values are valid. */
  readonly settings: Uint8Array;
}

export const SWITCHING_TO_H2C =
  'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n';

const SETTING_BYTES = 6;

/** @returns null: the request does not ask for it, or not as it must. */
export function h2cUpgrade(request: IncomingMessage, head: RequestHead, peer: Peer): UpgradedRequest | null {
  const { headers } = request;
  if (headers.upgrade === undefined || !lists(headers.upgrade, 'h2c')) return null;
  // In TLS the protocol is ALPN's to choose (RFC 9113 section 3.3).
  if (peer.tls !== '' || head.version !== '1.1' || head.method === 'CONNECT') return null;
  // Content would have to be read in the old protocol before the new one begins.
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return null;
  const { connection } = headers;
  if (connection === undefined || !lists(connection, 'upgrade') || !lists(connection, 'http2-settings')) {
    return null;
  }
  const values = headerValues(request.rawHeaders, 'http2-settings');
  if (values.length !== 1) return null;
  const settings = decodeSettings(values[0] as string);
  return settings === null ? null : { head, settings };
}

function lists(value: string, token: string): boolean {
  return value.split(',').some((each) => each.trim().toLowerCase() === token);
}

function headerValues(raw: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if ((raw[i] as string).toLowerCase() === name) values.push(raw[i + 1] as string);
  }
  return values;
}

/** RFC 7540 section 3.2.1: base64url without padding. Another spelling of the same octets is refused like a wrong one. */
function decodeSettings(value: string): Uint8Array | null {
  const bytes = Buffer.from(value, 'base64url');
  if (bytes.toString('base64url') !== value || bytes.length % SETTING_BYTES !== 0) return null;
  const judge = new PeerSettings();
  for (let at = 0; at < bytes.length; at += SETTING_BYTES) {
    if (judge.take(bytes.readUInt16BE(at), readUint32(bytes, at + 2)) !== ErrorCode.NoError) return null;
  }
  return bytes;
}
