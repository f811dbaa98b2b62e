/**
 * What a thread knows of the connection that an exchange came over, as `net.Socket` and `tls.TLSSocket` say it, and options of a real
 * socket that say nothing here. The sockets of requests and of upgrades have all of it.
 *
 * The address that the client connected to does not come with an exchange: `localAddress`, `localPort` and `localFamily` are
 * undefined and `address()` is empty, as of a socket without a handle.
 */
import type { X509Certificate } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { ExchangeRequest } from '../../gateway.ts';

/** Where a socket has the request that it belongs to. */
export const REQUEST = Symbol('sluice.request');

export abstract class ConnectionFacts extends EventEmitter {
  abstract readonly [REQUEST]: ExchangeRequest;
  abstract readonly destroyed: boolean;
  abstract readonly readable: boolean;
  abstract readonly writable: boolean;

  get remoteAddress(): string | undefined {
    return this[REQUEST].remote.address || undefined;
  }
  get remotePort(): number | undefined {
    return this[REQUEST].remote.port || undefined;
  }
  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    const { address } = this[REQUEST].remote;
    return address === '' ? undefined : address.includes(':') ? 'IPv6' : 'IPv4';
  }
  get localAddress(): undefined {
    return undefined;
  }
  get localPort(): undefined {
    return undefined;
  }
  get localFamily(): undefined {
    return undefined;
  }
  address(): object {
    return {};
  }

  // ---- its state, as it follows from what the stream says

  get connecting(): boolean {
    return false;
  }
  get pending(): boolean {
    return this.destroyed;
  }
  get readyState(): 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  // ---- TLS

  // A net.Socket has none of these members, so without TLS they are undefined.

  /** What frameworks take for the scheme; behind a trusted proxy the client's. */
  get encrypted(): true | undefined {
    return this[REQUEST].scheme === 'https' || undefined;
  }
  get authorized(): boolean | undefined {
    return this[REQUEST].tls?.authorized;
  }
  /**
   * Null for a client that is authorized. Of any other it is one of OpenSSL's codes, though not always the true one, which does
   * not come with an exchange: who lets in whom nothing speaks against must let in nobody by mistake.
   */
  get authorizationError(): string | null | undefined {
    const { tls } = this[REQUEST];
    if (tls === null) return undefined;
    if (tls.authorized) return null;
    return tls.clientCertificate === null ? 'UNABLE_TO_GET_ISSUER_CERT' : 'CERT_UNTRUSTED';
  }
  get alpnProtocol(): string | false | undefined {
    const { tls } = this[REQUEST];
    return tls === null ? undefined : (tls.alpn ?? false);
  }
  get servername(): string | false | undefined {
    const { tls } = this[REQUEST];
    return tls === null ? undefined : (tls.servername ?? false);
  }
  getProtocol(): string | null {
    return this[REQUEST].tls?.version ?? null;
  }
  getCipher(): object {
    const { tls } = this[REQUEST];
    return tls === null ? {} : { name: tls.cipher, standardName: tls.cipher, version: tls.version };
  }
  /** Without a certificate an empty object, as in Node. The chain that a client has sent stays with the server. */
  getPeerCertificate(): object {
    return this.getPeerX509Certificate()?.toLegacyObject() ?? {};
  }
  getPeerX509Certificate(): X509Certificate | undefined {
    const certificate = this[REQUEST].tls?.clientCertificate ?? null;
    if (certificate === null) return undefined;
    return new (process.getBuiltinModule('node:crypto').X509Certificate)(certificate.raw);
  }

  // ---- options that the server decides

  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  setTypeOfService(): this {
    return this;
  }
  getTypeOfService(): number {
    return 0;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

/** What of a socket is a value on Node may be set, as tests and proxies do with `encrypted`; here it is told by the exchange until then. */
export function makeSettable(prototype: object): void {
  for (const [name, own] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (own.get === undefined || own.set !== undefined) continue;
    const set = function (this: object, value: unknown): void {
      Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true });
    };
    Object.defineProperty(prototype, name, { ...own, set });
  }
}

makeSettable(ConnectionFacts.prototype);
const { constructor: _, ...facts } = Object.getOwnPropertyDescriptors(ConnectionFacts.prototype);
/** For a socket that is a stream of Node's, and so cannot extend the class. */
export const FACTS: PropertyDescriptorMap = facts;
