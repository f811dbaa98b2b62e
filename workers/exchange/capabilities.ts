/**
 * What an exchange can do. That depends on its protocol version, on the peer's settings, and on the layers in
 * between.
 */

import type { Capabilities, Exchange, Feature, Withheld } from '../gateway.ts';
import { HostError } from './errors.ts';
import { valueInvalid } from './values.ts';

export const NOTHING_WITHHELD: readonly Withheld[] = Object.freeze([]);

/** Exchanges have few different sets, so each set is made once. */
const known = new Map<string, Capabilities>();

/** The capabilities of an exchange as it arrives from a peer. @param version `2`, `1.1` or `1.0` */
export function capabilitiesOf(version: string, takesPushes: boolean, asksForTunnel: boolean): Capabilities {
  const key = `${version}${takesPushes}${asksForTunnel}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const isHttp2 = version === '2';
  const capabilities: Capabilities = Object.freeze({
    push: takesPushes,
    // HTTP/1.0 has neither chunks, which trailers need, nor interim responses.
    trailers: version !== '1.0',
    informational: version !== '1.0',
    tunnel: asksForTunnel,
    priority: isHttp2,
    streaming: true,
    reset: isHttp2,
    padding: isHttp2,
  });
  known.set(key, capabilities);
  return capabilities;
}

/** @throws HostError `SLUICE_FEATURE_WITHHELD`, `SLUICE_VALUE_INVALID` */
export function requireFeatures(
  exchange: Pick<Exchange, 'capabilities' | 'withheld' | 'request'>,
  features: readonly Feature[],
): void {
  for (const feature of features) {
    if (typeof feature !== 'string') throw valueInvalid('the name of a feature, a string', feature);
    if (exchange.capabilities[feature]) continue;
    const withheld = exchange.withheld.find((one) => one.feature === feature);
    throw new HostError(
      'SLUICE_FEATURE_WITHHELD',
      `expected an exchange with ${feature}: ${withheld?.why ?? `this peer has none over HTTP/${exchange.request.version}`}`,
    );
  }
}
