/**
 * A WebSocket client on any byte stream, with the framing of `ws`. The test controls what it sends, frame by
 * frame, and whether it reads.
 */
import type { Duplex } from 'node:stream';
import { extension, PerMessageDeflate, Receiver, Sender } from 'ws';
import type { Scope } from '../server/harness.ts';
import type { Accepted, Fields, Way } from './byte-streams.ts';
import type { SocketServer } from './server.ts';

export type Message = string | Buffer;

export interface PeerClosed {
  /** The code of the server's Close. 1005: it had none; 1006: there was no Close. */
  readonly code: number;
  readonly reason: string;
  /** HTTP/2: the code of the RST_STREAM that ended the stream, 0 if there was none. */
  readonly resetCode: number | null;
}

/** Opens a WebSocket. `deflate`: offers permessage-deflate with these parameters. */
export async function openPeer(
  way: Way,
  scope: Scope,
  server: SocketServer,
  path: string,
  options: { readonly fields?: Fields; readonly deflate?: string } = {},
): Promise<Peer> {
  const offer = options.deflate === undefined ? {} : { 'sec-websocket-extensions': options.deflate };
  const accepted = await way.webSocket(scope, server, path, { ...offer, ...options.fields });
  return new Peer(accepted);
}

export class Peer {
  readonly accepted: Accepted;
  readonly closed: Promise<PeerClosed>;
  readonly pongs: string[] = [];
  readonly #stream: Duplex;
  readonly #sender: Sender;
  readonly #deflate: PerMessageDeflate | null;
  readonly #messages: Message[] = [];
  readonly #waiting: ((message: Message | null) => void)[] = [];
  readonly #said = Promise.withResolvers<void>();
  #isOver = false;
  /** Bytes of messages received so far. */
  receivedBytes = 0;

  constructor(accepted: Accepted) {
    this.accepted = accepted;
    this.#stream = accepted.stream;
    this.#deflate = agreed(accepted.fields['sec-websocket-extensions']);
    const extensions = this.#deflate === null ? {} : { 'permessage-deflate': this.#deflate };
    this.#sender = new Sender(this.#stream, extensions);
    const receiver = new Receiver({
      isServer: false,
      extensions,
      maxPayload: 0,
      maxFragments: 0,
      allowSynchronousEvents: true,
    });
    let closed = { code: 1006, reason: '' };
    receiver.on('message', (data, isBinary) => this.#received(isBinary ? data : data.toString()));
    receiver.on('pong', (data) => this.pongs.push(data.toString()));
    receiver.on('ping', (data) => this.#sender.pong(data, true));
    receiver.on('conclude', (code, reason) => {
      closed = { code, reason: reason.toString() };
      this.#said.resolve();
    });
    receiver.on('error', ({ message }) => {
      closed = { code: -1, reason: message };
    });
    this.#stream.on('data', (chunk: Buffer) => {
      if (closed.code === 1006) receiver.write(chunk);
    });
    const over = Promise.withResolvers<PeerClosed>();
    this.#stream.on('close', () => {
      this.#isOver = true;
      for (const resolve of this.#waiting) resolve(null);
      over.resolve({ ...closed, resetCode: accepted.resetCode() });
    });
    // The server ends its side first (RFC 6455 section 7.1.1).
    this.#stream.on('end', () => this.#stream.end());
    this.closed = over.promise;
  }

  #received(message: Message): void {
    this.receivedBytes += message.length;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#messages.push(message);
    else waiting(message);
  }

  /** The next message; null if there will be none. */
  next(): Promise<Message | null> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#isOver) return Promise.resolve(null);
    const { promise, resolve } = Promise.withResolvers<Message | null>();
    this.#waiting.push(resolve);
    return promise;
  }

  /** @param taken is called when the stream has accepted the frame. */
  send(message: Message, fin = true, taken?: () => void): void {
    const binary = typeof message !== 'string';
    this.#sender.send(message, { binary, compress: this.#deflate !== null, fin, mask: true }, taken);
  }

  /** The server's Close has arrived. */
  get saidClose(): Promise<void> {
    return this.#said.promise;
  }

  ping(data: string): void {
    this.#sender.ping(Buffer.from(data), true);
  }

  close(code?: number, reason = ''): void {
    this.#sender.close(code, reason, true);
  }

  /** Sends bytes that need not form a frame. */
  write(bytes: Uint8Array): boolean {
    return this.#stream.write(bytes);
  }

  end(): void {
    this.#stream.end();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  cut(): void {
    this.accepted.cut();
  }

  get isDeflated(): boolean {
    return this.#deflate !== null;
  }
}

function agreed(field: string | string[] | undefined): PerMessageDeflate | null {
  if (field === undefined) return null;
  const params = extension.parse(String(field))[PerMessageDeflate.extensionName];
  const deflate = new PerMessageDeflate({ isServer: false, maxPayload: 0, threshold: 0 });
  deflate.accept(params ?? []);
  return deflate;
}
