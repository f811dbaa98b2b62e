/** Which requests ask for a tunnel, which routes take one, and how the application's thread is told of it. */
import type { Destination } from '../exchange/exchange.ts';

/** For a method or a protocol that the route does not take (RFC 9110 section 15.6.2, RFC 9220 section 3). */
export const NOT_IMPLEMENTED = 501;

export const WEBSOCKET = 'websocket';

/** @param protocol empty for CONNECT to an authority. True where no route leads: that is a 404. */
export function takesTunnel(destination: Destination, protocol: string): boolean {
  if (destination.dispatcher === null) return true;
  return protocol === '' ? destination.connect : protocol === WEBSOCKET && destination.websocket;
}

/** The fields with the protocol before them, where OPEN has it: ordinary requests pay nothing for it. */
export function withProtocol(protocol: string, fields: readonly string[]): readonly string[] {
  return protocol === '' ? fields : [':protocol', protocol, ...fields];
}
