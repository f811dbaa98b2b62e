/** Opens the control socket of a starting server. If that is impossible, the server starts without it, unless the configuration names a path. */
import type { Config } from '../config/config.ts';
import type { Log } from '../logging/log.ts';
import type { Reactor } from '../server/reactor.ts';
import { ControlSocketError } from './errors.ts';
import type { Environment } from './folder.ts';
import type { ControlRoutes } from './routes.ts';
import { ControlServer } from './server.ts';

/**
 * Returns null if the configuration disables the socket, or if it cannot be opened, which is logged.
 * @throws ControlSocketError if `control.path` cannot be used
 */
export async function openControl(
  config: Config,
  routes: ControlRoutes,
  reactor: Reactor,
  log: Log,
  environment: Environment = process.env,
): Promise<ControlServer | null> {
  if (!config.control.enabled) return null;
  const control = new ControlServer(config, routes, reactor, log);
  try {
    await control.open(environment);
  } catch (error) {
    control.close();
    if (!(error instanceof ControlSocketError) || config.control.path !== null) throw error;
    log.warn(
      { code: error.code },
      `the server runs without a control socket, so it cannot be profiled or asked for its status: ${error.message}`,
    );
    return null;
  }
  log.debug({ path: control.path }, 'control socket opened');
  return control;
}
