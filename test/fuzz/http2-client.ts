/** The client's end of a connection on which anything may have been sent. It only parses what comes back. */
import type { Socket } from 'node:net';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { HpackDecoder } from '../../runtime/http2/hpack/decoder.ts';
import { type Frame, parseFrames } from '../http2/frames.ts';

export interface Response {
  status: number;
  content: string;
  /** END_STREAM has arrived. */
  ended: boolean;
  /** The code of a RST_STREAM; -1: there was none. */
  resetCode: number;
}

export class Http2Client {
  readonly socket: Socket;
  readonly responses = new Map<number, Response>();
  /** The code of the last GOAWAY; -1: there was none. */
  goawayCode = -1;
  isClosed = false;
  /** Received bytes that are not HTTP/2. */
  fault: string | null = null;
  #wake: (() => void) | null = null;
  #rest: Buffer = Buffer.alloc(0);
  #block: Buffer[] = [];
  readonly #decoder = new HpackDecoder({
    maxTableBytes: 4096,
    maxFieldListBytes: 1 << 20,
    maxFieldLines: 1000,
  });

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {
      // A reset because of what we sent: 'close' follows.
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake?.();
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#read(Buffer.concat([this.#rest, chunk]));
      } catch (error) {
        this.fault ??= String(error);
      }
      this.#wake?.();
    });
  }

  /** Something more has arrived, or the connection is closed. */
  news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #read(bytes: Buffer): void {
    let at = 0;
    while (at + 9 <= bytes.length) {
      const end = at + 9 + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      for (const frame of parseFrames(bytes.subarray(at, end))) this.#take(frame);
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }

  #take({ type, flags, id, payload }: Frame): void {
    if (type === FrameType.Goaway) this.goawayCode = payload.readUInt32BE(4);
    if (type === FrameType.Headers || type === FrameType.Continuation) {
      this.#block.push(payload);
      if ((flags & Flag.EndHeaders) !== 0) this.#head(id);
    }
    const response = this.responses.get(id);
    if (type === FrameType.Data) {
      if (response === undefined) throw new Error(`DATA without HEADERS on stream ${id}`);
      response.content += payload.toString('latin1');
    }
    if (type === FrameType.RstStream) this.#response(id).resetCode = payload.readUInt32BE(0);
    if ((type === FrameType.Data || type === FrameType.Headers) && (flags & Flag.EndStream) !== 0) {
      this.#response(id).ended = true;
    }
  }

  #head(id: number): void {
    const block = Buffer.concat(this.#block);
    this.#block = [];
    const fields: string[] = [];
    const result = this.#decoder.decode(block, 0, block.length, fields);
    if (result !== 0) throw new Error(`a field block that gives ${result}`);
    const status = fields[0] === ':status' ? Number(fields[1]) : 0;
    if (status >= 200) this.#response(id).status = status;
  }

  #response(id: number): Response {
    let response = this.responses.get(id);
    if (response === undefined) {
      response = { status: 0, content: '', ended: false, resetCode: -1 };
      this.responses.set(id, response);
    }
    return response;
  }
}
