/**
 * Settings of a server of node:http that concern connections. The reactor has the connections and settings of its own for them; who
 * has set one is told which, since a load balancer in front may depend on it.
 */
import { createServer } from 'node:http';

/** Node's setting, and its like in the configuration. */
const SETTINGS: readonly (readonly [setting: string, like: string])[] = [
  ['maxRequestsPerSocket', 'http1.maxRequestsPerConnection'],
  ['headersTimeout', 'limits.headerTimeoutMs'],
  ['requestTimeout', 'limits.exchangeTimeoutMs'],
  ['maxHeadersCount', 'http1.maxFieldLines'],
  ['maxConnections', 'limits.maxConnections'],
];

/** What nobody has chosen: Fastify sets these for every server. */
const OF_FASTIFY: ReadonlyMap<string, unknown> = new Map([
  ['keepAliveTimeout', 72_000],
  ['requestTimeout', 0],
]);
/** The longest that a timer of Node's takes. */
const LONGEST_MS = 2 ** 31 - 1;

interface Settings {
  readonly [setting: string]: unknown;
}

/** Warns of settings that are not Node's defaults, all in one warning. A server of node:http2 has others. */
export function warnOfSettings(server: object): void {
  if (!('headersTimeout' in server)) return;
  const own = server as unknown as Settings;
  const byDefault = createServer() as unknown as Settings;
  const ignored = SETTINGS.filter(
    ([setting]) => own[setting] !== byDefault[setting] && own[setting] !== OF_FASTIFY.get(setting),
  );
  if (ignored.length === 0) return;
  const told = ignored.map(([setting, like]) => `server.${setting} = ${own[setting]} (set ${like})`);
  process.emitWarning(
    `settings of the application's server for connections have no effect, the connections are Sluice's: ${told.join(', ')}`,
    { code: 'SLUICE_SERVER_SETTING' },
  );
}

/** How long a client may leave a connection idle, where the application has said so; null: by default. */
export function keepAliveTimeoutOf(server: object): number | null {
  if (!('headersTimeout' in server)) return null;
  const { keepAliveTimeout: ms } = server as { readonly keepAliveTimeout?: unknown };
  if (ms === createServer().keepAliveTimeout || ms === OF_FASTIFY.get('keepAliveTimeout')) return null;
  return typeof ms === 'number' && ms >= 1 && ms <= LONGEST_MS ? Math.floor(ms) : null;
}
