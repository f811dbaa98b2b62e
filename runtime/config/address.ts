/** The text form of a listener's address: `host:port` or `[IPv6]:port`. */

import { isIPv4, isIPv6 } from 'node:net';
import { ConfigErrorCode, type ConfigProblem, describeValue } from './errors.ts';

export interface ListenerAddress {
  /** As it was written; what logs and errors show. */
  readonly address: string;
  /** A host name, or an IP address without brackets: what `net.Server.listen` takes. */
  readonly host: string;
  /** 0 asks the system for a free port. */
  readonly port: number;
}

const expected = 'an address such as "127.0.0.1:8080", "[::1]:8080" or "0.0.0.0:8080"';

/** For editors only: the coarse shape; `parseAddress` says what is wrong in words. */
export const addressPattern = '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.-]+):[0-9]{1,5}$';

const hostName = /^(?!-)[A-Za-z0-9-]{1,63}(?:\.(?!-)[A-Za-z0-9-]{1,63})*$/;

/** Forms that a later version will take; refused by name, so that nobody searches for a typing error. */
const unsupported: readonly (readonly [prefix: RegExp, what: string])[] = [
  [/^unix:|^\.{0,2}\//, 'Unix domain sockets'],
  [/^fd:/, 'inherited file descriptors'],
  [/^https:|^tls:/, 'TLS listeners'],
];

/** The address, or what is wrong with it. */
export function parseAddress(text: string, where: string): ListenerAddress | ConfigProblem {
  for (const [prefix, what] of unsupported) {
    if (!prefix.test(text)) continue;
    const hint = `${what} are not supported yet`;
    return { code: ConfigErrorCode.Unsupported, where, expected, received: describeValue(text), hint };
  }
  const colon = text.lastIndexOf(':');
  const written = text.slice(0, colon);
  const portText = text.slice(colon + 1);
  if (colon === -1 || isIPv6(text)) return wrong(text, where, hintWithoutPort(text));
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN;
  if (!(port <= 65535)) return wrong(text, where, 'the port is a number from 0 to 65535');
  const host = hostOf(written);
  if (host === undefined) return wrong(text, where, hintForHost(written, portText));
  return { address: text, host, port };
}

function hintWithoutPort(text: string): string {
  return isIPv6(text)
    ? `an IPv6 address stands in brackets before its port: "[${text}]:8080"`
    : 'the port is missing';
}

function hostOf(written: string): string | undefined {
  if (written.startsWith('[') && written.endsWith(']')) {
    const inner = written.slice(1, -1);
    return isIPv6(inner) ? inner : undefined;
  }
  // Only digits and dots: an IPv4 address or a mistake in one, never a name.
  if (/^[\d.]+$/.test(written)) return isIPv4(written) ? written : undefined;
  return hostName.test(written) ? written.toLowerCase() : undefined;
}

function hintForHost(written: string, port: string): string {
  if (written === '' || written === '*') {
    return `"0.0.0.0:${port}" listens on every IPv4 address, "[::]:${port}" on every IPv6 address`;
  }
  if (isIPv6(written)) return `an IPv6 address stands in brackets: "[${written}]:${port}"`;
  return `${describeValue(written)} is no host name and no IP address`;
}

function wrong(text: string, where: string, hint: string): ConfigProblem {
  return { code: ConfigErrorCode.WrongValue, where, expected, received: describeValue(text), hint };
}
