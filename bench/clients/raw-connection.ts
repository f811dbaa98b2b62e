/**
 * An HTTP/2 client connection over a bare socket, for behaviour that no library allows: it never sends a
 * WINDOW_UPDATE, and a connection costs this process a few kilobytes. It reads only as much of RFC 9113 as it
 * must.
 */
import { createConnection, type Socket } from 'node:net';

const FrameType = {
  Data: 0,
  Headers: 1,
  ResetStream: 3,
  Settings: 4,
  Ping: 6,
  Goaway: 7,
  WindowUpdate: 8,
} as const;
const ACK = 0x1;
const END_HEADERS = 0x4;
const HEAD_BYTES = 9;
const SETTINGS_INITIAL_WINDOW_SIZE = 4;
/** RFC 9113 section 6.9.2: the windows before any SETTINGS or WINDOW_UPDATE. */
const DEFAULT_WINDOW_BYTES = 65_535;

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export interface RawEvents {
  /** The server's SETTINGS have arrived and were acknowledged: the connection is open. */
  onOpen(connection: RawConnection): void;
  onResponse(connection: RawConnection, streamId: number): void;
  /** There may be room to send: the connection was opened or a window grew. */
  onWindow(connection: RawConnection): void;
  /** The server has ended a stream or the connection, or the socket has ended. */
  onFailure(reason: string): void;
}

export class RawConnection {
  readonly #socket: Socket;
  readonly #events: RawEvents;
  #unread: Buffer = Buffer.alloc(0);
  #isOpen = false;
  /** What the server still accepts from this side, on the connection and on a new stream. */
  connectionWindow = DEFAULT_WINDOW_BYTES;
  initialStreamWindow = DEFAULT_WINDOW_BYTES;
  /** Stream id → bytes granted beyond the initial window. */
  readonly streamGrants = new Map<number, number>();

  constructor(port: number, localAddress: string, events: RawEvents) {
    this.#events = events;
    this.#socket = createConnection({ host: '127.0.0.1', port, localAddress });
    this.#socket.on('connect', () =>
      this.#socket.write(Buffer.concat([preface, frame(FrameType.Settings, 0, 0, '')])),
    );
    this.#socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.#socket.on('error', (error) => events.onFailure(String(error)));
    this.#socket.on('close', () => events.onFailure('the server closed the connection'));
  }

  /** Sends a request's head; the stream stays open on this side. The path must be under 127 bytes. */
  request(streamId: number, method: 'GET' | 'POST', path: string): void {
    // RFC 7541: indexed :method and :scheme http, then :authority and :path as literals without indexing.
    const block = `${method === 'GET' ? '\x82' : '\x83'}\x86\x01\x05bench\x04${String.fromCharCode(path.length)}${path}`;
    this.#socket.write(frame(FrameType.Headers, END_HEADERS, streamId, block));
  }

  data(streamId: number, bytes: number): void {
    this.connectionWindow -= bytes;
    this.#socket.write(frame(FrameType.Data, 0, streamId, '\0'.repeat(bytes)));
  }

  #receive(bytes: Buffer): void {
    const input = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    let offset = 0;
    while (input.length - offset >= HEAD_BYTES) {
      const end = offset + HEAD_BYTES + input.readUIntBE(offset, 3);
      if (end > input.length) break;
      const streamId = input.readUInt32BE(offset + 5);
      this.#onFrame(input[offset + 3], input[offset + 4], streamId, input.subarray(offset + HEAD_BYTES, end));
      offset = end;
    }
    // A copy, because the rest of a frame would keep the socket's whole buffer alive.
    this.#unread = Buffer.from(input.subarray(offset));
  }

  #onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (type === FrameType.Settings && (flags & ACK) === 0) this.#onSettings(payload);
    else if (type === FrameType.Headers) this.#events.onResponse(this, streamId);
    else if (type === FrameType.WindowUpdate) this.#onWindowUpdate(streamId, payload.readUInt32BE(0));
    else if (type === FrameType.Ping && (flags & ACK) === 0) {
      this.#socket.write(frame(FrameType.Ping, ACK, 0, payload.toString('latin1')));
    } else if (type === FrameType.ResetStream) {
      this.#events.onFailure(`the server reset stream ${streamId} with code ${payload.readUInt32BE(0)}`);
    } else if (type === FrameType.Goaway) {
      const debug = payload.toString('latin1', 8);
      this.#events.onFailure(`the server said GOAWAY with code ${payload.readUInt32BE(4)} ${debug}`);
    }
  }

  #onSettings(payload: Buffer): void {
    for (let offset = 0; offset + 6 <= payload.length; offset += 6) {
      if (payload.readUInt16BE(offset) === SETTINGS_INITIAL_WINDOW_SIZE) {
        this.initialStreamWindow = payload.readUInt32BE(offset + 2);
      }
    }
    this.#socket.write(frame(FrameType.Settings, ACK, 0, ''));
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#events.onOpen(this);
    }
    this.#events.onWindow(this);
  }

  #onWindowUpdate(streamId: number, bytes: number): void {
    if (streamId === 0) this.connectionWindow += bytes;
    else this.streamGrants.set(streamId, (this.streamGrants.get(streamId) ?? 0) + bytes);
    if (this.#isOpen) this.#events.onWindow(this);
  }
}

function frame(type: number, flags: number, streamId: number, payload: string): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  bytes.write(payload, HEAD_BYTES, 'latin1');
  return bytes;
}
