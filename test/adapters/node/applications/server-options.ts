/** Servers of each of Node's modules, made with options: classes of their own, and settings that have no effect here. */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { BlockList, type Server } from 'node:net';
import { checkServerIdentity } from 'node:tls';

class Request extends http.IncomingMessage {
  get shown(): string {
    return `own ${this.method} ${this.url}`;
  }
}
class Response extends http.ServerResponse {
  show(value: unknown): void {
    this.setHeader('x-class', 'own');
    this.end(JSON.stringify(value));
  }
}
class StreamedRequest extends http2.Http2ServerRequest {
  readonly field = 'of the instance';
  get shown(): string {
    return `own ${this.method} ${this.url} ${this.field}`;
  }
}
class StreamedResponse extends http2.Http2ServerResponse {
  show(value: unknown): void {
    this.setHeader('x-class', 'own');
    this.end(JSON.stringify(value));
  }
}

type AnyRequest = StreamedRequest;
type AnyResponse = StreamedResponse;

let events: string[] = [];
let over = Promise.resolve<unknown>(undefined);

const paths: { readonly [path: string]: (req: AnyRequest, res: AnyResponse) => unknown } = {
  facts: (req, res) =>
    res.show({
      shown: req.shown,
      isOwn: [req, res].map((each) => Object.getPrototypeOf(each.constructor).name),
      headers: req.headers['x-twice'],
      remote: req.socket.remoteAddress,
      sameSocket: req.socket === res.socket,
    }),
  echo: (req, res) => req.pipe(res),
  lines: (_req, res) => {
    res.setHeader('X-U', ['a', 'b']);
    res.appendHeader('X-V', 'a');
    res.appendHeader('X-V', 'b');
    res.setHeader('Trailer', 'X-T');
    res.write('content');
    res.addTrailers({ 'X-T': 'last' });
    res.end();
  },
  body: (_req, res) => {
    let code = 'written';
    try {
      res.write('content');
    } catch (error) {
      ({ code } = error as { code: string });
    }
    events = [code];
    res.end();
  },
  events: async (req, res) => {
    events = [];
    for (const event of ['end', 'close']) req.on(event, () => events.push(`req ${event}`));
    for (const event of ['finish', 'close']) res.on(event, () => events.push(`res ${event}`));
    over = Promise.all([once(req, 'close'), once(res, 'close')]);
    let bytes = 0;
    for await (const piece of req) bytes += piece.length;
    res.writeHead(201, { 'x-bytes': bytes });
    res.end(`${bytes} bytes`);
  },
  unread: (req, res) => {
    events = [];
    over = Promise.all([once(req, 'close'), once(res, 'close')]).then(() => events.push('closed'));
    res.end('unread');
  },
  told: async (_req, res) => {
    await over;
    res.show(events.sort());
  },
  hints: (_req, res) => {
    res.writeEarlyHints({ link: '</a.css>; rel=preload; as=style' });
    res.end('hinted');
  },
};

function handler(req: AnyRequest, res: AnyResponse): unknown {
  const path = req.url.slice(1);
  if (path === 'rejected') return Promise.reject(new Error('rejected'));
  return paths[path]?.(req, res);
}

/** Of every option of which the page says that it has no effect and that takes effect on Node: a value that Node accepts. */
export const WITHOUT_EFFECT: { readonly [option: string]: unknown } = {
  allowHalfOpen: true,
  blockList: new BlockList(),
  connectionsCheckingInterval: 1_000,
  connectionWindowSize: 1_000_000,
  headersTimeout: 1_234,
  highWaterMark: 1_234,
  httpValidation: 'relaxed',
  insecureHTTPParser: true,
  keepAlive: true,
  keepAliveInitialDelay: 1_000,
  keepAliveTimeoutBuffer: 500,
  maxDeflateDynamicTableSize: 100,
  maxHeaderListPairs: 10,
  maxHeaderSize: 20_000,
  maxOutstandingPings: 1,
  maxOutstandingSettings: 1,
  maxSendHeaderBlockLength: 20,
  maxSessionInvalidFrames: 1,
  maxSessionMemory: 1,
  maxSessionRejectedStreams: 1,
  maxSettings: 10,
  noDelay: false,
  optimizeEmptyRequests: true,
  origins: ['https://localhost'],
  paddingStrategy: http2.constants.PADDING_STRATEGY_MAX,
  pauseOnConnect: true,
  peerMaxConcurrentStreams: 1,
  remoteCustomSettings: [9_999],
  requestTimeout: 1_234,
  requireHostHeader: false,
  settings: { maxConcurrentStreams: 1, enablePush: false },
  streamResetBurst: 1,
  streamResetRate: 1,
  strictFieldWhitespaceValidation: false,
  strictSingleValueFields: false,
  unknownProtocolTimeout: 1,
  // A few of TLS: certificates and keys would come from files.
  ALPNProtocols: ['none'],
  SNICallback: () => undefined,
  checkServerIdentity,
  handshakeTimeout: 1,
  honorCipherOrder: true,
  maxVersion: 'TLSv1.2',
  minVersion: 'TLSv1.2',
  rejectUnauthorized: true,
  requestCert: true,
  sessionTimeout: 1,
};
const { insecureHTTPParser: _excludesValidation, ...withValidation } = WITHOUT_EFFECT;

const OF_HTTP1 = {
  IncomingMessage: Request,
  ServerResponse: Response,
  joinDuplicateHeaders: true,
  uniqueHeaders: ['x-u'],
  rejectNonStandardBodyWrites: true,
};
const OF_HTTP2 = { Http2ServerRequest: StreamedRequest, Http2ServerResponse: StreamedResponse };

export const ofHttp1 = (options: object = {}): Server =>
  http.createServer({ ...OF_HTTP1, ...options } as never, handler as never);
export const ofHttp2 = (options: object = {}): Server =>
  http2.createServer({ ...OF_HTTP2, ...options } as never, handler as never) as never;
/** Over HTTP/1, which a server of node:http2 speaks only over TLS. */
export const allowingHttp1 = (options: object = {}): Server =>
  http2.createSecureServer(
    {
      ...OF_HTTP2,
      allowHTTP1: true,
      Http1IncomingMessage: Request,
      Http1ServerResponse: Response,
      ...options,
    } as never,
    handler as never,
  ) as never;
/** The same in the bag that Node 24 has for them. */
export const withBag = (options: object = {}): Server =>
  http2.createSecureServer(
    { ...OF_HTTP2, allowHTTP1: true, http1Options: OF_HTTP1, ...options } as never,
    handler as never,
  ) as never;

export const http1 = ofHttp1();
export const streams = ofHttp2();
export const allowing = allowingHttp1();
export const bag = withBag();
export const ineffectiveHttp1 = ofHttp1(withValidation);
export const ineffectiveHttp2 = ofHttp2(withValidation);
export const ineffectiveSecure = allowingHttp1(withValidation);
