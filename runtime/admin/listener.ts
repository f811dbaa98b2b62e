/** The TCP listener with the admin endpoints and the dashboard. It has the same limits and deadlines as the control socket, and a guard in front. */
import { readFileSync, statSync } from 'node:fs';
import { type AdminConfig, isLoopback } from '../config/admin.ts';
import type { Config } from '../config/config.ts';
import { LocalServer } from '../control/local-server.ts';
import { type ControlExchange, type ControlHandler, ControlRoutes } from '../control/routes.ts';
import { originOf } from '../listeners/curl-lines.ts';
import { naming } from '../listeners/listen-error.ts';
import { resolveHosts } from '../listeners/names.ts';
import type { Log } from '../logging/log.ts';
import { readVersion } from '../process/version.ts';
import type { Reactor } from '../server/reactor.ts';
import { Access } from './access.ts';
import { addDashboard } from './dashboard.ts';
import { Guard } from './guard.ts';
import { AdminTokenError } from './token-error.ts';

const TOKEN = /^[!-~]{32,1024}$/;

/** The page loads only what this server serves, and no other page may frame it. */
const FIELDS = [
  'cache-control',
  'no-store',
  'content-security-policy',
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options',
  'nosniff',
  'referrer-policy',
  'no-referrer',
  'cross-origin-opener-policy',
  'same-origin',
  'cross-origin-resource-policy',
  'same-origin',
  'sluice-version',
  readVersion(),
] as const;

export class AdminListener {
  readonly #admin: AdminConfig;
  readonly #log: Log;
  readonly #access: Access;
  readonly #server: LocalServer;
  readonly #open = new ControlRoutes();
  readonly #routes: ControlRoutes;
  /** Set when the port is known; no request can come before. */
  #guard: Guard | null = null;
  /** Null while it does not listen. */
  #origin: string | null = null;

  /** @throws AdminTokenError */
  constructor(admin: AdminConfig, config: Config, routes: ControlRoutes, reactor: Reactor, log: Log) {
    this.#admin = admin;
    this.#log = log;
    this.#routes = routes;
    const token = admin.tokenFile === null ? null : readToken(admin.tokenFile);
    this.#access = new Access(admin, token, () => performance.now());
    addDashboard(this.#open);
    const options = {
      section: 'admin',
      clients: 'guarded',
      maxConnections: admin.maxConnections,
      maxExchanges: admin.maxExchanges,
      maxBodyBytes: admin.maxBodyBytes,
      maxRequestsPerSecond: admin.maxRequestsPerSecond,
      maxRememberedAddresses: admin.maxRememberedAddresses,
      maxStreams: admin.maxStreams,
      busy: admin,
      fields: FIELDS,
    } as const;
    const table = {
      find: (method: string, path: string, exchange: ControlExchange): ControlHandler =>
        (this.#guard as Guard).find(method, path, exchange),
    };
    this.#server = new LocalServer(options, config, table, reactor, log);
  }

  /** @throws ListenError */
  async open(): Promise<void> {
    const { address } = this.#admin;
    const hosts = await resolveHosts([this.#admin]);
    const target = { ...address, ip: hosts.get(address.host) ?? address.host };
    const bound = await naming('admin.address', this.#server.listen(target));
    this.#guard = new Guard(this.#admin, this.#access, this.#open, this.#routes, bound.port ?? address.port);
    const origin = originOf(bound, null);
    this.#origin = origin;
    this.#log.info(
      { address: `${bound.host}:${bound.port}` },
      `admin on ${origin}: "sluice dashboard" prints a link`,
    );
    if (!isLoopback(address.host))
      this.#log.warn(
        { address: address.address },
        'the admin listener has no TLS: others can read its token and cookies unless a proxy or a tunnel stands in between',
      );
  }

  /** The secret is in the URL's fragment, which browsers send nowhere, so no log has it. Null while it does not listen. */
  makeLink(): string | null {
    return this.#origin === null ? null : `${reachable(this.#origin)}/#link=${this.#access.makeLink()}`;
  }

  /** Closes at once and cuts off connected clients. Idempotent. */
  close(): void {
    this.#origin = null;
    this.#server.close();
  }
}

/** A client cannot connect to the wildcard address. */
function reachable(origin: string): string {
  return origin.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

/** @throws AdminTokenError */
function readToken(file: string): string {
  let token: string;
  let mode: number;
  try {
    token = readFileSync(file, 'utf8').trim();
    mode = statSync(file).mode;
  } catch (error) {
    throw new AdminTokenError(`admin.tokenFile: expected a file that can be read, got ${String(error)}`, {
      cause: error,
    });
  }
  if ((mode & 0o077) !== 0)
    throw new AdminTokenError(
      `${file}: expected a file that only its owner can read (mode 600), got mode ${(mode & 0o777).toString(8)}; run chmod 600`,
    );
  if (TOKEN.test(token)) return token;
  throw new AdminTokenError(
    `${file}: expected a token of 32 to 1024 visible characters, got ${token.length}; make one with openssl rand -base64 32`,
  );
}
