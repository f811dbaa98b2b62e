/** The whole life of a server's process: from its configuration to its exit code. */
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
 * Runs the server until it is told to stop, and reloads it when it is told to. Threads have been told to end when this resolves; not all need have.
 * @param prints takes what applications print
 * @param readConfig the configuration as it is when a reload begins
 * @param tail the newest lines of that log
 * @param development null: files are not watched
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
    // The log tells the outcome.
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
    const admin = { server, reloader, log, stop: () => signals.stop(), tail, withToken: false };
    const started = startServer(server, management, routes, admin);
    // When it is told to stop, what is still starting fails.
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
    // It answers to the end: a drain takes a while, and is watched.
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
 * Probes are answered while applications load. Not under clinic: it puts its load on ports that are listened on, whatever they are for.
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
    const { addAdmin, addLinks } = await import('../admin/handlers.ts');
    addAdmin(routes, admin);
    addLinks(routes, management);
    await management.openControl(routes);
    if (isUnderClinic) return;
    await management.openMonitoring();
    const ofListener = new ControlRoutes();
    addAdmin(ofListener, { ...admin, withToken: true });
    await management.openAdmin(ofListener);
  });
}

/** Of systemd's socket activation: what we start ourselves has no part in them. */
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
