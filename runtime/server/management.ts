/**
 * The operators' side of a server: the control socket and the listeners of `monitoring` and `admin`. Their modules are imported after the
 * threads have been started, while the main thread would only wait for applications to load.
 */
import type { AdminListener } from '../admin/listener.ts';
import type { Config } from '../config/config.ts';
import type { LocalServer } from '../control/local-server.ts';
import type { ControlRoutes } from '../control/routes.ts';
import type { ControlServer } from '../control/server.ts';
import type { Log } from '../logging/log.ts';
import type { Monitored } from '../monitoring/open.ts';
import type { Reactor } from './reactor.ts';

/** What it needs from the server. */
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

  /** The path of the control socket; null: there is none, or not yet. */
  get controlPath(): string | null {
    return this.#control?.path ?? null;
  }

  /** @throws ControlSocketError if no socket can be opened at `control.path` */
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
   * Opens the admin endpoints over TCP. Links to them are made through the control socket.
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

  /** A link to the admin listener; null: there is no listener, or not yet. */
  makeLink(): string | null {
    return this.#admin?.makeLink() ?? null;
  }

  /** A second signal may have closed everything while a listener was being opened. */
  #closeIfLate(): void {
    if (this.#state === 'closed') this.close();
  }

  /** Closes everything at once, open connections too. Idempotent. */
  close(): void {
    this.#state = 'closed';
    this.#control?.close();
    this.#monitoring?.close();
    this.#admin?.close();
  }
}
