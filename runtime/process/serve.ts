/** Runs the server of a process, from its configuration to its exit code. */
import { setImmediate } from 'node:timers/promises';
import type { AdminParts } from '../admin/handlers.ts';
import { AdminTokenError } from '../admin/token-error.ts';
import { ExitCode } from '../cli/exit-code.ts';
import { clinicToolOf } from '../clinic/injected.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { ControlSocketError } from '../control/errors.ts';
import { ControlRoutes } from '../control/routes.ts';
import { ListenError } from '../listeners/listen-error.ts';
import { loadFailureLine } from '../logging/load-failure.ts';
import type { Log } from '../logging/log.ts';
import type { LogTail } from '../logging/log-tail.ts';
import { ApplicationLoadError } from '../pools/application-load-error.ts';
import type { Prints } from '../pools/prints.ts';
import { Profiler } from '../profiling/profiler.ts';
import { Reloader } from '../reload/reloader.ts';
import { Management } from '../server/management.ts';
import { Server } from '../server/server.ts';
import type { Development } from '../watch/development.ts';
import type { Hangups } from './hangup.ts';
import type { StopSignals } from './stop-signals.ts';

/**
 * Runs the server until a signal or a client of the control socket stops it, and reloads it on request. When this resolves, all threads have
 * been told to end; some may still run.
 * @param prints receives what applications print
 * @param readConfig reads the configuration at the beginning of a reload
 * @param tail keeps the newest lines of the log
 * @param development null if files are not watched
 * @throws ConfigError when files that the configuration names are wrong
 */
export async function serve(
  config: Config,
  log: Log,
  prints: Prints,
  signals: StopSignals,
  hangups: Hangups,
  readConfig: () => Promise<Config>,
  tail: LogTail,
  development: Development | null = null,
): Promise<number> {
  const server = new Server(config, log, prints, development);
  const reloader = new Reloader(server, readConfig, log, development?.explain);
  hangups.tellTo((hasTerminalClosed) => {
    if (hasTerminalClosed) signals.hangUp();
    // The log reports the outcome.
    else void reloader.reload('SIGHUP').catch(() => undefined);
  });
  signals.tellTo(log);
  const { first, second } = signals;
  const routes = new ControlRoutes();
  const management = new Management(server, log);
  routes.add('POST', '/stop', (exchange) => {
    signals.stop();
    exchange.answer(202, { pid: process.pid });
  });
  const profiler = new Profiler(config.profiling, server, log);
  profiler.addRoutes(routes, () => management.controlPath);
  try {
    const admin = { server, reloader, log, stop: () => signals.stop(), tail };
    const started = startServer(server, management, routes, admin);
    // A stop during the start makes the start fail.
    started.catch(() => undefined);
    const exitCode = await Promise.race([
      started.then(forgetPassedSockets).then(() => {
        reloader.open();
        development?.begin(reloader);
        return server.startFailed;
      }),
      server.gaveUp.then(() => ExitCode.GaveUp),
      first.then(() => ExitCode.Ok),
    ]);
    reloader.close();
    // The answer to the request for this stop leaves at the end of the turn. A server that is still starting has
    // nothing to finish, and would otherwise end before that.
    await setImmediate();
    // The control socket answers until the end, because a drain takes a while and an operator may watch it.
    const drained = Promise.all([profiler.close(), server.drain()]);
    return await Promise.race([drained.then(() => exitCode), second]);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    return failedToStart(error, log);
  } finally {
    development?.close();
    reloader.close();
    management.close();
    profiler.destroy();
    void server.destroy();
  }
}

/**
 * Opens listeners that answer while applications load. Not under clinic, which sends its load to any open port.
 * @throws as `Server.start`, ControlSocketError
 */
async function startServer(
  server: Server,
  management: Management,
  routes: ControlRoutes,
  admin: AdminParts,
): Promise<void> {
  const isUnderClinic = clinicToolOf({ execArgv: process.execArgv, environment: process.env }) !== null;
  const { monitoring, admin: adminConfig } = server.config;
  if (isUnderClinic && monitoring !== null)
    admin.log.warn('monitoring listener not opened: under clinic, the load would go to its port');
  if (isUnderClinic && adminConfig !== null)
    admin.log.warn('admin listener not opened: under clinic, the load would go to its port');
  await server.start(async () => {
    const { AdminHandlers, addLinks } = await import('../admin/handlers.ts');
    const handlers = new AdminHandlers(admin);
    handlers.addTo(routes, { withToken: false });
    addLinks(routes, management);
    await management.openControl(routes);
    if (isUnderClinic) return;
    await management.openMonitoring();
    const ofListener = new ControlRoutes();
    handlers.addTo(ofListener, { withToken: true });
    await management.openAdmin(ofListener);
  });
}

/** Variables of systemd's socket activation, which programs that we start must not inherit. */
function forgetPassedSockets(): void {
  for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete process.env[name];
}

function failedToStart(error: unknown, log: Log): number {
  if (error instanceof ApplicationLoadError) {
    log.fatal(loadFailureLine(error), error.message);
    return ExitCode.ApplicationFailed;
  }
  if (error instanceof ListenError || error instanceof ControlSocketError || error instanceof AdminTokenError)
    log.fatal({ code: error.code }, error.message);
  else log.fatal({ err: error }, 'the server could not start');
  return ExitCode.Failed;
}
