/**
 * A server of node:http or node:http2 as an application. The server opens no port; exchanges are delivered to its listeners. Fastify has
 * such a server, and `ws`, Socket.IO and `@fastify/websocket` attach to one.
 */
import type { Server } from 'node:http';
import type { Application, Exchange, ExchangeRequest } from '../../gateway.ts';
import { Associated } from '../associated.ts';
import { type FromNodeOptions, optionsOf } from './from-node.ts';
import { NodePair } from './pair.ts';
import { ServerFace } from './server-face.ts';
import { warnOfSettings } from './server-settings.ts';
import { UpgradeSocket } from './upgrade-socket.ts';

export type FromServerOptions = FromNodeOptions;

export function fromServer(server: Server, options: FromServerOptions = {}): Application {
  const pairOptions = optionsOf(options);
  warnOfSettings(server);
  const face = new ServerFace(server);
  const application = (exchange: Exchange): void | Promise<void> => {
    const { method, protocol } = exchange.request;
    if (method === 'CONNECT' || protocol !== '') {
      const upgraded = upgrade(face, exchange);
      if (upgraded !== null) return upgraded.held;
    }
    const isAsked = server.listenerCount('checkContinue') > 0 && expectsContinue(exchange.request);
    const event = isAsked ? 'checkContinue' : 'request';
    const hasListeners = server.listenerCount(event) > 0;
    const streamListeners = face.streamListeners(exchange.request.version, hasListeners);
    if (!hasListeners && streamListeners.length === 0) {
      throw new Error('expected a server with request listeners, it has none');
    }
    const pair = new NodePair(exchange, pairOptions, associated, face);
    try {
      if (streamListeners.length > 0) face.emitStream(streamListeners, pair);
      if (hasListeners) face.emit(event, pair);
    } catch (error) {
      // The listeners' timers and callbacks may still run and use `req` and `res`.
      pair.fail(error);
      throw error;
    }
    return pair.held(undefined);
  };
  const associated = Associated.of(application, pairOptions.downgrade);
  return application;
}

/**
 * `Expect` is a list, and over HTTP/2 the server has not checked it. HTTP/1.0 has no expectations (RFC 9110 section
 * 10.1.1).
 */
function expectsContinue({ version, fields }: ExchangeRequest): boolean {
  if (version === '1.0' || !fields.has('expect')) return false;
  const members = fields.list('expect');
  return members.length > 0 && members.every((member) => member.toLowerCase() === '100-continue');
}

/**
 * Calls the listeners of `upgrade` or `connect` with a socket, on which they write the response themselves.
 * @returns null: the server ignores the upgrade, so it is a request like any other
 */
function upgrade(face: ServerFace, exchange: Exchange): { held: void | Promise<void> } | null {
  const { server } = face;
  const { method, protocol, version } = exchange.request;
  const event = method === 'CONNECT' && protocol === '' ? 'connect' : 'upgrade';
  // Refused here, because a listener that finds out while it writes its 101 can only break off.
  const withheld = exchange.withheld.find(({ feature }) => feature === 'tunnel');
  if (withheld !== undefined) return refused(exchange, withheld.why);
  const isHeard = server.listenerCount(event) > 0;
  const socket = new UpgradeSocket(exchange, face);
  if (event === 'upgrade' && !face.takesUpgrade(socket.request)) {
    // Over HTTP/2 the request is a CONNECT, which cannot be served as a plain request.
    if (version !== '2') return null;
    if (isHeard) return refused(exchange, 'The application does not take this upgrade.');
  }
  if (!isHeard) return refused(exchange, `The application has no ${event} listener.`);
  const nothingBehind = Buffer.alloc(0);
  try {
    for (const listener of server.rawListeners(event)) {
      const result: unknown = listener.call(server, socket.request, socket, nothingBehind);
      // A rejected promise fails this exchange alone.
      if (result instanceof Promise) result.catch((error: unknown) => socket.fail(error));
    }
  } catch (error) {
    socket.fail(error);
  }
  return { held: socket.held() };
}

function refused(exchange: Exchange, why: string): { held: undefined } {
  exchange.respond(501, { 'content-type': 'text/plain; charset=utf-8' }, `${why}\n`);
  return { held: undefined };
}
