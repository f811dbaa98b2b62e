/**
 * `node:http` as another reader of the same bytes: what a Node server makes of them, over a pair of streams.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';

export interface NodeRequest {
  readonly method: string;
  readonly url: string;
  readonly version: string;
  /** A flat list, in order of arrival. */
  readonly fields: readonly string[];
  content: string;
  trailers: readonly string[];
  isWhole: boolean;
}

export interface NodeReading {
  readonly requests: readonly NodeRequest[];
  /** The code of the parser's error, or the status of Node's own refusal; null: neither. */
  readonly refusal: string | null;
  /** The bytes end within a message. */
  readonly isWithinMessage: boolean;
}

const ROOM = 1 << 20;
const EOF_STATE = 'HPE_INVALID_EOF_STATE';

export class NodeReader {
  readonly #server: Server;
  #requests: NodeRequest[] = [];
  #refusal: string | null = null;

  constructor() {
    const take = (request: IncomingMessage, response: ServerResponse): void => this.#take(request, response);
    this.#server = createServer({ maxHeaderSize: ROOM, keepAliveTimeout: 0, requestTimeout: 0 }, take);
    this.#server.maxHeadersCount = 0;
    this.#server.on('checkContinue', take);
    // Without a listener Node answers 417 and goes on with what is behind the request.
    this.#server.on('checkExpectation', take);
    this.#server.on('connect', (request: IncomingMessage, socket: Duplex) => {
      this.#note(request).isWhole = true;
      socket.destroy();
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
      this.#refusal ??= error.code ?? error.message;
      // Requests that were complete before are told of it by later events.
      setImmediate(() => setImmediate(() => socket.destroy()));
    });
  }

  async read(bytes: Buffer): Promise<NodeReading> {
    this.#requests = [];
    this.#refusal = null;
    const [client, side] = duplexPair();
    let heard = '';
    client.setEncoding('latin1');
    client.on('data', (text: string) => {
      heard += text;
    });
    client.on('error', () => {
      // The server's side was destroyed on purpose.
    });
    this.#server.emit('connection', side);
    const closed = once(side, 'close');
    client.end(bytes);
    await closed;
    // Responses that Node sent by itself, without calling a listener.
    const own = /HTTP\/1\.1 ([45]\d\d) /.exec(heard)?.[1] ?? null;
    const isWithinMessage = this.#refusal === EOF_STATE;
    client.destroy();
    return {
      requests: this.#requests,
      refusal: isWithinMessage ? null : (own ?? this.#refusal),
      isWithinMessage,
    };
  }

  #note(request: IncomingMessage): NodeRequest {
    const { method = '', url = '', httpVersion, rawHeaders } = request;
    const noted = {
      method,
      url,
      version: httpVersion,
      fields: rawHeaders,
      content: '',
      trailers: [],
      isWhole: false,
    };
    this.#requests.push(noted);
    return noted;
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const noted = this.#note(request);
    request.on('data', (chunk: Buffer) => {
      noted.content += chunk.toString('latin1');
    });
    request.on('end', () => {
      noted.isWhole = true;
      noted.trailers = request.rawTrailers;
      response.end();
    });
    request.on('error', () => {
      // The parser's error decides, or the end.
    });
  }
}
