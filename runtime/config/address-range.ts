/** The text form of a set of addresses: `10.0.0.0/8`, `fd00::/8`, one address, or `unix`. */

import { isIPv4, isIPv6 } from 'node:net';
import { ConfigErrorCode, type ConfigProblem, describeValue } from './errors.ts';

export interface AddressRange {
  /** `unix`: every peer on a Unix domain socket, who has no address. */
  readonly family: 'ipv4' | 'ipv6' | 'unix';
  readonly address: string;
  readonly prefixBits: number;
}

const expected = 'an address, a range such as "10.0.0.0/8" or "fd00::/8", or "unix"';

/** For editors only, as `addressPattern`. */
export const addressRangePattern = '^(unix|[0-9.]+(/[0-9]{1,2})?|[0-9A-Fa-f:.]+(/[0-9]{1,3})?)$';

export function parseAddressRange(text: string, where: string): AddressRange | ConfigProblem {
  if (text === 'unix') return { family: 'unix', address: '', prefixBits: 0 };
  const [, address, bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const code = ConfigErrorCode.WrongValue;
  const problem = { code, where, expected, received: describeValue(text) };
  if (address === undefined || !(isIPv4(address) || isIPv6(address)) || address.includes('%')) return problem;
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  const mostBits = family === 'ipv4' ? 32 : 128;
  const prefixBits = bits === undefined ? mostBits : Number(bits);
  if (prefixBits <= mostBits) return { family, address, prefixBits };
  return {
    ...problem,
    hint: `the prefix of an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} range has at most ${mostBits} bits`,
  };
}
