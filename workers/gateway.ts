/**
 * The Stream Gateway Interface (docs/sgi.md): what an application is given and what it gives back.
 *
 * Types only, apart from the version and the error codes: an application module imports nothing that runs.
 * One `Exchange` is one request and its response. It arrives in an application thread as messages,
 * never as a socket, and every body byte in it was asked for by the side that consumes it.
 */

/** The version of docs/sgi.md that these types are of. */
export const SGI_VERSION = '1.1';

/** An application. The exchange is its own until it returns, or until the promise that it returned settles. */
export type Application = (exchange: Exchange) => void | Promise<void>;

/** What stands around an application: given one, it makes another. `compose` of `sluice/middleware` puts several in a row. */
export type Middleware = (application: Application) => Application;

/** The generator face. Being pulled is its backpressure: the next item is asked for when the last has been taken. */
export type GeneratorApplication = (exchange: Exchange) => AsyncGenerator<Yielded, void, void>;

/** In order: any number of heads with a 1xx status, one final head, chunks, and at most one set of trailers as the last item. */
export type Yielded = YieldedHead | Uint8Array | string | YieldedTrailers;
export interface YieldedHead {
  readonly status: number;
  readonly fields?: FieldsInit;
}
export interface YieldedTrailers {
  readonly trailers: FieldsInit;
}

/**
 * The handler face: what happens to an exchange, as calls. A class is instantiated for each exchange; an object is shared by all.
 * A call that returns a promise is waited for before the next, so `onData` holds the peer back for as long as it takes.
 */
export interface HandlerApplication {
  onHeaders(exchange: Exchange): void | Promise<void>;
  onData?(exchange: Exchange, chunk: Uint8Array): void | Promise<void>;
  /** The request is whole. */
  onEnd?(exchange: Exchange, trailers: Fields): void | Promise<void>;
  /** Exactly once, whatever happened. */
  onClose?(exchange: Exchange, closed: Closed): void | Promise<void>;
}
export type HandlerClass = new () => HandlerApplication;

/** The lifespan of an application in one thread, around any face: named exports beside the default one, or an object that is it. */
export interface Lifespan {
  /** Before the thread's first exchange. What it throws is a failure to start. */
  start?(context: LifespanContext): void | Promise<void>;
  /** After the thread's last exchange, once; not when the thread is killed. The drain's deadline applies. */
  stop?(): void | Promise<void>;
}
export interface LifespanContext {
  /** The pool's name in the configuration. */
  readonly pool: string;
  /** Aborts when the thread begins to stop. */
  readonly draining: AbortSignal;
}

/** How an application module is written; guessed from what it exports unless the pool's `kind` says it. */
export type ApplicationKind = 'exchange' | 'generator' | 'handler' | 'node' | 'server' | 'fetch';

/**
 * Header or trailer fields (RFC 9110 section 5): name → list of values. Names are lower-case; the order of
 * values is kept within a name.
 */
export interface Fields extends Iterable<[name: string, value: string]> {
  /**
   * The one value of a field, or undefined.
   * @throws GatewayError `SLUICE_FIELD_REPEATED` when the message carries the field more than once, so that no
   * two readers can take different values from it. For a field that may repeat use `all`.
   */
  get(name: string): string | undefined;
  /**
   * Every value of a field in order; empty when absent. What came is there to see by iterating, whatever it is.
   * @throws GatewayError `SLUICE_FIELD_REPEATED` for a repeated singleton
   */
  all(name: string): readonly string[];
  has(name: string): boolean;
  /**
   * The elements of a list field over all its lines, split at commas outside of quotes (RFC 9110 section 5.6.1); empty when absent.
   * @throws GatewayError `SLUICE_FIELD_NOT_A_LIST` for set-cookie and for fields that are registered as singletons
   */
  list(name: string): readonly string[];
  /**
   * The lines of a list field as one, joined with a comma (RFC 9110 section 5.3), or undefined.
   * @throws GatewayError `SLUICE_FIELD_NOT_A_LIST` for set-cookie, which is never joined; `SLUICE_FIELD_REPEATED` for a
   * repeated singleton
   */
  joined(name: string): string | undefined;
  /** How many field lines there are. */
  readonly size: number;
}

/**
 * Of a field to send, how HPACK may code it (RFC 7541 section 6.2): `never` for a secret, so that nobody on the way compresses it
 * either (section 7.1.3); `prefer` for a value that will come again. Other protocol versions send the value alike.
 */
export type Indexing = 'never' | 'prefer';
export interface MarkedValue {
  readonly value: string | number;
  readonly indexing: Indexing;
}
export type FieldValue = string | number | MarkedValue;

/**
 * Fields to send: an object of name → value or values, pairs, or fields received elsewhere. What else is given is `SLUICE_VALUE_INVALID`
 * (rule 2.9), what HTTP does not allow `SLUICE_FIELD_INVALID`.
 */
export type FieldsInit =
  | { readonly [name: string]: FieldValue | readonly FieldValue[] }
  | Iterable<readonly [name: string, value: FieldValue]>;

/** The head of the request (RFC 9113 section 8.3.1). */
export interface ExchangeRequest {
  readonly method: string;
  /** `http` or `https`: what the connection is, or what a trusted proxy says of the client's. */
  readonly scheme: string;
  /** Host and optional port, as `:authority` or `Host` carried it; empty when the peer sent neither. */
  readonly authority: string;
  /** Path and query as they came, not decoded; empty for CONNECT without `protocol`. */
  readonly path: string;
  /**
   * What the peer asks to speak instead of HTTP: `websocket` for a WebSocket handshake, by `Upgrade` over HTTP/1.1 (RFC
   * 6455 section 4.1) or by extended CONNECT over HTTP/2 (RFC 8441); otherwise empty. The method is GET for the one
   * and CONNECT for the other, so an application looks here. With the method CONNECT and no protocol the peer asks
   * for a tunnel to `authority` (RFC 9110 section 9.3.6).
   */
  readonly protocol: string;
  readonly fields: Fields;
  /** `2` or `1.1` or `1.0`: the version the peer speaks. */
  readonly version: string;
  /** The client: the connection's peer, or whom a trusted proxy names. */
  readonly remote: RemoteAddress;
  /** The connection's TLS; null in cleartext. Behind a proxy it is the proxy's connection. */
  readonly tls: TlsConnection | null;
  /** How the peer wants the response sent, as of the exchange's begin. The server sends by it what it is given. */
  readonly priority: Priority;
}

/**
 * RFC 9218, by the `priority` field or by PRIORITY_UPDATE, which counts for more. Over HTTP/1.1, which sends one response
 * at a time, it is the default.
 */
export interface Priority {
  /** 0 to 7, lower is more urgent; default 3. */
  readonly urgency: number;
  /** The response is of use in pieces. */
  readonly incremental: boolean;
}

export interface RemoteAddress {
  /** An IP address; empty when it is not known, as over a Unix domain socket. */
  readonly address: string;
  /** 0 when it is not known. */
  readonly port: number;
}

/** What TLS agreed on with the peer (RFC 8446, RFC 5246). */
export interface TlsConnection {
  /** `TLSv1.3` or `TLSv1.2`. */
  readonly version: string;
  /** The cipher suite by its IANA name, such as `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** The protocol that ALPN chose (RFC 7301), `h2` or `http/1.1`; null when the client offered none. */
  readonly alpn: string | null;
  /** The host name that the client asked for (RFC 6066 section 3); null when it named none. */
  readonly servername: string | null;
  /** What the client showed; null when it was not asked or had none. */
  readonly clientCertificate: ClientCertificate | null;
  /** The client has shown a certificate that the listener's CAs vouch for. */
  readonly authorized: boolean;
}

/** A client's certificate (RFC 5280). Read `authorized` beside it: a listener may let others in too. */
export interface ClientCertificate {
  /** One attribute a line, as in `CN=alice`. */
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of `raw`, upper-case hexadecimal with colons. */
  readonly fingerprint256: string;
  /** DER. */
  readonly raw: Uint8Array;
  readonly pem: string;
}

/**
 * The request's content. Pulling it is what grants credit: until an application reads, none of the body crosses
 * to its thread and the peer is held at its flow-control window. It can be iterated once.
 */
export interface ExchangeBody extends AsyncIterable<Uint8Array> {
  /** Nothing is left to read: the request has no body, or all of it has been taken. Looking grants no credit. */
  readonly isAtEnd: boolean;
  /**
   * The whole body.
   * @param limitBytes refuse more than this; default 1 MiB.
   * @throws GatewayError (as a rejection) `SLUICE_BODY_TOO_LARGE`, `SLUICE_BODY_USED`, `SLUICE_VALUE_INVALID`
   */
  bytes(limitBytes?: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The whole body as UTF-8; limit and errors as `bytes`. */
  text(limitBytes?: number): Promise<string>;
}

/** A request whose response is promised before the peer asks for it. */
export interface PushRequest {
  /** Path and query, from a slash on. The origin is that of the exchange's own request. */
  readonly path: string;
  /** Default GET. */
  readonly method?: 'GET' | 'HEAD';
  /** Fields that the peer would have sent: without content-length and host. */
  readonly fields?: FieldsInit;
}

/**
 * The response to a promised request. Its stream is its own: flow control, `reset`, `signal` and `closed` are about it alone. Left
 * incomplete by a scope that holds it with `await using`, it is reset.
 */
export type PushedResponse = AsyncDisposable &
  Pick<
    Exchange,
    'inform' | 'respond' | 'write' | 'end' | 'pad' | 'reset' | 'writableBytes' | 'signal' | 'closed'
  >;

/**
 * What this peer, its protocol version and every layer between allow, beyond what every exchange can. Constant for an
 * exchange, as of its begin.
 */
export interface Capabilities {
  /** The peer takes promised responses (RFC 9113 section 8.4). Where it does not, `push` gives null. */
  readonly push: boolean;
  /** Trailer fields reach the peer (RFC 9110 section 6.5). Where they do not, `end` drops them. */
  readonly trailers: boolean;
  /** Interim responses reach the peer (RFC 9110 section 15.2). Where they do not, `inform` does nothing. */
  readonly informational: boolean;
  /** The request asks for a tunnel and `accept` can give it. */
  readonly tunnel: boolean;
  /** The response is sent by priority (RFC 9218): by the peer's, or by a `priority` field of the response. */
  readonly priority: boolean;
  /** What is written leaves as it is written. Where it does not, a layer above collects the body first. */
  readonly streaming: boolean;
  /** `reset` reaches the peer with its code, this exchange alone ends. Where it does not, the connection is closed. */
  readonly reset: boolean;
  /** `pad` has an effect. */
  readonly padding: boolean;
}
export type Feature = keyof Capabilities;

/** A capability that the peer had and a layer between took away. */
export interface Withheld {
  readonly feature: Feature;
  /** What took it, and why: a sentence for a log. */
  readonly why: string;
}

/**
 * A rich object that a server may offer beside the interface, such as sending a file. What it does goes past every middleware
 * between, so each key says what it bypasses, and a middleware that changes that part hides it without having heard of it.
 */
export interface ExtensionKey<T> {
  /** Registered in docs/sgi.md, or `vendor.example/name`. */
  readonly name: string;
  readonly bypasses: readonly ExchangePart[];
  /** Never there: it carries the type. */
  readonly type?: T;
}
export type ExchangePart = 'request' | 'request-body' | 'response-head' | 'response-body';

export interface Exchange extends AsyncDisposable {
  readonly request: ExchangeRequest;
  readonly capabilities: Capabilities;
  /** What a layer between has taken away, for the application to see; empty where nothing was. */
  readonly withheld: readonly Withheld[];
  /**
   * For an application that would rather refuse than lose something silently.
   * @throws GatewayError `SLUICE_FEATURE_WITHHELD`, naming the first of the features that is not there and why
   */
  require(...features: readonly Feature[]): void;
  /** What a server offers under a key, or null: not offered, or hidden by a middleware that it would bypass. */
  extension<T>(key: ExtensionKey<T>): T | null;
  readonly body: ExchangeBody;
  /** The request's trailer section, known once the body has been read to its end; empty when there is none. */
  readonly trailers: Promise<Fields>;

  /** Send an interim response (RFC 9110 section 15.2): 100, 102 to 199, before `respond`. */
  inform(status: number, fields?: FieldsInit): void;
  /**
   * Send the response head. With a body the response is complete: `content-length` is set unless given, and
   * nothing may follow. Without one, `write` and `end` follow.
   * @throws GatewayError `SLUICE_RESPONSE_STARTED`, `SLUICE_FIELD_INVALID`, `SLUICE_STATUS_INVALID`, `SLUICE_VALUE_INVALID`
   */
  respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void;
  /**
   * Send a piece of the body. Resolves when the peer's credit has let the whole piece go, so awaiting it is the
   * application's backpressure. The bytes have been copied when it resolves.
   * @throws GatewayError `SLUICE_VALUE_INVALID`, at once; (as a rejection) `SLUICE_RESPONSE_NOT_STARTED`, `SLUICE_RESPONSE_ENDED`,
   * `SLUICE_EXCHANGE_CLOSED`, and `SLUICE_WRITE_BACKLOG` when it is called again and again without being awaited: the
   * piece is lost then, so the exchange is reset with INTERNAL_ERROR
   */
  write(chunk: Uint8Array | string): Promise<void>;
  /**
   * Complete the response, with trailer fields when given (RFC 9110 section 6.5). Fields that frame, route or type the
   * message, such as content-length, content-type and set-cookie, are none (section 6.5.1): `SLUICE_FIELD_INVALID`.
   */
  end(trailers?: FieldsInit): void;
  /**
   * Promise the response to a request that the peer is sure to make (RFC 9113 section 8.4), and get it to write: before
   * what refers to it, as in `await exchange.push({ path: '/style.css' })`. It may outlive this exchange's response, not
   * the application's function: without a complete response by then it is reset. Null when the peer takes none, or no
   * more now, or the thread has all that it can have at once.
   * @throws GatewayError (as a rejection) `SLUICE_PUSH_INVALID`, `SLUICE_FIELD_INVALID`, `SLUICE_RESPONSE_ENDED`,
   * `SLUICE_WRITE_BACKLOG`, `SLUICE_VALUE_INVALID`
   */
  push(request: PushRequest): Promise<PushedResponse | null>;
  /**
   * Accept the tunnel that the request asks for (see `request.protocol`), in place of `respond`: 101 or, for CONNECT,
   * 200 with these fields, then bytes both ways. To refuse one, `respond` with a status of 300 or above, such as 403.
   * @throws GatewayError `SLUICE_NOT_A_TUNNEL`, `SLUICE_RESPONSE_STARTED`, `SLUICE_FIELD_INVALID`
   */
  accept(fields?: FieldsInit): Tunnel;
  /**
   * End the exchange at once with an HTTP/2 error code (RFC 9113 section 7); default CANCEL (0x8).
   * @throws GatewayError `SLUICE_RESET_CODE_INVALID`
   */
  reset(code?: number): void;

  /**
   * Pad what is sent from now on, so that its length tells less (RFC 9113 section 10.7): each frame with fields or
   * content to a multiple of so many bytes. Padding costs flow-control room like content.
   * @param toMultipleOf 2 to 256, or 0 for none
   * @throws GatewayError `SLUICE_PADDING_INVALID`
   */
  pad(toMultipleOf: number): void;

  /**
   * (1.1) Ask that the connection end behind this response. HTTP/1 then says `Connection: close`, and begins nothing more that
   * waits behind it. To be called before `respond`: later it does nothing, nor where a connection carries others beside this one.
   */
  closeConnection(): void;

  /** Flow-control room: body bytes that `write` would take now without waiting. */
  readonly writableBytes: number;
  /**
   * Aborts when the exchange ends before its response was complete: peer reset, lost connection, deadline.
   * Its reason is a `GatewayError` `SLUICE_EXCHANGE_CLOSED` with `closedBy` and `resetCode`.
   */
  readonly signal: AbortSignal;
  /**
   * Aborts when the server, or this thread, begins to stop: what has no end of its own, such as a tunnel or a stream of
   * events, should come to one now. Nothing is cut off before the drain's deadline.
   */
  readonly draining: AbortSignal;
  /** Settles exactly once, when the exchange is over, and never rejects. */
  readonly closed: Promise<Closed>;
}

/**
 * Bytes both ways in place of a response. The directions end apart: `read` ends when the peer has ended its own, and
 * `end` ends ours, after which the peer may go on. Over HTTP/2 an end is END_STREAM, over HTTP/1.1 a FIN. A scope that holds it with
 * `await using` resets it unless our direction has ended by then.
 */
export interface Tunnel extends AsyncDisposable {
  /** What the peer sends, iterated once. As with a body, pulling grants the credit and an early leave stops reading. */
  readonly read: AsyncIterable<Uint8Array>;
  /**
   * Resolves when the peer's credit has let the whole chunk go. The bytes must stay as they are until then.
   * @throws GatewayError (as a rejection) as `Exchange.write`
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Flow-control room: bytes that `write` would take now without waiting. */
  readonly writableBytes: number;
  /** Nothing more will be written. */
  end(): void;
  /** End both directions at once with an HTTP/2 error code; over HTTP/1.1 the connection is destroyed. */
  reset(code?: number): void;
  /**
   * A tunnel lasts as long as the application's function: one that is not ended by then is reset. What has to say
   * goodbye sets its handler here. It is called once when the function has returned (or, with `failed`, thrown) and the
   * tunnel stays until the promise settles; what is still open then is reset.
   */
  atReturn(handler: (failed: boolean) => Promise<void>): void;
}

/** Who ended an exchange and why. */
export interface Closed {
  /** `application` ended or reset it, `peer` reset it or went away, `server` refused, failed or drained it. */
  readonly by: 'application' | 'peer' | 'server';
  /** `complete`: both messages were sent whole. `reset`: it was cut off. */
  readonly how: 'complete' | 'reset';
  /** The HTTP/2 error code (RFC 9113 section 7); 0 when complete. */
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

/** An error with a stable code. `closedBy` and `resetCode` are set when an exchange was cut off. */
export interface GatewayError extends Error {
  readonly code: GatewayErrorCode;
  readonly closedBy?: Closed['by'];
  readonly resetCode?: number;
}
