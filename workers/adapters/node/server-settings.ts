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
  ['maxHeaderSize', 'http1.maxHeaderBytes'],
];
/** Refuses addresses. A server of node:http2 may have one too. */
const BLOCK_LIST = 'blockList';

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

/** Warns once of all settings that differ from Node's defaults. */
export function warnOfSettings(server: object): void {
  const own = server as unknown as Settings;
  const told = changedSettings(own).map(
    ([setting, like]) => `server.${setting} = ${own[setting]} (set ${like})`,
  );
  if (own[BLOCK_LIST] !== undefined)
    told.push(`server.${BLOCK_LIST} (refuse addresses in a firewall or a proxy)`);
  if (told.length === 0) return;
  process.emitWarning(
    `settings of the application's server for connections have no effect, the connections are Sluice's: ${told.join(', ')}`,
    { code: 'SLUICE_SERVER_SETTING' },
  );
}

/** A server of node:http2 has none of them. */
function changedSettings(own: Settings): typeof SETTINGS {
  if (!('headersTimeout' in own)) return [];
  const byDefault = createServer() as unknown as Settings;
  return SETTINGS.filter(
    ([setting]) => own[setting] !== byDefault[setting] && own[setting] !== OF_FASTIFY.get(setting),
  );
}

/** How long a connection may stay idle, if the application has set it; otherwise null. */
export function keepAliveTimeoutOf(server: object): number | null {
  if (!('headersTimeout' in server)) return null;
  const { keepAliveTimeout: ms } = server as { readonly keepAliveTimeout?: unknown };
  if (ms === createServer().keepAliveTimeout || ms === OF_FASTIFY.get('keepAliveTimeout')) return null;
  return typeof ms === 'number' && ms >= 1 && ms <= LONGEST_MS ? Math.floor(ms) : null;
}
