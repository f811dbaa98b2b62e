/** Opens and closes the control socket of a server. */
import type { Config } from '../config/config.ts';
import type { Log } from '../logging/log.ts';
import { readVersion } from '../process/version.ts';
import type { Reactor } from '../server/reactor.ts';
import { isRemoved, removeAtExit } from './at-exit.ts';
import type { Environment } from './folder.ts';
import { LocalServer } from './local-server.ts';
import type { ControlRoutes } from './routes.ts';
import { type OpenSocket, openAt, openIn } from './socket.ts';
import { CONTROL_VERSION } from './version.ts';

export class ControlServer {
  readonly #config: Config;
  readonly #server: LocalServer;
  #socket: OpenSocket | null = null;
  #state: 'open' | 'closed' = 'open';

  constructor(config: Config, routes: ControlRoutes, reactor: Reactor, log: Log) {
    this.#config = config;
    const fields = [
      'cache-control',
      'no-store',
      'sluice-control',
      String(CONTROL_VERSION),
      'sluice-version',
      readVersion(),
    ];
    const options = {
      section: 'control',
      clients: 'own',
      ...config.control,
      busy: config.control,
      fields,
    } as const;
    this.#server = new LocalServer(options, config, routes, reactor, log);
  }

  /** Its path; null while it does not listen. */
  get path(): string | null {
    return this.#socket?.path ?? null;
  }

  /** @throws ControlSocketError */
  async open(environment: Environment = process.env): Promise<void> {
    const owner = {
      listen: async (path: string) => {
        await this.#server.listen({ kind: 'unix', address: path, path });
      },
    };
    const { path } = this.#config.control;
    const socket =
      path === null ? await openIn(this.#config.file, owner, environment) : await openAt(path, owner);
    this.#socket = socket;
    if (this.#state === 'open') removeAtExit(socket);
    else this.#closeSocket();
  }

  #closeSocket(): void {
    this.#server.close();
    if (this.#socket === null) return;
    this.#socket.remove();
    isRemoved(this.#socket);
  }

  /** Closes at once and cuts off connected clients. Idempotent. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#closeSocket();
  }
}
