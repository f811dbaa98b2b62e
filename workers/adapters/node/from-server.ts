/**
 * A server of node:http, with its listeners, as an application: it listens to nothing, its requests and upgrades are exchanges. That
 * is what Fastify has, and what `ws`, Socket.IO and `@fastify/websocket` attach to.
 */
import type { Server } from 'node:http';
import type { Application, Exchange } from '../../gateway.ts';
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
    const { method, fields } = exchange.request;
    if (method === 'CONNECT' || isForListener(server, exchange)) return upgrade(server, exchange);
    const isAsked =
      server.listenerCount('checkContinue') > 0 && fields.get('expect')?.toLowerCase() === '100-continue';
    const event = isAsked ? 'checkContinue' : 'request';
    if (server.listenerCount(event) === 0) {
      throw new Error('expected a server with request listeners, it has none');
    }
    const pair = new NodePair(exchange, pairOptions, associated, face);
    try {
      face.emit(event, pair);
    } catch (error) {
      // Timers and callbacks of the listeners may still be under way.
      pair.fail(error);
      throw error;
    }
    return pair.held(undefined);
  };
  const associated = Associated.of(application, pairOptions.downgrade);
  return application;
}

/** As with Node, which ignores an Upgrade that nobody listens to; over HTTP/2 it never offers what is asked for. */
function isForListener(server: Server, { request, withheld }: Exchange): boolean {
  if (request.protocol === '') return false;
  const isIgnored = request.version !== '2' && server.listenerCount('upgrade') === 0;
  return !isIgnored || withheld.some(({ feature }) => feature === 'tunnel');
}

/** Node gives an upgrade to its listeners with the socket, on which they write the response themselves. */
function upgrade(server: Server, exchange: Exchange): void | Promise<void> {
  const event =
    exchange.request.method === 'CONNECT' && exchange.request.protocol === '' ? 'connect' : 'upgrade';
  // A listener that finds out while it writes its 101 can only break off.
  const withheld = exchange.withheld.find(({ feature }) => feature === 'tunnel');
  if (withheld !== undefined || server.listenerCount(event) === 0) {
    const why = withheld?.why ?? `The application has no ${event} listener.`;
    exchange.respond(501, { 'content-type': 'text/plain; charset=utf-8' }, `${why}\n`);
    return;
  }
  const socket = new UpgradeSocket(exchange, server);
  const nothingBehind = Buffer.alloc(0);
  try {
    for (const listener of server.rawListeners(event)) {
      const result: unknown = listener.call(server, socket.request, socket, nothingBehind);
      // As above.
      if (result instanceof Promise) result.catch((error: unknown) => socket.fail(error));
    }
  } catch (error) {
    socket.fail(error);
  }
  return socket.held();
}
