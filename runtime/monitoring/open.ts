/** The listener for probes and scrapers (`monitoring`). It is separate from the applications' listeners, so other clients can reach it. */
import type { Config } from '../config/config.ts';
import type { MonitoringConfig } from '../config/monitoring.ts';
import { LocalServer } from '../control/local-server.ts';
import { type ControlExchange, ControlRoutes } from '../control/routes.ts';
import type { Readiness } from '../health/readiness.ts';
import { originOf } from '../listeners/curl-lines.ts';
import { naming } from '../listeners/listen-error.ts';
import { resolveHosts } from '../listeners/names.ts';
import type { Log } from '../logging/log.ts';
import type { Reactor } from '../server/reactor.ts';
import { residentBytes } from '../status/memory-use.ts';
import type { ServerStatus } from '../status/status-types.ts';
import type { MonitoringDetails } from './details.ts';
import { METRICS_TYPE } from './exposition.ts';
import { metricsText } from './metrics.ts';
import type { RequestDurations } from './request-durations.ts';

const JSON_TYPE = 'application/json';
/** How long the same text is served. However often somebody scrapes, the reactor renders it at most four times a second. */
const TEXT_AGE_MS = 250;

export interface Monitored {
  readonly durations: RequestDurations | null;
  status(): ServerStatus;
  details(): MonitoringDetails;
  readiness(): Readiness;
}

/** @throws ListenError */
export async function openMonitoring(
  monitoring: MonitoringConfig,
  config: Config,
  server: Monitored,
  reactor: Reactor,
  log: Log,
): Promise<LocalServer> {
  const { address, maxConnections, maxRequestsPerSecond, maxRememberedAddresses, maxStreams } = monitoring;
  const fields = ['cache-control', 'no-store'];
  const options = {
    section: 'monitoring',
    clients: 'any',
    maxConnections,
    maxBodyBytes: 1_024,
    maxRequestsPerSecond,
    maxRememberedAddresses,
    maxStreams,
    fields,
  } as const;
  const local = new LocalServer(
    options,
    config,
    routesOf(server, () => performance.now()),
    reactor,
    log,
  );
  const hosts = await resolveHosts([monitoring]);
  const target =
    address.kind === 'tcp' ? { ...address, ip: hosts.get(address.host) ?? address.host } : address;
  const bound = await naming('monitoring.address', local.listen(target));
  log.info(
    { address: bound.host === null ? address.address : `${bound.host}:${bound.port}` },
    `monitoring on ${bound.host === null ? address.address : originOf(bound, null)}: /livez, /readyz, /metrics`,
  );
  return local;
}

/** @param now monotonic milliseconds */
export function routesOf(server: Monitored, now: () => number): ControlRoutes {
  const routes = new ControlRoutes();
  let text: Promise<Buffer> = Promise.resolve(Buffer.alloc(0));
  let madeAtMs = -Infinity;
  const render = async (): Promise<Buffer> =>
    Buffer.from(await metricsText(server.status(), server.details(), server.durations, processUse()));
  const answers: Readonly<Record<string, (exchange: ControlExchange) => Promise<void>>> = {
    '/livez': (exchange) => give(exchange, 200, JSON_TYPE, '{"live":true}\n'),
    '/readyz': (exchange) => {
      const readiness = server.readiness();
      return give(exchange, readiness.ready ? 200 : 503, JSON_TYPE, `${JSON.stringify(readiness)}\n`);
    },
    '/metrics': async (exchange) => {
      if (now() - madeAtMs >= TEXT_AGE_MS) {
        madeAtMs = now();
        text = render();
      }
      await give(exchange, 200, METRICS_TYPE, await text);
    },
  };
  for (const [path, answer] of Object.entries(answers)) {
    for (const method of ['GET', 'HEAD']) routes.add(method, path, answer);
  }
  return routes;
}

async function give(
  exchange: ControlExchange,
  status: number,
  type: string,
  content: Uint8Array | string,
): Promise<void> {
  exchange.respond(status, type);
  if (exchange.method !== 'HEAD') await exchange.write(content);
  exchange.end();
}

function processUse() {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, residentBytes: residentBytes() };
}
