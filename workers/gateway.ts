/**
 * The Stream Gateway Interface (docs/sgi.md): what an application receives, and what it may do with it.
 *
 * This module contains types, the version and the error codes, and no other code. One `Exchange` is one request and its response. It
 * arrives in an application thread as messages, never as a socket, and a body byte crosses only after the side that consumes it has granted
 * credit for it.
 */

/** The version of docs/sgi.md that these types describe. */
export const SGI_VERSION = '1.1';

/** An application. The exchange belongs to it until the function returns or, if it returns a promise, until that promise settles. */
export type Application = (exchange: Exchange) => void | Promise<void>;

/** A function from application to application. `compose` of `sluice/middleware` combines several. */
export type Middleware = (application: Application) => Application;

/** The generator face. The server asks for the next item when the previous one has been sent, which is the generator's backpressure. */
export type GeneratorApplication = (exchange: Exchange) => AsyncGenerator<Yielded, void, void>;

/**
 * Yielded in this order: any number of heads with a 1xx status, one final head, chunks, and at most one set of trailers as the last item.
 */
export type Yielded = YieldedHead | Uint8Array | string | YieldedTrailers;
export interface YieldedHead {
  readonly status: number;
  readonly fields?: FieldsInit;
}
export interface YieldedTrailers {
  readonly trailers: FieldsInit;
}

/**
 * The handler face: one method for each event of an exchange. A class is instantiated for each exchange; an object is shared by all
 * exchanges. If a call returns a promise, the server waits for it before the next call, so `onData` holds the peer back until it is done.
 */
export interface HandlerApplication {
  onHeaders(exchange: Exchange): void | Promise<void>;
  onData?(exchange: Exchange, chunk: Uint8Array): void | Promise<void>;
  /** The request is complete. */
  onEnd?(exchange: Exchange, trailers: Fields): void | Promise<void>;
  /** Called exactly once, whatever happened. */
  onClose?(exchange: Exchange, closed: Closed): void | Promise<void>;
}
export type HandlerClass = new () => HandlerApplication;

/**
 * The lifespan of an application in one thread, whatever its face: named exports beside the default export, or methods of the default
 * export.
 */
export interface Lifespan {
  /** Called before the thread's first exchange. If it fails, the thread fails to start. */
  start?(context: LifespanContext): void | Promise<void>;
  /** Called once, after the thread's last exchange, within the drain's deadline. Not called if the thread is killed. */
  stop?(): void | Promise<void>;
}
export interface LifespanContext {
  /** The pool's name in the configuration. */
  readonly pool: string;
  /** Aborts when the thread begins to stop. */
  readonly draining: AbortSignal;
}

/** What kind of application a module exports; recognised by its exports unless the pool sets `kind`. */
export type ApplicationKind = 'exchange' | 'generator' | 'handler' | 'node' | 'server' | 'fetch';

/**
 * Header or trailer fields (RFC 9110 section 5): each name has a list of values. Names are lower-case; the values of a name keep their
 * order.
 */
export interface Fields extends Iterable<[name: string, value: string]> {
  /**
   * The value of a field that appears once, or undefined.
   * @throws GatewayError `SLUICE_FIELD_REPEATED` if the message carries the field more than once, so that two readers never use different
   * values. For a field that may repeat use `all`.
   */
  get(name: string): string | undefined;
  /**
   * Every value of a field in order; empty if it is absent. Iterating over the fields shows everything that was received, even a repeated
   * singleton.
   * @throws GatewayError `SLUICE_FIELD_REPEATED` for a repeated singleton
   */
  all(name: string): readonly string[];
  has(name: string): boolean;
  /**
   * The elements of a list field over all its lines, split at commas outside of quotes (RFC 9110 section 5.6.1); empty if it is absent.
   * @throws GatewayError `SLUICE_FIELD_NOT_A_LIST` for set-cookie and for fields that are registered as singletons
   */
  list(name: string): readonly string[];
  /**
   * The lines of a list field, joined with a comma (RFC 9110 section 5.3), or undefined.
   * @throws GatewayError `SLUICE_FIELD_NOT_A_LIST` for set-cookie, which is never joined; `SLUICE_FIELD_REPEATED` for a
   * repeated singleton
   */
  joined(name: string): string | undefined;
  /** The number of field lines. */
  readonly size: number;
}

/**
 * How HPACK may encode a field that is sent (RFC 7541 section 6.2): `never` for a secret, which intermediaries must not index either
 * (section 7.1.3); `prefer` for a value that will be sent again. HTTP/1.1 ignores this and sends the value.
 */
export type Indexing = 'never' | 'prefer';
export interface MarkedValue {
  readonly value: string | number;
  readonly indexing: Indexing;
}
export type FieldValue = string | number | MarkedValue;

/**
 * Fields to send: an object of names and values, pairs of name and value, or fields received elsewhere. Any other value is refused with
 * `SLUICE_VALUE_INVALID` (rule 2.9), and a field that HTTP does not allow with `SLUICE_FIELD_INVALID`.
 */
export type FieldsInit =
  | { readonly [name: string]: FieldValue | readonly FieldValue[] }
  | Iterable<readonly [name: string, value: FieldValue]>;

/** The head of the request (RFC 9113 section 8.3.1). */
export interface ExchangeRequest {
  readonly method: string;
  /** `http` or `https`: the scheme of the connection, or the one that a trusted proxy reports for the client. */
  readonly scheme: string;
  /** Host and optional port, from `:authority` or `Host`; empty if the peer sent neither. */
  readonly authority: string;
  /** Path and query as received, not decoded; empty for CONNECT without `protocol`. */
  readonly path: string;
  /**
   * The protocol that the peer asks to speak instead of HTTP: `websocket` for a WebSocket handshake, by `Upgrade` over HTTP/1.1 (RFC 6455
   * section 4.1) or by extended CONNECT over HTTP/2 (RFC 8441); otherwise empty. Check this and not the method, which is GET over HTTP/1.1
   * and CONNECT over HTTP/2. With the method CONNECT and no protocol, the peer asks for a tunnel to `authority` (RFC 9110 section 9.3.6).
   */
  readonly protocol: string;
  readonly fields: Fields;
  /** The HTTP version that the peer speaks: `2`, `1.1` or `1.0`. */
  readonly version: string;
  /** The client: the connection's peer, or the client that a trusted proxy names. */
  readonly remote: RemoteAddress;
  /** The connection's TLS; null in cleartext. Behind a proxy, this describes the proxy's connection. */
  readonly tls: TlsConnection | null;
  /** The priority that the peer asked for when the exchange began. The server sends the response accordingly. */
  readonly priority: Priority;
}

/**
 * A priority of RFC 9218, from the `priority` field or from PRIORITY_UPDATE, which takes precedence. Over HTTP/1.1, which sends one
 * response at a time, it is the default.
 */
export interface Priority {
  /** 0 to 7; a lower number is more urgent. Default 3. */
  readonly urgency: number;
  /** The peer can use the response in pieces. */
  readonly incremental: boolean;
}

export interface RemoteAddress {
  /** An IP address; empty if it is unknown, as over a Unix domain socket. */
  readonly address: string;
  /** 0 if it is unknown. */
  readonly port: number;
}

/** The result of the TLS handshake (RFC 8446, RFC 5246). */
export interface TlsConnection {
  /** `TLSv1.3` or `TLSv1.2`. */
  readonly version: string;
  /** The cipher suite by its IANA name, such as `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** The protocol that ALPN chose (RFC 7301), `h2` or `http/1.1`; null if the client offered none. */
  readonly alpn: string | null;
  /** The host name that the client asked for (RFC 6066 section 3); null if it named none. */
  readonly servername: string | null;
  /** The certificate that the client presented; null if it was not asked or had none. */
  readonly clientCertificate: ClientCertificate | null;
  /** True if the client has presented a certificate that one of the listener's CAs has signed. */
  readonly authorized: boolean;
}

/** A client's certificate (RFC 5280). Check `authorized` as well: a listener may also accept clients whose certificate no CA has signed. */
export interface ClientCertificate {
  /** One attribute per line, as in `CN=alice`. */
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of `raw`, upper-case hexadecimal with colons. */
  readonly fingerprint256: string;
  /** DER. */
  readonly raw: Uint8Array;
  readonly pem: string;
}

/**
 * The request's content. Reading it grants credit: until the application reads, no body byte crosses to its thread, and flow control stops
 * the peer after one window. It can be iterated once.
 */
export interface ExchangeBody extends AsyncIterable<Uint8Array> {
  /** True if nothing is left to read: the request has no body, or all of it has been read. Reading this property grants no credit. */
  readonly isAtEnd: boolean;
  /**
   * The whole body.
   * @param limitBytes a longer body is refused; default 1 MiB
   * @throws GatewayError (as a rejection) `SLUICE_BODY_TOO_LARGE`, `SLUICE_BODY_USED`, `SLUICE_VALUE_INVALID`
   */
  bytes(limitBytes?: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The whole body as UTF-8. Limit and errors are those of `bytes`. */
  text(limitBytes?: number): Promise<string>;
}

/** A request whose response is promised before the peer asks for it. */
export interface PushRequest {
  /** Path and query, beginning with a slash. The origin is that of the exchange's own request. */
  readonly path: string;
  /** Default GET. */
  readonly method?: 'GET' | 'HEAD';
  /** Fields that the peer would have sent, without content-length and host. */
  readonly fields?: FieldsInit;
}

/**
 * The response to a promised request. It has its own stream: flow control, `reset`, `signal` and `closed` concern only this response. If a
 * scope holds it with `await using` and leaves it incomplete, it is reset.
 */
export type PushedResponse = AsyncDisposable &
  Pick<
    Exchange,
    'inform' | 'respond' | 'write' | 'end' | 'pad' | 'reset' | 'writableBytes' | 'signal' | 'closed'
  >;

/** The optional features that this peer, its protocol version and all layers in between support. Constant for an exchange. */
export interface Capabilities {
  /** The peer accepts promised responses (RFC 9113 section 8.4). If false, `push` resolves with null. */
  readonly push: boolean;
  /** Trailer fields reach the peer (RFC 9110 section 6.5). If false, `end` drops them. */
  readonly trailers: boolean;
  /** Interim responses reach the peer (RFC 9110 section 15.2). If false, `inform` does nothing. */
  readonly informational: boolean;
  /** The request asks for a tunnel, and `accept` can open it. */
  readonly tunnel: boolean;
  /** The response is sent with a priority (RFC 9218): the peer's, or that of a `priority` field of the response. */
  readonly priority: boolean;
  /** Pieces are sent as they are written. If false, a layer above collects the body first. */
  readonly streaming: boolean;
  /** `reset` reaches the peer with its code and ends only this exchange. If false, it closes the connection. */
  readonly reset: boolean;
  /** `pad` has an effect. */
  readonly padding: boolean;
}
export type Feature = keyof Capabilities;

/** A capability that the peer has and that a layer in between took away. */
export interface Withheld {
  readonly feature: Feature;
  /** Which layer took it and why: a sentence for a log. */
  readonly why: string;
}

/**
 * A rich object that a server may offer beside the interface, such as sending a file. Its calls bypass every middleware in between. Each
 * key therefore says which parts of the exchange it bypasses, and a middleware that changes such a part hides the extension, even if it
 * does not know it.
 */
export interface ExtensionKey<T> {
  /** A name that is registered in docs/sgi.md, or `vendor.example/name`. */
  readonly name: string;
  readonly bypasses: readonly ExchangePart[];
  /** Never set: it only carries the type. */
  readonly type?: T;
}
export type ExchangePart = 'request' | 'request-body' | 'response-head' | 'response-body';

export interface Exchange extends AsyncDisposable {
  readonly request: ExchangeRequest;
  readonly capabilities: Capabilities;
  /** The features that layers in between have taken away; empty if there are none. */
  readonly withheld: readonly Withheld[];
  /**
   * Throws if one of the features is missing. For applications that would rather fail than lose something silently.
   * @throws GatewayError `SLUICE_FEATURE_WITHHELD`, which names the first missing feature and the reason
   */
  require(...features: readonly Feature[]): void;
  /** The object that the server offers for a key; null if it offers none, or if a middleware that it would bypass hides it. */
  extension<T>(key: ExtensionKey<T>): T | null;
  readonly body: ExchangeBody;
  /** The request's trailer fields, which may be none. Resolves once the body has been read to its end. */
  readonly trailers: Promise<Fields>;

  /** Sends an interim response (RFC 9110 section 15.2) with status 100 or 102 to 199, before `respond`. */
  inform(status: number, fields?: FieldsInit): void;
  /**
   * Sends the response head. With a body, the response is then complete, and its `content-length` is added unless it is given. Without a
   * body, `write` and `end` follow.
   * @throws GatewayError `SLUICE_RESPONSE_STARTED`, `SLUICE_FIELD_INVALID`, `SLUICE_STATUS_INVALID`, `SLUICE_VALUE_INVALID`
   */
  respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void;
  /**
   * Sends a piece of the body. Resolves when the peer's credit has allowed the whole piece to be sent, so awaiting it is the application's
   * backpressure. The bytes have been copied by then.
   * @throws GatewayError `SLUICE_VALUE_INVALID`, at once; (as a rejection) `SLUICE_RESPONSE_NOT_STARTED`, `SLUICE_RESPONSE_ENDED`,
   * `SLUICE_EXCHANGE_CLOSED`, and `SLUICE_WRITE_BACKLOG` if it is called repeatedly without being awaited: the piece is then lost, so the
   * exchange is reset with INTERNAL_ERROR
   */
  write(chunk: Uint8Array | string): Promise<void>;
  /**
   * Completes the response, with trailer fields if they are given (RFC 9110 section 6.5). Fields that frame, route or type the message,
   * such as content-length, content-type and set-cookie, must not be trailers (section 6.5.1): `SLUICE_FIELD_INVALID`.
   */
  end(trailers?: FieldsInit): void;
  /**
   * Promises the response to a request that the peer is certain to make (RFC 9113 section 8.4), and resolves with that response, which the
   * application then writes. Call it before sending content that refers to the path, as in `await exchange.push({ path: '/style.css' })`.
   * The pushed response may outlive this exchange's response, but not the application's function: if it is not complete by then, it is
   * reset. Resolves with null if the peer accepts no push, or no more at present, or if the thread has no free slot.
   * @throws GatewayError (as a rejection) `SLUICE_PUSH_INVALID`, `SLUICE_FIELD_INVALID`, `SLUICE_RESPONSE_ENDED`,
   * `SLUICE_WRITE_BACKLOG`, `SLUICE_VALUE_INVALID`
   */
  push(request: PushRequest): Promise<PushedResponse | null>;
  /**
   * Accepts the tunnel that the request asks for (see `request.protocol`), in place of `respond`: the peer gets 101, or 200 for CONNECT,
   * with these fields, and then both sides send bytes. To refuse a tunnel, `respond` with a status of 300 or above, such as 403.
   * @throws GatewayError `SLUICE_NOT_A_TUNNEL`, `SLUICE_RESPONSE_STARTED`, `SLUICE_FIELD_INVALID`
   */
  accept(fields?: FieldsInit): Tunnel;
  /**
   * Ends the exchange at once with an HTTP/2 error code (RFC 9113 section 7); default CANCEL (0x8).
   * @throws GatewayError `SLUICE_RESET_CODE_INVALID`
   */
  reset(code?: number): void;

  /**
   * From now on, pads each frame with fields or content to a multiple of this many bytes, so that lengths reveal less (RFC 9113 section
   * 10.7). Padding costs flow-control credit like content.
   * @param toMultipleOf 2 to 256, or 0 for none
   * @throws GatewayError `SLUICE_PADDING_INVALID`
   */
  pad(toMultipleOf: number): void;

  /**
   * (1.1) Asks the server to end the connection after this response. Over HTTP/1 the response says `Connection: close`, and no request that
   * waits behind this one begins. Call it before `respond`. Later, or on a connection that carries other exchanges beside this one, it does
   * nothing.
   */
  closeConnection(): void;

  /** Flow-control room: how many body bytes `write` would accept now without waiting. */
  readonly writableBytes: number;
  /**
   * Aborts if the exchange ends before its response is complete: the peer reset it, the connection was lost, or a deadline passed. Its
   * reason is a `GatewayError` `SLUICE_EXCHANGE_CLOSED` with `closedBy` and `resetCode`.
   */
  readonly signal: AbortSignal;
  /**
   * Aborts when the server, or this thread, begins to stop. A response without a natural end, such as a tunnel or an event stream, should
   * then end. The server cuts nothing off before the drain's deadline.
   */
  readonly draining: AbortSignal;
  /** Settles exactly once, when the exchange is over, and never rejects. */
  readonly closed: Promise<Closed>;
}

/**
 * Bytes in both directions in place of a response. The two directions end separately: `read` ends when the peer has ended its direction,
 * and `end` ends the application's, after which the peer may continue. Over HTTP/2 an end is END_STREAM, over HTTP/1.1 a FIN. Leaving a
 * scope that holds the tunnel with `await using` resets it, unless the application's direction has ended by then.
 */
export interface Tunnel extends AsyncDisposable {
  /**
   * The bytes that the peer sends; can be iterated once. As with a body, reading grants credit, and leaving the loop early stops reading.
   */
  readonly read: AsyncIterable<Uint8Array>;
  /**
   * Sends a chunk. Resolves when the peer's credit has allowed the whole chunk to be sent. The bytes must not change until then.
   * @throws GatewayError (as a rejection) as `Exchange.write`
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Flow-control room: how many bytes `write` would accept now without waiting. */
  readonly writableBytes: number;
  /** Ends the application's direction. */
  end(): void;
  /** Ends both directions at once with an HTTP/2 error code; over HTTP/1.1 the connection is destroyed. */
  reset(code?: number): void;
  /**
   * Sets a handler that may close the tunnel properly. A tunnel lasts as long as the application's function, and is reset if it has not
   * ended by then. The handler is called once, when the function has returned (or thrown: `failed`), and the tunnel stays open until the
   * handler's promise settles. Directions that are still open then are reset.
   */
  atReturn(handler: (failed: boolean) => Promise<void>): void;
}

/** Who ended an exchange and why. */
export interface Closed {
  /** `application` ended or reset it; `peer` reset it or disconnected; `server` refused it, failed or drained. */
  readonly by: 'application' | 'peer' | 'server';
  /** `complete`: request and response were transferred completely. `reset`: the exchange was cut off. */
  readonly how: 'complete' | 'reset';
  /** The HTTP/2 error code (RFC 9113 section 7); 0 if complete. */
  readonly code: number;
}

/** Codes of the errors that a gateway throws into an application. */
export const GatewayErrorCode = {
  BodyTooLarge: 'SLUICE_BODY_TOO_LARGE',
  BodyUsed: 'SLUICE_BODY_USED',
  ExchangeClosed: 'SLUICE_EXCHANGE_CLOSED',
  FeatureWithheld: 'SLUICE_FEATURE_WITHHELD',
  FieldInvalid: 'SLUICE_FIELD_INVALID',
  FileNotFound: 'SLUICE_FILE_NOT_FOUND',
  FieldNotAList: 'SLUICE_FIELD_NOT_A_LIST',
  FieldRepeated: 'SLUICE_FIELD_REPEATED',
  ItemInvalid: 'SLUICE_ITEM_INVALID',
  NotATunnel: 'SLUICE_NOT_A_TUNNEL',
  PaddingInvalid: 'SLUICE_PADDING_INVALID',
  PushInvalid: 'SLUICE_PUSH_INVALID',
  ResetCodeInvalid: 'SLUICE_RESET_CODE_INVALID',
  ResponseEnded: 'SLUICE_RESPONSE_ENDED',
  ResponseNotStarted: 'SLUICE_RESPONSE_NOT_STARTED',
  ResponseStarted: 'SLUICE_RESPONSE_STARTED',
  StatusInvalid: 'SLUICE_STATUS_INVALID',
  ValueInvalid: 'SLUICE_VALUE_INVALID',
  WriteBacklog: 'SLUICE_WRITE_BACKLOG',
} as const;
export type GatewayErrorCode = (typeof GatewayErrorCode)[keyof typeof GatewayErrorCode];

/** An error with a stable code. `closedBy` and `resetCode` are set if an exchange was cut off. */
export interface GatewayError extends Error {
  readonly code: GatewayErrorCode;
  readonly closedBy?: Closed['by'];
  readonly resetCode?: number;
}
