/** Command lines that a person can paste to try a listener. */

import type { RouteConfig } from '../config/config.ts';
import type { ListenerConfig } from '../config/listeners.ts';
import type { Bound } from './bind.ts';

/** `http://127.0.0.1:8080`, or for a Unix domain socket an origin to use with curl's `--unix-socket`. */
export function originOf(bound: Bound, tls: ListenerConfig['tls']): string {
  const scheme = tls === null ? 'http' : 'https';
  if (bound.host === null) return `${scheme}://localhost`;
  return `${scheme}://${bound.host.includes(':') ? `[${bound.host}]` : bound.host}:${bound.port}`;
}

export function curlLines(
  bound: Bound,
  { tls, proxyProtocol }: ListenerConfig,
  routes: readonly RouteConfig[],
): string[] {
  // An inherited socket whose path is unknown cannot be tried from here.
  if (bound.path === '') return [];
  const isDevelopment = tls !== null && tls.certificates.length === 0;
  const words = [
    'curl',
    tls === null ? '--http2-prior-knowledge' : '--http2',
    ...(isDevelopment ? ['-k'] : []),
    ...(bound.path === null ? [] : [`--unix-socket ${bound.path}`]),
    // curl only sends version 1.
    ...(proxyProtocol === 'v1' || proxyProtocol === 'any' ? ['--haproxy-protocol'] : []),
  ];
  return routes.map(({ host, path }) => {
    const url = path.length > 2 && path.endsWith('/*') ? path.slice(0, -2) : path.replace('*', '');
    const asHost = host === '*' ? [] : [`-H 'host: ${host.replace('*', 'www')}'`];
    return [...words, ...asHost, originOf(bound, tls) + url].join(' ');
  });
}
