/**
 * A server within a process that also does other things. It changes nothing that belongs to the whole process: it listens to no signal, prints
 * nothing, sets no environment variable, and does not end the process.
 */
import type { Config } from '../config/config.ts';
import type { ConfigInput } from '../config/schema.ts';
import { ControlRoutes } from '../control/routes.ts';
import type { Log } from '../logging/log.ts';
import type { Prints } from '../pools/prints.ts';
import { Profiler } from '../profiling/profiler.ts';
import { Reloader } from '../reload/reloader.ts';
import type { ReloadReport } from '../reload/report.ts';
import { Management } from '../server/management.ts';
import { Server } from '../server/server.ts';
import type { ListenerStatus, ServerStatus } from '../status/status-types.ts';
import { readConfiguration } from './configuration.ts';
import { embeddedLog, type LogLine } from './log.ts';
import { ServerClosedError, ServerStateError } from './server-state-error.ts';

/** The content of `runtime.config.json`: docs/configuration.md. */
export type Configuration = ConfigInput;

export interface ServerOptions {
  /** Base of the configuration's relative paths. Default: the working directory. */
  readonly directory?: string;
  /** Receives each log line. Default: the log is off. */
  readonly log?: (line: LogLine) => void;
  /** Receive what applications print. Default: Node passes it to the process's own streams. */
  readonly prints?: Prints;
}

export interface SluiceServer extends AsyncDisposable {
  /**
   * Loads the applications and listens. Call it once: a server that fails to start is closed.
   * @throws ConfigError (files of TLS), ApplicationLoadError, ListenError, ControlSocketError, ServerClosedError, ServerStateError
   */
  start(): Promise<void>;
  /** Addresses of the listeners, with the ports that the system chose; empty until the server has started. */
  readonly addresses: readonly ListenerStatus[];
  /**
   * Reads certificates and keys again. Open connections stay; new ones use the new files. Invalid files change nothing.
   * @throws ConfigError, NoCertificatesError, ServerStateError
   */
  reloadCertificates(): Promise<void>;
  /**
   * Takes over another configuration and the applications on the disk without losing an exchange. Resolves when old threads get no more
   * exchanges. Reloads run one at a time: calls during one share the next, with the last configuration that was given.
   * @param configuration default: the present one
   * @throws ConfigError, ApplicationLoadError, ReloadStoppedError, ServerStateError: the running version stays
   */
  reload(configuration?: Configuration): Promise<ReloadReport>;
  /** State and counters, explained in docs/control-socket.md. Works at any time, without asking a thread. */
  status(): ServerStatus;
  /** Accepts no more connections, lets open exchanges finish for at most `drainTimeoutMs`, and closes. Idempotent. */
  drain(): Promise<void>;
  /** Ends everything at once. Resolves when the threads have ended. Idempotent. */
  close(): Promise<void>;
}

/**
 * Creates a server that does nothing yet. Errors of the configuration are thrown here, errors of the environment by `start`.
 * @throws ConfigError listing every error
 */
export function createServer(configuration: Configuration, options: ServerOptions = {}): SluiceServer {
  const directory = options.directory ?? process.cwd();
  const config = readConfiguration(configuration, directory);
  const log = embeddedLog(config.log, options.log);
  return new EmbeddedServer(new Server(config, log, options.prints), log, directory);
}

class EmbeddedServer implements SluiceServer {
  readonly #server: Server;
  #state: 'idle' | 'starting' | 'running' | 'draining' | 'closed' = 'idle';
  readonly #management: Management;
  readonly #profiler: Profiler;
  readonly #reloader: Reloader;
  readonly #directory: string;
  readonly #log: Log;
  /** The configuration for the next reload; null: the present one. */
  #wanted: Config | null = null;
  #drained: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  constructor(server: Server, log: Log, directory: string) {
    this.#server = server;
    this.#directory = directory;
    this.#log = log;
    this.#reloader = new Reloader(server, async () => this.#takeWanted(), log);
    this.#management = new Management(server, log);
    this.#profiler = new Profiler(server.config.profiling, server, log);
  }

  async start(): Promise<void> {
    if (this.#state !== 'idle') {
      throw new ServerStateError('start()', 'a server that has not been started', NAMES[this.#state]);
    }
    this.#state = 'starting';
    try {
      await this.#open();
    } catch (error) {
      const wasClosed = !this.#isStarting;
      // Not awaited: a thread that waits in the kernel may delay it without limit.
      void this.close();
      throw wasClosed ? new ServerClosedError() : error;
    }
    if (!this.#isStarting) throw new ServerClosedError();
    this.#state = 'running';
    this.#reloader.open();
  }

  async #open(): Promise<void> {
    const routes = new ControlRoutes();
    this.#profiler.addRoutes(routes, () => this.#management.controlPath);
    const server = this.#server;
    await server.start(async () => {
      const { AdminHandlers, addLinks } = await import('../admin/handlers.ts');
      const handlers = new AdminHandlers({
        server,
        reloader: this.#reloader,
        log: this.#log,
        stop: null,
        tail: null,
      });
      handlers.addTo(routes, { withToken: false });
      addLinks(routes, this.#management);
      await this.#management.openControl(routes);
      await this.#management.openMonitoring();
      const ofListener = new ControlRoutes();
      handlers.addTo(ofListener, { withToken: true });
      await this.#management.openAdmin(ofListener);
    });
  }

  /** Must be checked again after every await. */
  get #isStarting(): boolean {
    return this.#state === 'starting';
  }

  get addresses(): readonly ListenerStatus[] {
    return this.#server.status().listeners;
  }

  async reloadCertificates(): Promise<void> {
    if (this.#state !== 'running') {
      throw new ServerStateError('reloadCertificates()', 'a server that runs', NAMES[this.#state]);
    }
    await this.#server.readCertificates();
  }

  async reload(configuration?: Configuration): Promise<ReloadReport> {
    if (this.#state !== 'running') {
      throw new ServerStateError('reload()', 'a server that runs', NAMES[this.#state]);
    }
    if (configuration !== undefined) this.#wanted = readConfiguration(configuration, this.#directory);
    return await this.#reloader.reload('reload()');
  }

  #takeWanted(): Config {
    const wanted = this.#wanted ?? this.#server.config;
    this.#wanted = null;
    return wanted;
  }

  status(): ServerStatus {
    return this.#server.status();
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'draining';
      this.#reloader.close();
      await Promise.all([this.#profiler.close(), this.#server.drain()]);
    }
    await this.close();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#state = 'closed';
    this.#reloader.close();
    this.#management.close();
    this.#profiler.destroy();
    await this.#server.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const NAMES = {
  idle: 'one that has not been started',
  starting: 'one that starts',
  running: 'one that runs',
  draining: 'one that drains',
  closed: 'one that is closed',
} as const;
