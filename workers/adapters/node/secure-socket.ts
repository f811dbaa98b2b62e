/**
 * `req.socket` over TLS: an `ExchangeSocket` that is an instance of `tls.TLSSocket`. Members that need the state of the handshake answer as
 * if there were none. The class is made when the first exchange comes over TLS.
 */
import type { TLSSocket } from 'node:tls';
import type { Exchange } from '../../gateway.ts';
import { ConnectionFacts } from './connection-facts.ts';
import { refuseOthers } from './refused-members.ts';
import { ExchangeSocket, refuseMember, type SocketOwner } from './socket.ts';

/** The reactor did the handshake, and its session, tickets and keys are not in the application's thread. */
const OF_HANDSHAKE: { readonly [member: string]: () => unknown } = {
  getSession: () => undefined,
  getTLSTicket: () => undefined,
  isSessionReused: () => false,
  getFinished: () => undefined,
  getPeerFinished: () => undefined,
  getEphemeralKeyInfo: () => ({}),
  getSharedSigalgs: () => [],
  getCertificate: () => ({}),
  getX509Certificate: () => undefined,
  setMaxSendFragment: () => false,
  disableRenegotiation: () => undefined,
  enableTrace: () => undefined,
};

let Secure: typeof ExchangeSocket | null = null;

export function makeSocket(exchange: Exchange, owner: SocketOwner): ExchangeSocket {
  const { scheme } = exchange.request;
  // Behind a trusted proxy TLS was the proxy's.
  if (scheme !== 'https' || exchange.request.tls === null) return new ExchangeSocket(exchange, owner);
  Secure ??= makeClass();
  return new Secure(exchange, owner);
}

function makeClass(): typeof ExchangeSocket {
  const tls = process.getBuiltinModule('node:tls');
  const Class = class SecureSocket extends ExchangeSocket {};
  const prototype: object = Class.prototype;
  for (const base of [ExchangeSocket.prototype, ConnectionFacts.prototype]) {
    for (const member of Reflect.ownKeys(base)) {
      if (Object.hasOwn(prototype, member)) continue;
      const descriptor = Object.getOwnPropertyDescriptor(base, member) as PropertyDescriptor;
      Object.defineProperty(prototype, member, descriptor);
    }
  }
  for (const [member, value] of Object.entries(OF_HANDSHAKE)) {
    Object.defineProperty(prototype, member, { value, configurable: true, writable: true });
  }
  const TLS: TLSSocket = tls.TLSSocket.prototype;
  refuseOthers(Class.prototype, refuseMember, TLS);
  Object.setPrototypeOf(prototype, TLS);
  return Class;
}
