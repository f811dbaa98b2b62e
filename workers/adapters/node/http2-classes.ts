/**
 * A server of node:http2 that was made with classes of its own, by `Http2ServerRequest` and `Http2ServerResponse`. They derive from Node's,
 * which read and write a stream. Their objects are therefore made over the exchange's stream, as Node's server makes them.
 */
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Exchange } from '../../gateway.ts';
import type { RequestStream } from './http2-request-stream.ts';
import { PAIR } from './request.ts';
import { streamArguments } from './stream-listeners.ts';

interface Classes {
  readonly Http2ServerRequest: typeof Http2ServerRequest;
  readonly Http2ServerResponse: typeof Http2ServerResponse;
}

/** The classes of HTTP/1 of such a server, which Node 24 keeps in a bag of their own. */
interface OptionsOfHttp2 extends Partial<Classes> {
  readonly Http1IncomingMessage?: unknown;
  readonly Http1ServerResponse?: unknown;
  readonly http1Options?: { readonly IncomingMessage?: unknown; readonly ServerResponse?: unknown };
}

/** An exchange, as its messages need it. */
interface Streamed {
  readonly exchange: Exchange;
  readonly req: IncomingMessage;
  readonly stream: RequestStream;
  readonly socket: object;
}

export class Http2Classes {
  readonly #classes: Classes;

  private constructor(classes: Classes) {
    this.#classes = classes;
  }

  /** Null if they are Node's own. */
  static of(options: OptionsOfHttp2): Http2Classes | null {
    const nodes: Classes = process.getBuiltinModule('node:http2');
    const { Http2ServerRequest, Http2ServerResponse } = { ...nodes, ...options };
    const isNodes =
      Http2ServerRequest === nodes.Http2ServerRequest && Http2ServerResponse === nodes.Http2ServerResponse;
    return isNodes ? null : new Http2Classes({ Http2ServerRequest, Http2ServerResponse });
  }

  messagesOf(pair: Streamed): { readonly req: Http2ServerRequest; readonly res: Http2ServerResponse } {
    const { exchange, stream, socket } = pair;
    const { Http2ServerRequest, Http2ServerResponse } = this.#classes;
    const [, headers, , raw] = streamArguments(exchange.request, pair.req, stream);
    const req = new Http2ServerRequest(stream as never, headers as never, undefined as never, raw as never);
    const res = new Http2ServerResponse(stream as never);
    (req as never as { [PAIR]: object })[PAIR] = pair;
    // Node would make its stand-in for a socket from a session of its own.
    const key = Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'proxySocket');
    (stream as never as { [key: symbol]: object })[key as symbol] = socket;
    return { req, res };
  }
}

/** The classes of requests and responses over HTTP/1; undefined where the server has none of its own. */
export function http1ClassesOf(options: OptionsOfHttp2): readonly [request: unknown, response: unknown] {
  const { http1Options, Http1IncomingMessage, Http1ServerResponse } = options;
  return [
    http1Options?.IncomingMessage ?? Http1IncomingMessage,
    http1Options?.ServerResponse ?? Http1ServerResponse,
  ];
}
