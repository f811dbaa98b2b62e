/** A server with its control socket, in the test's own process, and a client of its admin endpoints. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExchangesView, ExchangeView } from '../../runtime/admin/exchange-types.ts';
import { AdminHandlers } from '../../runtime/admin/handlers.ts';
import type { Config } from '../../runtime/config/config.ts';
import { ControlClient } from '../../runtime/control/client.ts';
import { ControlRoutes } from '../../runtime/control/routes.ts';
import { ControlServer } from '../../runtime/control/server.ts';
import { createLog } from '../../runtime/logging/log.ts';
import { LogTail } from '../../runtime/logging/log-tail.ts';
import { Reloader } from '../../runtime/reload/reloader.ts';
import { ownFolder } from '../control/control-server.ts';
import { type Scope, type ServerInput, startServer, type TestServer } from '../server/harness.ts';

export function stuckApplication(name: 'stuck' | 'clerk'): string {
  return fileURLToPath(new URL(`applications/${name}.ts`, import.meta.url));
}

export interface AdminTestServer extends TestServer {
  readonly client: ControlClient;
  readonly routes: ControlRoutes;
  /** Where the control socket is. */
  readonly path: string;
  exchanges(query?: string): Promise<ExchangesView>;
  /** The one exchange of that path, as soon as it is as wanted. */
  untilSeen(path: string, isWanted: (exchange: ExchangeView) => boolean): Promise<ExchangeView>;
  /** How often it was told to stop. */
  readonly stops: { count: number };
}

export async function startAdministered(
  scope: Scope,
  input: ServerInput,
  read?: (config: Config) => Config,
): Promise<AdminTestServer> {
  const running = await startServer(scope, input);
  const { server, log } = running;
  const routes = new ControlRoutes();
  const tail = new LogTail(65_536);
  const output = { stream: log.stream, isTerminal: false, colour: false };
  const reactorLog = createLog(server.config.log, output, tail);
  const reloader = new Reloader(
    server,
    async () => (read ?? ((config) => config))(server.config),
    reactorLog,
  );
  reloader.open();
  const stops = { count: 0 };
  const handlers = new AdminHandlers({
    server,
    reloader,
    log: reactorLog,
    stop: () => {
      stops.count++;
    },
    tail,
  });
  handlers.addTo(routes, { withToken: false });
  const path = join(ownFolder(scope), 'own', 'c.sock');
  const config = { ...server.config, control: { ...server.config.control, enabled: true, path } };
  const control = new ControlServer(config, routes, server.parts.reactor, reactorLog);
  scope.teardown(() => control.close());
  await control.open();
  const client = await ControlClient.open(path);
  scope.teardown(() => client.close());
  const exchanges = async (query = '') => (await client.ask('GET', `/exchanges${query}`)) as ExchangesView;
  const untilSeen = async (wanted: string, isWanted: (exchange: ExchangeView) => boolean) => {
    for (;;) {
      const { exchanges: all } = await exchanges();
      const found = all.find((exchange) => exchange.path === wanted && isWanted(exchange));
      if (found !== undefined) return found;
    }
  };
  return { ...running, client, routes, path, exchanges, untilSeen, stops };
}
