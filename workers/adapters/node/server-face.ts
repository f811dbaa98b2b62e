/**
 * What a server of node:http does around its listeners: it chooses the classes of `req` and `res`, sets its timeout, emits `request`, and
 * publishes on the diagnostics channels that tracers such as OpenTelemetry use.
 */
import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Exchange } from '../../gateway.ts';
import { Http2Incoming, Http2Outgoing } from './http2-messages.ts';
import type { RequestStream } from './http2-request-stream.ts';
import { type Incoming, PAIR, type RequestOwner } from './request.ts';
import type { Outgoing, ResponseOwner } from './response.ts';
import { type Listener, streamArguments, streamListenersOf } from './stream-listeners.ts';

interface ContainedListener extends Listener {
  /** The original, by which `removeListener` finds it, as with `once`. */
  listener: Listener;
  [CONTAINED]: true;
}

/** A request and its response, as arguments of the listeners. */
interface ServedPair {
  readonly req: Incoming;
  readonly res: Outgoing;
  readonly socket: object;
  readonly server: Server | null;
  /** A listener has failed. */
  fail(error: unknown): void;
}

/** A request with its stream, as arguments of `stream` listeners. */
interface StreamedPair {
  readonly exchange: Exchange;
  readonly req: Incoming;
  readonly stream: RequestStream;
}

const NONE: readonly Listener[] = [];
const CONTAINED = Symbol('sluice.contained');
const started = channel('http.server.request.start');
const finished = channel('http.server.response.finish');

/** A server as its requests and responses need it. */
export class ServerFace {
  readonly server: Server;
  readonly #incomingMessage: typeof IncomingMessage;
  readonly #serverResponse: typeof ServerResponse;
  readonly joinDuplicateHeaders: boolean;
  /** The server is one of node:http2. */
  readonly isHttp2: boolean;

  constructor(server: Server) {
    this.server = server;
    this.isHttp2 = typeof (server as { readonly updateSettings?: unknown }).updateSettings === 'function';
    this.#incomingMessage = ownClass(server, 'IncomingMessage', IncomingMessage);
    this.#serverResponse = ownClass(server, 'ServerResponse', ServerResponse);
    this.joinDuplicateHeaders =
      (server as { readonly joinDuplicateHeaders?: unknown }).joinDuplicateHeaders === true;
  }

  /**
   * The application's listeners of `stream`. Over HTTP/1 they are called where nobody else would be: Node refuses such a connection.
   */
  streamListeners(version: string, hasOthers: boolean): readonly Listener[] {
    const mayBe = this.hasStreams(version) || (this.isHttp2 && !hasOthers);
    return mayBe ? streamListenersOf(this.server) : NONE;
  }

  emitStream(listeners: readonly Listener[], { exchange, req, stream }: StreamedPair): void {
    const args = streamArguments(exchange.request, req, stream);
    for (const listener of listeners) containResult(Reflect.apply(listener, this.server, args), req);
  }

  /** Whether requests have a stream. On Node, requests over HTTP/1 have none. */
  hasStreams(version: string): boolean {
    return this.isHttp2 && version === '2';
  }
  requestClass(version: string): typeof IncomingMessage {
    return this.hasStreams(version) ? Http2Incoming : this.#incomingMessage;
  }
  responseClass(version: string): typeof ServerResponse {
    return this.hasStreams(version) ? (Http2Outgoing as typeof ServerResponse) : this.#serverResponse;
  }

  /** Set by `server.setTimeout()`; 0 is none. */
  get timeoutMs(): number {
    return this.server.timeout ?? 0;
  }

  /**
   * Calls the listeners. If one returns a promise that rejects, only its exchange fails, where Node would end the process. A tracer may
   * have replaced `emit` to see every request; the listeners are then called by it.
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

/** The application's own class, or Node's. Node keeps it under a symbol of its own; a server of node:http2 has none. */
function ownClass<Class>(server: Server, name: string, nodes: Class): Class {
  const symbol = Object.getOwnPropertySymbols(server).find(({ description }) => description === name);
  const found = symbol === undefined ? undefined : (server as never as { [key: symbol]: Class })[symbol];
  return typeof found === 'function' ? found : nodes;
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
