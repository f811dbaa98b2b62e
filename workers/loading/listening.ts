/**
 * Modules that call `listen`, as every first example does. In an application's thread, `listen` of a node:http, node:https or
 * node:http2 server opens no port: the server reports that it listens, and Sluice delivers its requests as exchanges.
 */
import { type ListenOptions, Server } from 'node:net';
import { bindWhenFree } from './bound-server.ts';
import type { Shutdown } from './shutdown.ts';

/** A server of HTTP, of whichever of Node's modules. */
export type ListeningServer = Server & NodeJS.EventEmitter;

interface Heard {
  readonly server: ListeningServer;
  readonly port: number;
}

export class Listening {
  readonly #port: number | undefined;
  readonly #binds: readonly number[];
  readonly #shutdown: Pick<Shutdown, 'untilServed'>;
  readonly #heard: Heard[] = [];
  /** Servers that open a port. */
  readonly #bound: Heard[] = [];
  readonly #original = Server.prototype.listen;
  readonly #first = Promise.withResolvers<ListeningServer>();
  /** A server that listens besides this one receives no requests. */
  #application: unknown = null;

  /**
   * Takes effect until `end`. Servers other than HTTP servers listen as usual.
   * @param shutdown what `server.close()` waits for
   * @param port names the application among several servers
   * @param binds ports of further servers that open a port, in one thread at a time
   */
  constructor(shutdown: Pick<Shutdown, 'untilServed'>, port?: number, binds: readonly number[] = []) {
    this.#port = port;
    this.#binds = binds;
    this.#shutdown = shutdown;
    const original = this.#original;
    const onListen = (server: ListeningServer, args: readonly unknown[]) => this.#onListen(server, args);
    Server.prototype.listen = function listen(this: ListeningServer, ...args: unknown[]) {
      if (!isHttp(this)) return original.apply(this, args as never);
      onListen(this, args);
      return this;
    } as never;
  }

  #onListen(server: ListeningServer, args: readonly unknown[]): void {
    const port = portOf(args);
    pretend(server, port, args, this.#shutdown);
    if (this.#binds.includes(port)) {
      this.#bound.push({ server, port });
      const { close } = bindWhenFree(server, addressOf(args), this.#original);
      server.once('close', close);
      return;
    }
    this.#heard.push({ server, port });
    if (this.#port === undefined || this.#port === port) this.#first.resolve(server);
    if (this.#application !== null && this.#application !== server) {
      process.emitWarning(
        `a second server listens on port ${port}: it gets no requests. Threads own no sockets, and a pool runs one application; one that is to listen beside it, in one thread, is named in the pool's \`binds\``,
        { code: 'SLUICE_SECOND_SERVER' },
      );
    }
  }

  get hasHeard(): boolean {
    return this.#heard.length > 0;
  }

  /** The server that is the application; undefined if none listens yet. */
  get chosen(): ListeningServer | undefined {
    const heard =
      this.#port === undefined ? this.#heard : this.#heard.filter(({ port }) => port === this.#port);
    return heard[0]?.server;
  }

  /** Ports of all listening servers if there are several and the pool does not name one; otherwise empty. */
  get ambiguous(): readonly number[] {
    return this.#port === undefined && this.#heard.length > 1 ? this.#heard.map(({ port }) => port) : [];
  }

  /** Sets the application. If it is a listening server, one that listens later causes a warning. */
  choose(application: unknown): void {
    if (this.#heard.some(({ server }) => server === application)) this.#application = application;
  }

  /** Resolves with the application, which a module may start some time after it was loaded. */
  get first(): Promise<ListeningServer> {
    return this.#first.promise;
  }

  /** Closes the servers that still listen. */
  closeServers(): void {
    for (const { server } of [...this.#heard, ...this.#bound]) if (server.listening) server.close();
  }

  end(): void {
    Server.prototype.listen = this.#original;
  }
}

/** Request listeners may be added after `listen`, and a WebSocket server has none, so listeners alone do not decide. */
function isHttp(server: ListeningServer): boolean {
  return (
    'headersTimeout' in server ||
    typeof (server as { updateSettings?: unknown }).updateSettings === 'function' ||
    server.listenerCount('request') > 0
  );
}

function portOf([first]: readonly unknown[]): number {
  const port = typeof first === 'object' && first !== null ? (first as { port?: unknown }).port : first;
  return Number(port) || 0;
}

/** The port and host among the arguments of `listen`, as `net.Server` reads them. */
function addressOf(args: readonly unknown[]): ListenOptions {
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) return first;
  return { port: Number(first), ...(typeof second === 'string' && { host: second }) };
}

/** Makes the server report that it listens, and close as a listening server would. */
function pretend(
  server: ListeningServer,
  port: number,
  args: readonly unknown[],
  shutdown: Pick<Shutdown, 'untilServed'>,
): void {
  const callback = args.findLast((each) => typeof each === 'function') as (() => void) | undefined;
  Object.defineProperties(server, {
    listening: { value: true, writable: true, configurable: true },
    address: {
      value: () => ({ address: '127.0.0.1', family: 'IPv4', port }),
      configurable: true,
    },
    close: {
      configurable: true,
      value: (closed?: (error?: Error) => void) => {
        if (!server.listening) {
          const error = Object.assign(new Error('Server is not running.'), {
            code: 'ERR_SERVER_NOT_RUNNING',
          });
          if (closed !== undefined) process.nextTick(closed, error);
          return server;
        }
        (server as { listening: boolean }).listening = false;
        if (closed !== undefined) server.once('close', () => closed());
        const emitClose = () => server.emit('close');
        // Node's `close` waits for open connections; this one waits for open exchanges.
        const { untilServed } = shutdown;
        if (untilServed === null) process.nextTick(emitClose);
        else void untilServed.then(() => process.nextTick(emitClose));
        return server;
      },
    },
  });
  if (callback !== undefined) server.once('listening', callback);
  process.nextTick(() => server.emit('listening'));
}
