/**
 * One HTTP/1 connection: which requests are taken from it, in which order they run, and how it ends. Node's parser reads
 * the socket and its responses queue themselves in order; this class knows when to stop both.
 *
 *   open ─▶ last ────▶ lingering ─▶ closed      last: no further request is taken, those that are open are answered
 *     ├───▶ refused ─▶ lingering                refused: the same, and a request that was refused is answered after them
 *     └───▶ failed ──▶ lingering                failed: the same, and what could not be read is answered after them
 *
 * Lingering: we have closed our side, and wait for the peer to close its own (see `LingeringSockets`).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Front } from '../connections/front.ts';
import type { Peer } from '../listeners/peer.ts';
import { isRefused, readHead } from './head.ts';
import type { Http1Options } from './options.ts';
import { type ParseError, refusalOf } from './parse-error.ts';
import { REASONS, type Refusal, refusalBody, refusalMessage } from './refusal.ts';
import { Http1Transport } from './transport.ts';

/** RFC 9113 section 7: what the application is told. */
const PROTOCOL_ERROR = 0x1;
const CANCEL = 0x8;

/** Node looks at its deadlines once a second, and adds a second to that between requests. */
const SLACK_MS = 2_000;

/** What all connections share. */
export interface Http1Server {
  readonly front: Front;
  readonly options: Http1Options;
  readonly isDraining: boolean;
  exchangeOpened(): void;
  exchangeClosed(): void;
}

type State = 'open' | 'last' | 'refused' | 'failed' | 'lingering' | 'closed';

export class Http1Connection {
  readonly peer: Peer;
  readonly server: Http1Server;
  readonly #socket: Socket;
  #state: State = 'open';
  /** Requests that are not over, in the order of arrival. Those that may not run yet are at the end. */
  readonly #order: Http1Transport[] = [];
  #requests = 0;
  /** Sent when the requests before it have been answered. */
  #fault: Refusal | null = null;
  /** Since its last request was over; -1 while one is open, and before the first. */
  #idleSinceMs = -1;
  #deadline: NodeJS.Timeout | null = null;

  constructor(socket: Socket, peer: Peer, server: Http1Server) {
    this.#socket = socket;
    this.peer = peer;
    this.server = server;
    // What Node calls when a response was the connection's last.
    socket.destroySoon = () => this.#lastResponseSent();
    socket.on('error', () => {
      // 'close' follows and ends the exchanges; a peer that goes away is no event for the log.
    });
    socket.once('close', () => this.#closed());
  }

  /** The next request may leave HTTP behind: nothing is open that the socket is needed for. */
  get mayUpgrade(): boolean {
    return this.#state === 'open' && this.#order.length === 0;
  }

  // ---- from Node's server

  onRequest(request: IncomingMessage, response: ServerResponse): void {
    if (this.#state !== 'open') {
      // RFC 9112 section 9.6: behind the last request none is taken. The parser cannot be left from inside.
      process.nextTick(() => {
        if (this.#state === 'last' || this.#state === 'refused') this.#stopParsing();
      });
      return;
    }
    const { front, options } = this.server;
    const head = readHead(request, options);
    if (isRefused(head)) {
      this.#refuse(response, head);
      return;
    }
    const { peer } = this;
    const client =
      peer.forwarding === null ? peer : peer.forwarding.clientOf(peer, head.authority, head.fields);
    if (client === null) {
      // What trusted proxies say of the client cannot be read in one way.
      this.#refuse(response, { status: 400, why: '' });
      return;
    }
    // RFC 9110 section 7.4: a request for one scheme is not answered over the other.
    if (head.scheme !== null && head.scheme !== client.scheme) {
      this.#refuse(response, {
        status: 421,
        why: 'the connection is not of the scheme in the request target',
      });
      return;
    }
    this.#requests++;
    this.#idleSinceMs = -1;
    this.#order.push(new Http1Transport(request, response, head, client, this));
    this.server.exchangeOpened();
    if (
      this.server.isDraining ||
      // The parser drops what it has read behind a request with an Upgrade that is ignored: the next request, or a part of
      // it, and all answers after that would be taken for others'.
      head.offersUpgrade ||
      this.#requests >= options.maxRequestsPerConnection ||
      this.#order.length >= options.maxPipelinedRequests
    ) {
      this.#state = 'last';
    }
    this.#startNext();
    front.reactor.request();
  }

  /** What the parser could not read, or its deadline for heads. The parser is of no more use. */
  onParseError(error: ParseError): void {
    if (this.#state === 'failed' || this.#state === 'lingering' || this.#state === 'closed') return;
    const refusal = refusalOf(error);
    if (refusal?.status === 408) this.server.front.deadlines.counters.header++;
    if (refusal === null) {
      this.#socket.destroy();
      return;
    }
    if (this.#state === 'refused') {
      this.#stopParsing();
      return;
    }
    // RFC 9112 section 9.6: what follows a request with `Connection: close` is not read, and its answer ends all.
    if (error.code === 'HPE_CLOSED_CONNECTION') {
      this.#stopParsing();
      this.#state = 'last';
      if (this.#order.length === 0) this.end();
      return;
    }
    // A message that ends with the connection is malformed (RFC 9112 section 8), and its sender has gone away.
    this.fail(refusal, error.code === 'HPE_INVALID_EOF_STATE' ? CANCEL : PROTOCOL_ERROR);
  }

  /**
   * Everything that is open is answered, then this, and the connection ends. Not to be called by the parser.
   * @param cause what the application is told whose request is broken by it
   * @param late the request that is broken, if it is not the last: its trailers are told late, and what stands behind it is not taken
   */
  fail(refusal: Refusal, cause: number = PROTOCOL_ERROR, late?: Http1Transport): void {
    // What the parser could not read, or what was refused, stands behind the late one, which is answered in its place.
    const isBefore = late !== undefined && (this.#state === 'failed' || this.#state === 'refused');
    if (this.#state !== 'open' && this.#state !== 'last' && !isBefore) return;
    this.#stopParsing();
    const broken = late ?? this.#order.at(-1);
    const at = broken === undefined ? -1 : this.#order.indexOf(broken);
    // None of them runs yet: one with content has nothing beside it.
    if (at !== -1) for (const behind of this.#order.slice(at + 1).reverse()) behind.cut(cause, false);
    // RFC 9112 section 9.6: nothing behind the last request is looked at, so how it reads cannot matter.
    if (this.#state === 'last' && broken?.isReceiving !== true) {
      this.#settle();
      return;
    }
    this.#state = 'failed';
    this.#fault = refusal;
    if (broken?.isReceiving === true) {
      // The refusal stands for its response. If that has begun, there is no way left to say it.
      if (broken.hasResponded) {
        this.#socket.destroy();
        return;
      }
      broken.cut(cause, cause === CANCEL);
    }
    this.#settle();
  }

  // ---- from its requests

  /** Whether a response says that nothing follows it. */
  isLast(transport: Http1Transport): boolean {
    return (this.#state === 'last' || this.server.isDraining) && this.#order.at(-1) === transport;
  }

  /** The request has come and been answered, or it has been cut off. */
  onOver(transport: Http1Transport): void {
    const index = this.#order.indexOf(transport);
    if (index === -1) return;
    this.#order.splice(index, 1);
    this.server.exchangeClosed();
    if (!transport.isCut || index > 0) this.#settle();
  }

  #settle(): void {
    if (this.#socket.destroyed) return;
    if (this.#order.length > 0) {
      this.#startNext();
      return;
    }
    this.#idleSinceMs = this.server.front.reactor.nowMs;
    if (this.#state === 'failed' && this.#fault !== null) {
      this.#socket.write(refusalMessage(this.#fault), 'latin1');
      this.end();
    } else if (this.#state === 'last' || (this.#state === 'open' && this.server.isDraining)) {
      this.end();
    }
  }

  /**
   * Answers leave in the order of the requests, but only safe methods may run side by side (RFC 9112 section 9.3.2):
   * what one request changes the next may depend on.
   */
  #startNext(): void {
    const most = this.server.options.maxParallelRequests;
    let running = 0;
    for (const transport of this.#order) {
      if (!transport.isStarted) {
        if (running > 0 && (!transport.isSafe || running >= most)) return;
        transport.start();
      }
      if (!transport.isSafe) return;
      running++;
    }
  }

  /** Node keeps this response in its place among the others. */
  #refuse(response: ServerResponse, refusal: Refusal): void {
    this.#state = 'refused';
    response.shouldKeepAlive = false;
    response.on('error', () => {
      // The socket's 'close' follows.
    });
    const body = refusalBody(refusal);
    response.writeHead(refusal.status, REASONS[refusal.status] ?? 'Error', [
      'content-type',
      'text/plain; charset=utf-8',
      'content-length',
      String(Buffer.byteLength(body)),
    ]);
    response.end(body);
  }

  // ---- the end

  /**
   * Node's own deadline between requests begins anew with every byte, and empty lines begin no request, so that a peer
   * which sends nothing else would be kept for ever. A head that has begun in time is left to its own deadline.
   */
  tick(nowMs: number): void {
    if (this.#state !== 'open' || this.#idleSinceMs === -1) return;
    const { keepAliveTimeoutMs, headerTimeoutMs } = this.server.options;
    if (nowMs - this.#idleSinceMs < keepAliveTimeoutMs + headerTimeoutMs + SLACK_MS) return;
    this.onIdle();
  }

  /** Nothing is open, and has not been for as long as it may. */
  onIdle(): void {
    this.server.front.deadlines.counters.idle++;
    this.end();
  }

  /** The server takes no more requests. */
  drain(): void {
    if (this.#state === 'open' && this.#order.length === 0) this.end();
  }

  #lastResponseSent(): void {
    if (this.#state === 'open') this.#state = 'last';
    // An application may still be reading a request that it has answered.
    if (this.#order[0]?.isWanted !== true) this.end();
  }

  /** Closes our side, after what has been written, and leaves the rest to `LingeringSockets`. */
  end(): void {
    if (this.#state === 'lingering' || this.#state === 'closed') return;
    this.#state = 'lingering';
    this.#stopParsing();
    this.stopDiscarding();
    const { lingering, reactor } = this.server.front;
    lingering.add(this.#socket, reactor.nowMs);
  }

  /**
   * A request has been answered and nobody wants the rest of it. The connection goes on if that is short and comes soon
   * (RFC 9112 section 9.3).
   */
  discardRest(transport: Http1Transport, isTooMuch: boolean): void {
    const giveUp = (): void => {
      this.end();
      transport.cut(CANCEL, false);
    };
    if (isTooMuch || this.#state !== 'open') giveUp();
    else this.#setDeadline(giveUp, this.server.options.discardTimeoutMs);
  }

  stopDiscarding(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
  }

  #setDeadline(action: () => void, afterMs: number): void {
    this.stopDiscarding();
    this.#deadline = setTimeout(action, afterMs);
    this.#deadline.unref();
  }

  /** Takes the socket from Node's parser, and leaves what comes in the system's buffers. */
  #stopParsing(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    socket.removeAllListeners('data');
    // For this Node gives the socket's bytes back to it (it had them read past JavaScript).
    socket.on('data', ignore);
    socket.off('data', ignore);
    socket.pause();
  }

  /** The socket speaks HTTP no longer. */
  release(): void {
    this.#state = 'closed';
    Reflect.deleteProperty(this.#socket, 'destroySoon');
  }

  #closed(): void {
    this.#state = 'closed';
    this.stopDiscarding();
    for (const transport of [...this.#order]) transport.cut(CANCEL, true);
  }
}

function ignore(): void {
  // Nothing is ever read through this listener.
}
