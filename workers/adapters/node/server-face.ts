/**
 * What a server of node:http does around its listeners: it chooses the classes of `req` and `res`, sets its timeout, emits `request`, and
 * publishes on the diagnostics channels that tracers such as OpenTelemetry use.
 */
import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { IncomingMessage, type Server, ServerResponse } from 'node:http';
import { types } from 'node:util';
import type { Exchange } from '../../gateway.ts';
import { Http2Classes, http1ClassesOf } from './http2-classes.ts';
import { Http2Incoming, Http2Outgoing } from './http2-messages.ts';
import type { RequestStream } from './http2-request-stream.ts';
import { type Incoming, PAIR, type RequestKind, type RequestOwner } from './request.ts';
import type { Outgoing, ResponseKind, ResponseOwner } from './response.ts';
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
interface StreamedPair extends Pick<ServedPair, 'req' | 'socket'> {
  readonly exchange: Exchange;
  readonly stream: RequestStream;
}

/** Node's second argument of a response's constructor. */
export interface ResponseOptions {
  readonly highWaterMark: number;
  readonly rejectNonStandardBodyWrites: boolean;
}

const NONE: readonly Listener[] = [];
/** As the high water mark of Node's sockets. */
const HIGH_WATER_MARK = 64 * 1024;
const BY_DEFAULT: ResponseOptions = Object.freeze({
  highWaterMark: HIGH_WATER_MARK,
  rejectNonStandardBodyWrites: false,
});
const REJECTING: ResponseOptions = Object.freeze({ ...BY_DEFAULT, rejectNonStandardBodyWrites: true });
const CONTAINED = Symbol('sluice.contained');
const started = channel('http.server.request.start');
const finished = channel('http.server.response.finish');

/** A server as its requests and responses need it. */
export class ServerFace {
  readonly server: Server;
  /** The server is one of node:http2. */
  readonly isHttp2: boolean;
  /** Names of fields that a response sends in one line, in lower case; null if there are none. */
  readonly uniqueHeaders: ReadonlySet<string> | null;
  /** Under which Node's responses look for them. */
  readonly #uniqueHeadersKey: symbol | null;
  /** What requests and responses are without streams of HTTP/2, those of upgrades among them. */
  readonly plain: RequestKind & ResponseKind;
  readonly #streamed: RequestKind & ResponseKind;
  /** Classes for streams of HTTP/2 that the application has made; null if there are none. */
  readonly #ownClasses: Http2Classes | null;

  constructor(server: Server) {
    this.server = server;
    this.isHttp2 = typeof (server as { readonly updateSettings?: unknown }).updateSettings === 'function';
    this.#uniqueHeadersKey = ownKey(server, 'kUniqueHeaders');
    const names = ownValue(server, this.#uniqueHeadersKey);
    this.uniqueHeaders = types.isSet(names) ? (names as ReadonlySet<string>) : null;
    const options = (this.isHttp2 && ownValue(server, ownKey(server, 'options'))) || {};
    this.#ownClasses = this.isHttp2 ? Http2Classes.of(options) : null;
    const [request, response] = this.isHttp2
      ? http1ClassesOf(options)
      : [
          ownValue(server, ownKey(server, 'IncomingMessage')),
          ownValue(server, ownKey(server, 'ServerResponse')),
        ];
    this.plain = {
      requestClass: classOr(request, IncomingMessage),
      responseClass: classOr(response, ServerResponse),
      joinDuplicateHeaders:
        (server as { readonly joinDuplicateHeaders?: unknown }).joinDuplicateHeaders === true,
      hasPseudoFields: false,
    };
    this.#streamed = {
      ...this.plain,
      requestClass: Http2Incoming,
      responseClass: Http2Outgoing as typeof ServerResponse,
      hasPseudoFields: true,
    };
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
  kindOf(version: string): RequestKind & ResponseKind {
    return this.hasStreams(version) ? this.#streamed : this.plain;
  }

  /** Whether the server wants an upgrade. Servers of Node 22 want it if somebody listens. */
  takesUpgrade(req: IncomingMessage): boolean {
    const { shouldUpgradeCallback: asked } = this.server as {
      shouldUpgradeCallback?: (req: unknown) => unknown;
    };
    return typeof asked === 'function'
      ? Boolean(asked.call(this.server, req))
      : this.server.listenerCount('upgrade') > 0;
  }

  /** As Node's server passes them. An application may change the setting at any time. */
  get responseOptions(): ResponseOptions {
    const { rejectNonStandardBodyWrites } = this.server as Partial<ResponseOptions>;
    return rejectNonStandardBodyWrites === true ? REJECTING : BY_DEFAULT;
  }

  /** Tells a response of `uniqueHeaders`, for its own methods. */
  tellUniqueHeaders(res: ServerResponse): void {
    (res as never as { [key: symbol]: unknown })[this.#uniqueHeadersKey as symbol] = this.uniqueHeaders;
  }

  /** Set by `server.setTimeout()`; 0 is none. */
  get timeoutMs(): number {
    return this.server.timeout ?? 0;
  }

  /**
   * Calls the listeners. If one returns a promise that rejects, only its exchange fails, where Node would end the process. A tracer may
   * have replaced `emit` to see every request; the listeners are then called by it.
   */
  emit(event: 'request' | 'checkContinue', pair: ServedPair & StreamedPair): void {
    const { server } = this;
    const isOwn = this.#ownClasses !== null && this.hasStreams(pair.exchange.request.version);
    const { req, res } = isOwn ? (this.#ownClasses as Http2Classes).messagesOf(pair) : pair;
    if (server.emit !== EventEmitter.prototype.emit) {
      contain(server, event);
      server.emit(event, req, res);
      return;
    }
    for (const listener of server.rawListeners(event)) {
      containResult(listener.call(server, req, res), pair.req);
    }
  }
}

/** The application's own class, or Node's. */
function classOr<Class>(own: unknown, nodes: Class): Class {
  return typeof own === 'function' ? (own as Class) : nodes;
}

/** Node keeps options of a server under symbols of its own; a server of node:http2 keeps all of its under one. */
function ownKey(server: Server, description: string): symbol | null {
  return Object.getOwnPropertySymbols(server).find((symbol) => symbol.description === description) ?? null;
}

function ownValue(server: Server, key: symbol | null): unknown {
  return key === null ? undefined : (server as never as { [key: symbol]: unknown })[key];
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

export function publishStart(pair: ServedPair): void {
  if (!started.hasSubscribers) return;
  const { req, res, socket, server } = pair;
  started.publish({ request: req, response: res, socket, server });
}

export function isFinishHeard(): boolean {
  return finished.hasSubscribers;
}

export function publishFinish(res: Outgoing): void {
  if (!finished.hasSubscribers) return;
  const { req, socket, server } = res[PAIR] as ResponseOwner & ServedPair;
  finished.publish({ request: req, response: res, socket, server });
}
