/**
 * The members of `net.Socket` and `tls.TLSSocket` that tell about the connection, and socket options that have no effect in a thread.
 * The sockets of requests and of upgrades share them.
 *
 * An exchange does not carry the address that the client connected to. `localAddress`, `localPort` and `localFamily` are therefore
 * undefined and `address()` is empty, as for a socket without a handle.
 */
import type { X509Certificate } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { ExchangeRequest } from '../../gateway.ts';

/** The key under which a socket keeps its request. */
export const REQUEST = Symbol('sluice.request');

/** An EventEmitter whose constructor makes no list of listeners, since few sockets have any: the methods make it with the first. */
function Quiet(): void {}
Quiet.prototype = EventEmitter.prototype;

export abstract class ConnectionFacts extends (Quiet as unknown as typeof EventEmitter) {
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

  // ---- state, derived from the stream's

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

  // A net.Socket has none of these members, so they are undefined without TLS.

  /** Frameworks derive the scheme from this. Behind a trusted proxy it tells about the client's connection. */
  get encrypted(): true | undefined {
    return this[REQUEST].scheme === 'https' || undefined;
  }
  get authorized(): boolean | undefined {
    return this[REQUEST].tls?.authorized;
  }
  /**
   * Null for an authorized client, otherwise one of OpenSSL's codes. An exchange does not carry the true code, but an application that
   * admits every client without an error must not admit an unauthorized one.
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
  /** An empty object without a certificate, as in Node. The chain that the client sent stays with the reactor. */
  getPeerCertificate(): object {
    return this.getPeerX509Certificate()?.toLegacyObject() ?? {};
  }
  getPeerX509Certificate(): X509Certificate | undefined {
    const certificate = this[REQUEST].tls?.clientCertificate ?? null;
    if (certificate === null) return undefined;
    return new (process.getBuiltinModule('node:crypto').X509Certificate)(certificate.raw);
  }

  // ---- options, which the reactor sets for its own sockets

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

/**
 * Adds setters. On Node these members are plain values, and tests and proxies set some of them, such as `encrypted`. Here the exchange
 * tells the value until it is set.
 */
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
/** The members, for a socket that is one of Node's streams and cannot extend the class. */
export const FACTS: PropertyDescriptorMap = facts;
