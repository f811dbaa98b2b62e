/**
 * Where those who run the server reach it: the control socket, and the listeners of `monitoring` and `admin`. Their modules are imported as they are opened,
 * behind the start of the threads: the main thread has nothing else to do while applications load.
 */
import type { AdminListener } from '../admin/listener.ts';
import type { Config } from '../config/config.ts';
import type { LocalServer } from '../control/local-server.ts';
import type { ControlRoutes } from '../control/routes.ts';
import type { ControlServer } from '../control/server.ts';
import type { Log } from '../logging/log.ts';
import type { Monitored } from '../monitoring/open.ts';
import type { Reactor } from './reactor.ts';

/** What it tells of. */
export interface ManagedServer extends Monitored {
  readonly config: Config;
  readonly parts: { readonly reactor: Reactor };
}

export class Management {
  readonly #server: ManagedServer;
  readonly #log: Log;
  #control: ControlServer | null = null;
  #monitoring: LocalServer | null = null;
  #admin: AdminListener | null = null;
  #state: 'open' | 'closed' = 'open';

  constructor(server: ManagedServer, log: Log) {
    this.#server = server;
    this.#log = log;
  }

  /** Of the control socket; null: there is none, or not yet. */
  get controlPath(): string | null {
    return this.#control?.path ?? null;
  }

  /** @throws ControlSocketError when `control.path` names a place that will not do */
  async openControl(routes: ControlRoutes): Promise<void> {
    const { config, parts } = this.#server;
    const { openControl } = await import('../control/open.ts');
    this.#control = await openControl(config, routes, parts.reactor, this.#log);
    this.#closeIfLate();
  }

  /** @throws ListenError */
  async openMonitoring(): Promise<void> {
    const { config, parts } = this.#server;
    if (config.monitoring === null) return;
    const { openMonitoring } = await import('../monitoring/open.ts');
    this.#monitoring = await openMonitoring(
      config.monitoring,
      config,
      this.#server,
      parts.reactor,
      this.#log,
    );
    this.#closeIfLate();
  }

  /**
   * The admin endpoints over TCP; links to it are made on the control socket.
   * @throws ListenError, AdminTokenError
   */
  async openAdmin(routes: ControlRoutes): Promise<void> {
    const { config, parts } = this.#server;
    if (config.admin === null) return;
    const { AdminListener } = await import('../admin/listener.ts');
    const listener = new AdminListener(config.admin, config, routes, parts.reactor, this.#log);
    this.#admin = listener;
    await listener.open();
    this.#closeIfLate();
  }

  /** Null: there is no admin listener, or not yet. */
  makeLink(): string | null {
    return this.#admin?.makeLink() ?? null;
  }

  /** Somebody may have lost patience while it was opened. */
  #closeIfLate(): void {
    if (this.#state === 'closed') this.close();
  }

  /** At once: whoever is connected is cut off. Idempotent. */
  close(): void {
    this.#state = 'closed';
    this.#control?.close();
    this.#monitoring?.close();
    this.#admin?.close();
  }
}
