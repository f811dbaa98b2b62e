/** The addresses whose information about their clients is believed. */
import { BlockList, isIPv4 } from 'node:net';
import type { AddressRange } from '../config/address-range.ts';
import type { Endpoint } from './endpoint.ts';

export class TrustedProxies {
  readonly #ranges = new BlockList();
  readonly #trustsUnix: boolean;
  readonly isEmpty: boolean;

  constructor(ranges: readonly AddressRange[]) {
    this.isEmpty = ranges.length === 0;
    this.#trustsUnix = ranges.some(({ family }) => family === 'unix');
    for (const { family, address, prefixBits } of ranges) {
      if (family !== 'unix') this.#ranges.addSubnet(address, prefixBits, family);
    }
  }

  /** An IPv4 address written as IPv6, as a socket that serves both shows it, counts as IPv4. */
  includes({ address, isUnix }: Endpoint): boolean {
    if (this.isEmpty) return false;
    if (isUnix) return this.#trustsUnix;
    return address !== '' && this.#ranges.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  }
}
