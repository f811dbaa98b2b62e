/**
 * Resolves the host names of addresses to listen on, before applications are loaded: a lookup needs a thread
 * of libuv's pool, and applications may occupy all of them.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ListenerConfig } from '../config/listeners.ts';
import { listenError } from './bind.ts';

/** Name → IP address. */
export type HostAddresses = ReadonlyMap<string, string>;

/** @throws ListenError */
export async function resolveHosts(
  listeners: readonly Pick<ListenerConfig, 'address'>[],
): Promise<HostAddresses> {
  const addresses = new Map<string, string>();
  for (const { address: target } of listeners) {
    if (target.kind !== 'tcp' || isIP(target.host) !== 0 || addresses.has(target.host)) continue;
    try {
      const found = await lookup(target.host, { all: true });
      // As `net.Server.listen` chooses: a link-local address (RFC 4291 section 2.5.6) would also need its
      // interface.
      const address = found.find(({ address }) => !/^fe[89ab]/i.test(address)) ?? found[0];
      if (address !== undefined) addresses.set(target.host, address.address);
    } catch (error) {
      throw listenError(target, error);
    }
  }
  return addresses;
}
