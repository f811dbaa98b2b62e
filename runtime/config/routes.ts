/** The order of routes: the most specific first, whatever their order in the file. */

import type { RouteConfig } from './config.ts';

type HostAndPath = Pick<RouteConfig, 'host' | 'path'>;

/**
 * Orders routes so that the first match of a request is the most specific one. The host decides before the
 * path: an exact name, then `*.` patterns by length, then `*`. For equal hosts an exact path comes before
 * prefix patterns, those by length. A request that matches no path under its exact host is compared with
 * the host patterns, because they follow in the same list.
 */
export function compareRoutes(one: HostAndPath, other: HostAndPath): number {
  return (
    hostWeight(other.host) - hostWeight(one.host) ||
    pathWeight(other.path) - pathWeight(one.path) ||
    // Of equal weight, no two can match the same request; a fixed order makes the summary stable.
    compareText(one.host, other.host) ||
    compareText(one.path, other.path)
  );
}

/** Longer than any host or path that could be compared with it. */
const exact = 1_000_000;

function hostWeight(host: string): number {
  if (host === '*') return 0;
  return host.startsWith('*.') ? host.length : exact;
}

function pathWeight(path: string): number {
  return path.endsWith('/*') ? path.length : exact;
}

function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
