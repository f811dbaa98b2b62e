/**
 * HTTP/2 over cleartext by `Upgrade: h2c` (RFC 7540 section 3.2). RFC 9113 has dropped it, but clients such
 * as curl still use it. This file decides which HTTP/1.1 requests ask for it, and decodes the client's
 * settings in them.
 *
 * A malformed offer is ignored: the request is answered over HTTP/1.1, as RFC 9110 section 7.8 allows.
 */
import { lists } from '../http1/field-section.ts';
import type { Http1Message } from '../http1/message.ts';
import { ErrorCode } from '../http2/errors.ts';
import { readUint32 } from '../http2/frames.ts';
import { PeerSettings } from '../http2/settings.ts';
import type { Peer } from './peer.ts';

/** The request that becomes stream 1. */
export interface UpgradedRequest {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly fields: readonly string[];
  /** The payload of a SETTINGS frame with valid values. */
  readonly settings: Uint8Array;
  /** The request has an expectation, and 100 comes before 101 (RFC 9110 section 7.8). */
  readonly awaitsInvitation: boolean;
}

export const SWITCHING_TO_H2C =
  'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n';

const SETTING_BYTES = 6;

/** @returns null: the request does not ask for HTTP/2, or its offer is malformed */
export function h2cUpgrade(message: Http1Message, peer: Peer): UpgradedRequest | null {
  const { method, authority, path, version, section } = message;
  const { upgrade, fields } = section;
  if (upgrade === null || !lists(upgrade.protocols, 'h2c')) return null;
  // In TLS only ALPN chooses the protocol (RFC 9113 section 3.3).
  if (peer.tls !== '' || version !== '1.1') return null;
  // Content would have to be read in HTTP/1.1 before HTTP/2 begins.
  if (section.announcesContent) return null;
  if (!lists(upgrade.connection, 'http2-settings')) return null;
  const [value, second] = upgrade.http2Settings;
  if (value === undefined || second !== undefined) return null;
  const settings = decodeSettings(value);
  if (settings === null) return null;
  return { method, authority, path, fields, settings, awaitsInvitation: section.awaitsInvitation };
}

/**
 * RFC 7540 section 3.2.1: base64url without padding. Any other spelling of the same octets is refused like a
 * wrong one.
 */
function decodeSettings(value: string): Uint8Array | null {
  const bytes = Buffer.from(value, 'base64url');
  if (bytes.toString('base64url') !== value || bytes.length % SETTING_BYTES !== 0) return null;
  const judge = new PeerSettings();
  for (let at = 0; at < bytes.length; at += SETTING_BYTES) {
    if (judge.take(bytes.readUInt16BE(at), readUint32(bytes, at + 2)) !== ErrorCode.NoError) return null;
  }
  return bytes;
}
