/**
 * What a server of node:http does with a request before and behind its listeners: the classes of `req` and `res`, its timeout, the
 * `request` event and the diagnostics channels, on which tracers such as OpenTelemetry hang.
 */
import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { IncomingMessage, type Server, ServerResponse } from 'node:http';
import { type Incoming, PAIR, type RequestOwner } from './request.ts';
import type { Outgoing, ResponseOwner } from './response.ts';

type Listener = Parameters<EventEmitter['on']>[1];
interface ContainedListener extends Listener {
  /** As of a `once` listener: by it the original is removed. */
  listener: Listener;
  [CONTAINED]: true;
}

/** A request and its response, which a server's listeners are called with. */
interface ServedPair {
  readonly req: Incoming;
  readonly res: Outgoing;
  readonly socket: object;
  readonly server: Server | null;
  /** A listener has failed. */
  fail(error: unknown): void;
}

const CONTAINED = Symbol('sluice.contained');
const started = channel('http.server.request.start');
const finished = channel('http.server.response.finish');

/** What a server has been made with, as far as requests and responses show it. */
export class ServerFace {
  readonly server: Server;
  /** A class of the application's own; null: Node's. */
  readonly incomingMessage: typeof IncomingMessage | null;
  readonly serverResponse: typeof ServerResponse | null;
  readonly joinDuplicateHeaders: boolean;

  constructor(server: Server) {
    this.server = server;
    this.incomingMessage = ownClass(server, 'IncomingMessage', IncomingMessage);
    this.serverResponse = ownClass(server, 'ServerResponse', ServerResponse);
    this.joinDuplicateHeaders =
      (server as { readonly joinDuplicateHeaders?: unknown }).joinDuplicateHeaders === true;
  }

  /** Of `server.setTimeout()`; 0: none. */
  get timeoutMs(): number {
    return this.server.timeout ?? 0;
  }

  /**
   * Calls the listeners. A promise of theirs that is rejected fails its exchange alone, where Node would end the process. They are
   * called by `emit` where somebody has put his own in its place, to see every request.
   */
  emit(event: 'request' | 'checkContinue', { req, res }: ServedPair): void {
    const { server } = this;
    if (server.emit !== EventEmitter.prototype.emit) {
      contain(server, event);
      server.emit(event, req, res);
      return;
    }
    for (const listener of server.rawListeners(event)) {
      containResult(listener.call(server, req, res), req);
    }
  }
}

/** Node keeps them under symbols of its own. A server of node:http2 has none, and its classes are for its own streams. */
function ownClass<Class>(server: Server, name: string, nodes: Class): Class | null {
  const symbol = Object.getOwnPropertySymbols(server).find(({ description }) => description === name);
  const found = symbol === undefined ? undefined : (server as never as { [key: symbol]: Class })[symbol];
  return typeof found === 'function' && found !== nodes ? found : null;
}

function contain(server: Server, event: string): void {
  const listeners = server.rawListeners(event) as (Listener | ContainedListener)[];
  if (listeners.every((listener) => CONTAINED in listener)) return;
  server.removeAllListeners(event);
  for (const listener of listeners) server.on(event, CONTAINED in listener ? listener : contained(listener));
}

function contained(listener: Listener): Listener {
  const wrapper = function (this: object, ...args: Parameters<Listener>): void {
    containResult((listener as (...args: unknown[]) => unknown).apply(this, args), args[0] as Incoming);
  };
  return Object.assign(wrapper, { listener, [CONTAINED]: true as const });
}

function containResult(result: unknown, req: Incoming): void {
  if (result instanceof Promise)
    result.catch((error: unknown) => (req[PAIR] as RequestOwner & ServedPair).fail(error));
}

export function publishStart({ req, res, socket, server }: ServedPair): void {
  if (started.hasSubscribers) started.publish({ request: req, response: res, socket, server });
}

export function publishFinish(res: Outgoing): void {
  if (!finished.hasSubscribers) return;
  const { req, socket, server } = res[PAIR] as ResponseOwner & ServedPair;
  finished.publish({ request: req, response: res, socket, server });
}
