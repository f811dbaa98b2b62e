/**
 * The ways in for those who run the server: the control socket, and the listener of `monitoring`. Their modules are imported as they are opened,
 * which is behind the start of the threads: the main thread has nothing else to do while applications load.
 */
import type { Config } from './config/config.ts';
import type { LocalServer } from './control/local-server.ts';
import type { ControlRoutes } from './control/routes.ts';
import type { ControlServer } from './control/server.ts';
import type { Log } from './log.ts';
import type { Monitored } from './monitoring/open.ts';
import type { Reactor } from './reactor.ts';

export class SideDoors {
  #control: ControlServer | null = null;
  #monitoring: LocalServer | null = null;
  #state: 'open' | 'closed' = 'open';

  /** Of the control socket; null: there is none, or not yet. */
  get controlPath(): string | null {
    return this.#control?.path ?? null;
  }

  /** @throws ControlSocketError, ListenError */
  async open(
    config: Config,
    routes: ControlRoutes,
    server: Monitored & { readonly parts: { readonly reactor: Reactor } },
    log: Log,
  ): Promise<void> {
    const { reactor } = server.parts;
    const { openControl } = await import('./control/open.ts');
    this.#control = await openControl(config, routes, reactor, log);
    if (config.monitoring !== null) {
      const { openMonitoring } = await import('./monitoring/open.ts');
      this.#monitoring = await openMonitoring(config.monitoring, config, server, reactor, log);
    }
    // Somebody may have lost patience meanwhile.
    if (this.#state === 'closed') this.#closeAll();
  }

  #closeAll(): void {
    this.#control?.close();
    this.#monitoring?.close();
  }

  /** At once: whoever is connected is cut off. Idempotent. */
  close(): void {
    this.#state = 'closed';
    this.#closeAll();
  }
}
