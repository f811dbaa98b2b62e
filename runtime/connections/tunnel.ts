/**
 * Which requests ask for a tunnel, which routes accept one, and how the application's thread learns of it.
 */
import type { Destination } from '../exchange/exchange.ts';

/**
 * The status for a method or a protocol that the route does not accept (RFC 9110 section 15.6.2, RFC 9220
 * section 3).
 */
export const NOT_IMPLEMENTED = 501;

export const WEBSOCKET = 'websocket';

/**
 * @param protocol empty for CONNECT to an authority
 * @returns true also if no route matches: that is a 404
 */
export function takesTunnel(destination: Destination, protocol: string): boolean {
  if (destination.dispatcher === null) return true;
  return protocol === '' ? destination.connect : protocol === WEBSOCKET && destination.websocket;
}

/** The fields with the protocol before them, as OPEN has it. Ordinary requests pay nothing for it. */
export function withProtocol(protocol: string, fields: readonly string[]): readonly string[] {
  return protocol === '' ? fields : [':protocol', protocol, ...fields];
}
