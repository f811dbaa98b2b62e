/**
 * Modules that listen for themselves, as every first example does: in the thread of such an application a node:http, node:https or
 * node:http2 server that is told to listen binds nothing. It is told that it listens, and its requests come as exchanges.
 */
import { Server } from 'node:net';

/** A server of HTTP: it has request listeners. */
export type ListeningServer = Server & NodeJS.EventEmitter;

export class Listening {
  readonly servers: ListeningServer[] = [];
  readonly #original = Server.prototype.listen;
  readonly #first = Promise.withResolvers<ListeningServer>();

  /** From now on until `end`. Other servers than those of HTTP listen as ever. */
  constructor() {
    const { servers, keep } = {
      servers: this.servers,
      keep: (server: ListeningServer) => this.#first.resolve(server),
    };
    const original = this.#original;
    Server.prototype.listen = function listen(this: ListeningServer, ...args: unknown[]) {
      if (this.listenerCount('request') === 0 && this.listenerCount('stream') === 0) {
        return original.apply(this, args as never);
      }
      servers.push(this);
      pretend(this, args);
      keep(this);
      return this;
    } as never;
  }

  /** The first one, which a module may start some time after it was loaded. */
  get first(): Promise<ListeningServer> {
    return this.#first.promise;
  }

  end(): void {
    Server.prototype.listen = this.#original;
  }
}

/** The server answers as one that listens, and closes as one. */
function pretend(server: ListeningServer, args: readonly unknown[]): void {
  const [first] = args;
  const port = typeof first === 'object' && first !== null ? (first as { port?: unknown }).port : first;
  const callback = args.findLast((each) => typeof each === 'function') as (() => void) | undefined;
  Object.defineProperties(server, {
    listening: { value: true, writable: true, configurable: true },
    address: {
      value: () => ({ address: '127.0.0.1', family: 'IPv4', port: Number(port) || 0 }),
      configurable: true,
    },
    close: {
      configurable: true,
      value: (closed?: () => void) => {
        (server as { listening: boolean }).listening = false;
        process.nextTick(() => {
          server.emit('close');
          closed?.();
        });
        return server;
      },
    },
  });
  if (callback !== undefined) server.once('listening', callback);
  process.nextTick(() => server.emit('listening'));
}
