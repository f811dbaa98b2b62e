/**
 * Decides which requests reach the admin endpoints over TCP. The Host must name this server, which stops DNS rebinding. A request that a page
 * makes must come from this server's own page. It must carry a token or the cookie of a session. A request that changes something with a
 * cookie must be JSON with the page's origin, which no form of another page can send.
 */
import type { AdminConfig } from '../config/admin.ts';
import { isIpAddress, isLoopback } from '../config/admin.ts';
import { ControlCode, ControlRefusal } from '../control/errors.ts';
import type { ControlExchange, ControlHandler, ControlRoutes, RouteTable } from '../control/routes.ts';
import type { Access, Verdict } from './access.ts';
import { AdminCode, badRequest } from './errors.ts';

const SESSION = '/session';
const BEARER = /^bearer +([!-~]+)$/i;
const SAFE = new Set(['GET', 'HEAD']);
const CHALLENGE = ['www-authenticate', 'Bearer realm="sluice"'];

export class Guard implements RouteTable {
  readonly #config: AdminConfig;
  readonly #access: Access;
  /** Open to everybody: the page itself, which contains no data of the server. */
  readonly #open: ControlRoutes;
  readonly #guarded: ControlRoutes;
  readonly #cookie: string;

  /** @param port in the cookie's name, because browsers do not separate cookies by port */
  constructor(
    config: AdminConfig,
    access: Access,
    open: ControlRoutes,
    guarded: ControlRoutes,
    port: number,
  ) {
    this.#config = config;
    this.#access = access;
    this.#open = open;
    this.#guarded = guarded;
    this.#cookie = `sluice-admin-${port}`;
  }

  find(method: string, path: string, exchange: ControlExchange): ControlHandler {
    this.#requireOwnHost(exchange);
    this.#requireOwnOrigin(exchange);
    if (path === SESSION) return this.#session(method);
    if (this.#open.has(path)) return this.#open.find(method, path);
    this.#requireAccess(method, exchange);
    exchange.letIn();
    return this.#guarded.find(method, path);
  }

  // ---- where it comes from

  #requireOwnHost({ authority }: ControlExchange): void {
    const host = hostOf(authority);
    if (isIpAddress(host)) return;
    if (host === 'localhost' && isLoopback(this.#config.address.host)) return;
    if (this.#config.hosts.some((name) => name.toLowerCase() === host)) return;
    const message = `host: expected the server's IP address${isLoopback(this.#config.address.host) ? ', localhost' : ''} or one of admin.hosts, got another name`;
    throw new ControlRefusal(421, AdminCode.ForeignHost, message);
  }

  /** Either scheme, because a proxy in front may have TLS. */
  #requireOwnOrigin(exchange: ControlExchange): void {
    const origin = exchange.field('origin');
    if (origin === undefined && exchange.field('sec-fetch-site') !== 'cross-site') return;
    if (isOwnOrigin(origin, exchange)) return;
    throw new ControlRefusal(
      403,
      AdminCode.ForeignOrigin,
      "origin: expected the server's own page, got another one",
    );
  }

  // ---- who it comes from

  #requireAccess(method: string, exchange: ControlExchange): void {
    const given = BEARER.exec(exchange.field('authorization') ?? '')?.[1];
    if (given !== undefined) {
      const verdict = this.#access.present(given, exchange.remoteAddress);
      if (verdict !== 'in') throw refused(verdict);
      return;
    }
    const session = this.#sessionOf(exchange);
    if (session === undefined || !this.#access.isSession(session)) throw unauthorized();
    if (!SAFE.has(method)) requireOwnPage(exchange);
  }

  #sessionOf(exchange: ControlExchange): string | undefined {
    for (const part of (exchange.field('cookie') ?? '').split(';')) {
      const [name, value] = part.trim().split('=');
      if (name === this.#cookie && value !== undefined && value !== '') return value;
    }
    return undefined;
  }

  /** Exchanges a link's secret for a cookie, or ends a session. */
  #session(method: string): ControlHandler {
    if (method === 'DELETE')
      return (exchange) => {
        requireOwnPage(exchange);
        const session = this.#sessionOf(exchange);
        if (session !== undefined) this.#access.leave(session);
        exchange.answer(200, {}, ['set-cookie', this.#setCookie('', 0, exchange)]);
      };
    if (method !== 'POST') {
      const message = `${SESSION}: expected POST, DELETE, got ${method}`;
      throw new ControlRefusal(405, ControlCode.MethodNotAllowed, message, ['allow', 'POST, DELETE']);
    }
    return async (exchange) => {
      const body = await exchange.json();
      const secret: unknown =
        typeof body === 'object' && body !== null && 'link' in body ? body.link : undefined;
      if (typeof secret !== 'string') throw badRequest('link', 'the secret of a link', undefined);
      const entered = this.#access.enter(secret, exchange.remoteAddress);
      if (typeof entered === 'string') throw refused(entered);
      const seconds = Math.round(this.#config.sessionTimeoutMs / 1_000);
      exchange.answer(200, {}, ['set-cookie', this.#setCookie(entered.session, seconds, exchange)]);
    };
  }

  #setCookie(value: string, seconds: number, exchange: ControlExchange): string {
    const isSecure = exchange.field('origin')?.startsWith('https:') === true;
    return `${this.#cookie}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  }
}

function hostOf(authority: string): string {
  const [, literal, name] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(authority) ?? [];
  return (literal ?? name ?? '').toLowerCase();
}

function isOwnOrigin(origin: string | undefined, { authority }: ControlExchange): boolean {
  const [, host] = /^https?:\/\/([^/]+)$/i.exec(origin ?? '') ?? [];
  return host !== undefined && host.toLowerCase() === authority.toLowerCase();
}

/** Another site's page can make a browser send the cookie, but not with this Origin, and not with this type unless a preflight allows it. */
function requireOwnPage(exchange: ControlExchange): void {
  const isJson = exchange.field('content-type')?.split(';')[0]?.trim().toLowerCase() === 'application/json';
  if (isJson && isOwnOrigin(exchange.field('origin'), exchange)) return;
  const message =
    "expected the origin of the server's own page, and content-type application/json, beside a cookie";
  throw new ControlRefusal(403, AdminCode.ForeignOrigin, message);
}

function refused(verdict: Exclude<Verdict, 'in'>): ControlRefusal {
  if (verdict === 'wrong') return unauthorized('got another token, or a link that was used or is too old');
  const message = 'too many wrong tokens came from this address (admin.wrongTokensPerMinute): wait a minute';
  return new ControlRefusal(429, AdminCode.TooManyFailures, message, ['retry-after', '60']);
}

function unauthorized(got = 'got none'): ControlRefusal {
  const message = `expected a token (authorization: Bearer, from admin.tokenFile) or a session (sluice dashboard prints a link), ${got}`;
  return new ControlRefusal(401, AdminCode.Unauthorized, message, CHALLENGE);
}
