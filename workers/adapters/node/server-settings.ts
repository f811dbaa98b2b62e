/**
 * Settings of a node:http server that concern connections. The reactor owns the connections and has settings of its own for them. If an
 * application sets one, a warning names the setting to use, because a load balancer in front may depend on it.
 */
import { createServer } from 'node:http';

/** Node's setting, and its counterpart in the configuration. */
const SETTINGS: readonly (readonly [setting: string, like: string])[] = [
  ['maxRequestsPerSocket', 'http1.maxRequestsPerConnection'],
  ['headersTimeout', 'limits.headerTimeoutMs'],
  ['requestTimeout', 'limits.exchangeTimeoutMs'],
  ['maxHeadersCount', 'http1.maxFieldLines'],
  ['maxConnections', 'limits.maxConnections'],
];

/** Values that Fastify sets for every server, so the author did not choose them. */
const OF_FASTIFY: ReadonlyMap<string, unknown> = new Map([
  ['keepAliveTimeout', 72_000],
  ['requestTimeout', 0],
]);
/** The longest timer that Node accepts. */
const LONGEST_MS = 2 ** 31 - 1;

interface Settings {
  readonly [setting: string]: unknown;
}

/** Warns once of all settings that differ from Node's defaults. A server of node:http2 has none of them. */
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

/** How long a connection may stay idle, if the application has set it; otherwise null. */
export function keepAliveTimeoutOf(server: object): number | null {
  if (!('headersTimeout' in server)) return null;
  const { keepAliveTimeout: ms } = server as { readonly keepAliveTimeout?: unknown };
  if (ms === createServer().keepAliveTimeout || ms === OF_FASTIFY.get('keepAliveTimeout')) return null;
  return typeof ms === 'number' && ms >= 1 && ms <= LONGEST_MS ? Math.floor(ms) : null;
}
