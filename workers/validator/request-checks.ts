/**
 * Checks what a server must provide in the request and in the exchange's capabilities: rules 3.1 to 3.4, 10.1
 * and 10.2 of docs/sgi.md.
 */
import type { Capabilities, Exchange, ExchangeRequest, Feature } from '../gateway.ts';
import type { Report } from './report.ts';

const VERSIONS = new Set(['2', '1.1', '1.0']);
const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'host',
]);
const FEATURES: readonly Feature[] = [
  'push',
  'trailers',
  'informational',
  'tunnel',
  'priority',
  'streaming',
  'reset',
  'padding',
];
const STRINGS = ['method', 'scheme', 'authority', 'path', 'version', 'protocol'] as const;

export function checkRequest(request: ExchangeRequest, report: Report): void {
  const missing = STRINGS.filter((name) => typeof request[name] !== 'string');
  for (const name of missing)
    report.server('3.1', `expected request.${name} to be a string, got ${String(request[name])}`);
  checkRest(request, report);
  // The other checks need strings.
  if (missing.length > 0) return;
  if (!VERSIONS.has(request.version))
    report.server('3.1', `expected the version 2, 1.1 or 1.0, got ${request.version}`);
  const mayLackPath = request.method === 'CONNECT' && request.protocol === '';
  if (!(request.path.startsWith('/') || request.path === '*' || (mayLackPath && request.path === ''))) {
    report.server('3.1', `expected a path that begins with a slash, got ${JSON.stringify(request.path)}`);
  }
  if (request.protocol !== request.protocol.toLowerCase())
    report.server('3.3', `expected a protocol in lower case, got ${request.protocol}`);
}

/** Checks everything but the strings. */
function checkRest(request: ExchangeRequest, report: Report): void {
  for (const [name, value] of request.fields ?? []) {
    if (name !== name.toLowerCase()) report.server('6.1', `expected names in lower case, got ${name}`);
    if (OF_THE_CONNECTION.has(name) || name.startsWith(':'))
      report.server('3.2', `expected no ${name} in the request's fields`);
    if (name === 'te' && value !== 'trailers')
      report.server('3.2', `expected te to be trailers, got ${value}`);
  }
  const { urgency, incremental } = request.priority ?? {};
  if (!(Number.isInteger(urgency) && urgency >= 0 && urgency <= 7 && typeof incremental === 'boolean')) {
    report.server(
      '3.4',
      `expected priority to have an urgency of 0 to 7 and a boolean incremental, got ${urgency} and ${incremental}`,
    );
  }
  if (typeof request.remote?.address !== 'string' || typeof request.remote?.port !== 'number') {
    report.server('3.4', 'expected remote to have an address and a port');
  }
}

export function checkCapabilities({ capabilities, withheld, request }: Exchange, report: Report): void {
  for (const feature of FEATURES) {
    if (typeof capabilities[feature] !== 'boolean')
      report.server('10.1', `expected capabilities.${feature} to be true or false`);
  }
  for (const { feature, why } of withheld) {
    if (!FEATURES.includes(feature) || typeof why !== 'string' || why === '') {
      report.server(
        '10.2',
        `expected a feature and a reason in withheld, got ${JSON.stringify({ feature, why })}`,
      );
    } else if (capabilities[feature]) {
      report.server('10.2', `expected no capability for a withheld feature, got ${feature}`);
    }
  }
  const asksForTunnel = request.protocol !== '' || request.method === 'CONNECT';
  if (capabilities.tunnel && !asksForTunnel)
    report.server('9.1', 'expected no tunnel for a request that asks for none');
}

export function isSame(one: Capabilities, other: Capabilities): boolean {
  return FEATURES.every((feature) => one[feature] === other[feature]);
}
