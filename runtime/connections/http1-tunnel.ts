/**
 * A tunnel over HTTP/1.1: a request with Upgrade or CONNECT, and the socket that Node's parser leaves behind it. If the
 * application accepts, the socket is the tunnel; if not, it carries one last ordinary response.
 *
 * Until that is decided the socket is read already, within the window that any request has: only a socket that is read
 * tells of a peer that has gone. RFC 6455 section 4.1 and RFC 9110 section 9.3.6 let a client send nothing so early.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { copyOf } from '../../wire/bytes.ts';
import { plainName } from '../../wire/field-marks.ts';
import { Exchange, type Transport } from '../exchange.ts';
import type { RequestHead } from '../http1/head.ts';
import type { Peer } from '../listeners/peer.ts';
import type { Flushable } from '../reactor.ts';
import { type Front, NOWHERE } from './front.ts';
import { NOT_IMPLEMENTED, takesTunnel, WEBSOCKET, withProtocol } from './tunnel.ts';

const CANCEL = 0x8;
const NO_BYTES = new Uint8Array(0);

/**
 * Whether Node shall leave HTTP behind for this request. RFC 9110 section 7.8 lets a server ignore an Upgrade, and one with
 * content is ignored: the content would have to be read in the old protocol before the new one begins.
 */
export function isUpgrade(request: IncomingMessage, head: RequestHead, front: Front, peer: Peer): boolean {
  const { headers } = request;
  if (head.method !== 'GET' || head.version === '1.0') return false;
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return false;
  const offered = headers.upgrade?.split(',').some((token) => token.trim().toLowerCase() === WEBSOCKET);
  if (offered !== true) return false;
  const client = peer.forwarding?.clientOf(peer, head.authority, head.fields);
  return front.router.find(client?.authority ?? head.authority, head.path)?.websocket === true;
}

/** What becomes of the socket: `asked` → `open` → `ended` (our FIN is on its way), or `asked` → `refused`. */
type State = 'asked' | 'open' | 'ended' | 'refused' | 'closed';

export class Http1Tunnel implements Transport, Flushable {
  isDirty = false;
  readonly #request: IncomingMessage;
  readonly #socket: Socket;
  readonly #front: Front;
  readonly #windowBytes: number;
  readonly #exchange: Exchange;
  readonly #protocol: string;
  #state: State = 'asked';
  #response: ServerResponse | null = null;
  #unconsumedBytes = 0;
  #readEnded = false;
  /** Nobody reads what the peer still sends. */
  #discards = false;
  /** Lengths of the writes that the socket has not taken, oldest first: its callbacks come in that order. */
  readonly #writing: number[] = [];
  readonly #onWritten: () => void;

  /** @param first what came behind the request already. */
  constructor(
    request: IncomingMessage,
    head: RequestHead,
    socket: Socket,
    first: Buffer,
    front: Front,
    peer: Peer,
    windowBytes: number,
  ) {
    this.#request = request;
    this.#socket = socket;
    this.#front = front;
    this.#windowBytes = windowBytes;
    this.#onWritten = () => this.#written();
    const { authority: target, fields } = head;
    const isConnect = head.method === 'CONNECT';
    this.#protocol = isConnect ? '' : WEBSOCKET;
    const client = peer.forwarding === null ? null : peer.forwarding.clientOf(peer, target, fields);
    // CONNECT's target is the authority and nothing else (RFC 9112 section 3.2.3).
    const authority = isConnect ? target : (client?.authority ?? target);
    const destination = front.router.find(authority, head.path) ?? NOWHERE;
    this.#exchange = new Exchange(
      this,
      null,
      destination,
      head.method,
      isConnect ? '' : (client?.scheme ?? peer.scheme),
      authority,
      head.path,
      head.version,
      client?.address ?? peer.address,
      client?.port ?? peer.port,
      withProtocol(this.#protocol, fields),
      false,
      peer.tls,
    );
    front.deadlines.watch(this.#exchange);
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.on('error', () => {
      // 'close' follows, and ends the exchange.
    });
    socket.on('close', () => this.#closed());
    // What trusted proxies say of the client cannot be read in one way.
    if (peer.forwarding !== null && client === null) this.#exchange.answer(400);
    else if (takesTunnel(destination, this.#protocol)) this.#exchange.start();
    else this.#exchange.answer(NOT_IMPLEMENTED);
    if (first.length > 0) socket.unshift(first);
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    socket.on('end', () => this.#end());
    front.reactor.request();
  }

  #data(chunk: Buffer): void {
    if (this.#discards) return;
    this.#front.reactor.tick();
    this.#unconsumedBytes += chunk.length;
    if (this.#unconsumedBytes >= this.#windowBytes) this.#socket.pause();
    try {
      this.#exchange.onRequestData(chunk, 0, chunk.length, false);
    } catch (error) {
      this.#fault(error);
    }
    this.#front.reactor.request();
  }

  /** The peer's half is over; ours goes on until the application ends it. */
  #end(): void {
    this.#readEnded = true;
    if (this.#discards) return;
    this.#front.reactor.tick();
    try {
      this.#exchange.onRequestData(NO_BYTES, 0, 0, true);
    } catch (error) {
      this.#fault(error);
    }
    this.#front.reactor.request();
  }

  #closed(): void {
    const whole = this.#state === 'refused' || (this.#state === 'ended' && this.#readEnded);
    this.#state = 'closed';
    this.#front.reactor.tick();
    try {
      this.#exchange.onTransportClosed(!whole, whole ? 0 : CANCEL, true);
    } catch (error) {
      this.#fault(error);
    }
    this.#front.reactor.request();
  }

  #written(): void {
    const length = this.#writing.shift();
    if (length === undefined) return;
    try {
      this.#exchange.onSent(length);
    } catch (error) {
      this.#fault(error);
    }
  }

  /** An error of ours costs the tunnel, and nobody else theirs. */
  #fault(error: unknown): void {
    this.#front.onFault(error);
    this.#socket.destroy();
  }

  // ---- Flushable: what one turn has written leaves in one call

  flush(): void {
    this.#socket.uncork();
  }

  #cork(): void {
    if (this.isDirty) return;
    this.#socket.cork();
    this.#front.reactor.flushLater(this);
  }

  // ---- Transport

  inform(): void {
    // Nothing that a client which waits for its tunnel would use, and interim responses may be left out.
  }

  accept(_exchange: Exchange, fields: string[]): void {
    if (this.#state !== 'asked') return;
    this.#state = 'open';
    // RFC 9110 section 9.3.6: any 2xx opens the tunnel; section 15.2.2: 101 says to what.
    let head =
      this.#protocol === ''
        ? 'HTTP/1.1 200 OK\r\n'
        : `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${this.#protocol}\r\n`;
    for (let i = 0; i < fields.length; i += 2) head += `${plainName(fields[i])}: ${fields[i + 1]}\r\n`;
    this.#cork();
    this.#socket.write(`${head}\r\n`, 'latin1');
  }

  /** A refusal: the connection speaks HTTP for one more response. */
  respond(_exchange: Exchange, status: number, fields: string[], end: boolean): void {
    if (this.#state !== 'asked') return;
    this.#state = 'refused';
    // Not imported, for the reason that Http1Front gives.
    const { ServerResponse } = process.getBuiltinModule('node:http');
    const response = new ServerResponse(this.#request);
    this.#response = response;
    response.shouldKeepAlive = false;
    response.assignSocket(this.#socket);
    response.on('error', () => {
      // The socket's 'close' follows, and ends the exchange.
    });
    response.on('finish', () => this.#linger());
    response.writeHead(status, fields);
    if (end) response.end();
    else response.flushHeaders();
  }

  write(_exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const stream = this.#state === 'refused' ? this.#response : this.#socket;
    if (stream === null || (this.#state !== 'open' && this.#state !== 'refused')) return;
    if (end > start) {
      if (this.#state === 'open') this.#cork();
      this.#writing.push(end - start);
      // A copy, as the ring's memory does not last until the socket has taken it.
      stream.write(copyOf(bytes, start, end), this.#onWritten);
    }
    if (!last) return;
    if (this.#state === 'open') {
      this.#state = 'ended';
      this.#finishSocket();
    } else {
      stream.end();
    }
  }

  trailers(exchange: Exchange): void {
    // A tunnel has none, and those of a refusal may be dropped (RFC 9110 section 6.5.1).
    this.write(exchange, NO_BYTES, 0, 0, true);
  }

  /** Our FIN, after what has been written. With nobody to read the peer's half there is nothing to stay for. */
  #finishSocket(): void {
    if (this.#discards) this.#linger();
    else this.#socket.end();
  }

  #linger(): void {
    this.#front.lingering.add(this.#socket, this.#front.reactor.nowMs);
  }

  reset(): void {
    // TCP has no code for why. What has been written so far still leaves, as far as the kernel takes it now.
    if (this.isDirty) this.#socket.uncork();
    this.#socket.destroy();
  }

  consume(_exchange: Exchange, bytes: number): void {
    this.#unconsumedBytes -= bytes;
    if (this.#unconsumedBytes < this.#windowBytes >> 1 && this.#socket.isPaused()) this.#socket.resume();
  }

  letsContentCome(): boolean {
    // What a tunnel carries has no least rate.
    return false;
  }

  fail(_exchange: Exchange, error: unknown): void {
    this.#fault(error);
  }

  takenBytes(): number {
    const { bytesWritten, writableLength } = this.#socket;
    return writableLength === 0 ? -1 : bytesWritten - writableLength;
  }

  stopReading(): void {
    // Discarded as it arrives, so that the peer gets to read what was written last.
    this.#discards = true;
    this.#socket.resume();
    if (this.#state === 'ended') this.#linger();
  }
}
