/**
 * An independent HPACK implementation to check against: nghttp2, inside `node:http2`. A raw socket stands on the other
 * side, so the test has field blocks in its hands.
 *
 * Every step waits for the peer's frame or event before the next begins, so a run has one order of events.
 */
import { once } from 'node:events';
import http2 from 'node:http2';
import net, { type AddressInfo, type Socket } from 'node:net';

const FrameType = { Headers: 1, Settings: 4, Continuation: 9 } as const;
const END_STREAM = 0x1;
const ACK = 0x1;
const END_HEADERS = 0x4;
const PADDED_OR_PRIORITY = 0x28;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const MAX_FRAME_BYTES = 16_384;
const SETTINGS_HEADER_TABLE_SIZE = 1;
const SETTINGS_MAX_HEADER_LIST_SIZE = 6;
const HEADER_LIST_BYTES = 1 << 20;

interface Frame {
  type: number;
  flags: number;
  streamId: number;
  payload: Buffer;
}

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

function settingsFrame(settings: Record<number, number>): Buffer {
  const payload = Object.entries(settings).map(([id, value]) => {
    const entry = Buffer.alloc(6);
    entry.writeUInt16BE(Number(id), 0);
    entry.writeUInt32BE(value, 2);
    return entry;
  });
  return frame(FrameType.Settings, 0, 0, Buffer.concat(payload));
}

/** HEADERS and as many CONTINUATION frames as the block needs. */
function blockFrames(streamId: number, block: Uint8Array, endStream: boolean): Buffer {
  const frames: Buffer[] = [];
  for (let start = 0; start === 0 || start < block.length; start += MAX_FRAME_BYTES) {
    const last = start + MAX_FRAME_BYTES >= block.length;
    const flags = (last ? END_HEADERS : 0) | (start === 0 && endStream ? END_STREAM : 0);
    const type = start === 0 ? FrameType.Headers : FrameType.Continuation;
    frames.push(frame(type, flags, streamId, block.subarray(start, start + MAX_FRAME_BYTES)));
  }
  return Buffer.concat(frames);
}

/** The raw side of a connection: acknowledges the peer's settings, hands out its field blocks. */
export class RawPeer implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #close: () => void;
  #unread = Buffer.alloc(0);
  #prefaceBytes: number;
  #frames: Frame[] = [];
  #arrived: () => void = () => {};
  /** The peer's SETTINGS_HEADER_TABLE_SIZE, in force since we have acknowledged it. */
  peerTableBytes = 4096;

  constructor(socket: Socket, prefaceBytes: number, close: () => void) {
    this.#socket = socket;
    this.#prefaceBytes = prefaceBytes;
    this.#close = close;
    // Small frames in both directions, one waiting for the other: Nagle's algorithm would add 40 ms to each.
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    // The end of a test resets connections; what matters has been awaited by then.
    socket.on('error', () => {});
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  sendBlock(streamId: number, block: Uint8Array, endStream: boolean): void {
    this.write(blockFrames(streamId, block, endStream));
  }

  /** Sends our table size and waits until the peer has acknowledged it. */
  async setTableBytes(bytes: number): Promise<void> {
    this.write(
      settingsFrame({
        [SETTINGS_HEADER_TABLE_SIZE]: bytes,
        [SETTINGS_MAX_HEADER_LIST_SIZE]: HEADER_LIST_BYTES,
      }),
    );
    while ((await this.#next()).type !== FrameType.Settings);
  }

  /** The peer's next field block, whole, and its stream. */
  async block(): Promise<{ streamId: number; block: Buffer }> {
    const parts: Buffer[] = [];
    for (;;) {
      const { flags, payload, streamId, type } = await this.#next();
      if (type !== FrameType.Headers && type !== FrameType.Continuation) continue;
      if (type === FrameType.Headers && (flags & PADDED_OR_PRIORITY) !== 0)
        throw new Error('only plain HEADERS');
      parts.push(payload);
      if ((flags & END_HEADERS) !== 0) return { streamId, block: Buffer.concat(parts) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    this.#close();
  }

  #receive(chunk: Buffer): void {
    const skipped = Math.min(this.#prefaceBytes, chunk.length);
    this.#prefaceBytes -= skipped;
    this.#unread = Buffer.concat([this.#unread, chunk.subarray(skipped)]);
    while (this.#unread.length >= 9) {
      const end = 9 + this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < end) break;
      this.#accept({
        type: this.#unread[3],
        flags: this.#unread[4],
        streamId: this.#unread.readUInt32BE(5),
        payload: this.#unread.subarray(9, end),
      });
      this.#unread = this.#unread.subarray(end);
    }
  }

  #accept(received: Frame): void {
    if (received.type === FrameType.Settings && (received.flags & ACK) === 0) {
      for (let at = 0; at < received.payload.length; at += 6) {
        if (received.payload.readUInt16BE(at) !== SETTINGS_HEADER_TABLE_SIZE) continue;
        this.peerTableBytes = received.payload.readUInt32BE(at + 2);
      }
      this.write(frame(FrameType.Settings, ACK, 0, Buffer.alloc(0)));
      return;
    }
    this.#frames.push(received);
    this.#arrived();
  }

  async #next(): Promise<Frame> {
    for (;;) {
      const received = this.#frames.shift();
      if (received !== undefined) return received;
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }
}

/** A `node:http2` client, and the raw server that it talks to. */
export async function nodeClient(): Promise<{ client: http2.ClientHttp2Session; raw: RawPeer }> {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    settings: { maxHeaderListSize: HEADER_LIST_BYTES, enablePush: false },
    maxSendHeaderBlockLength: HEADER_LIST_BYTES,
  });
  client.on('error', () => {});
  const [socket] = (await accepted) as [Socket];
  const raw = new RawPeer(socket, PREFACE.length, () => {
    client.destroy();
    server.close();
  });
  await raw.setTableBytes(4096);
  return { client, raw };
}

/** The `node:http2` session of a server, and the raw client that talks to it. */
export async function nodeServer(): Promise<{ session: http2.ServerHttp2Session; raw: RawPeer }> {
  const server = http2.createServer({
    settings: { maxHeaderListSize: HEADER_LIST_BYTES },
    maxSendHeaderBlockLength: HEADER_LIST_BYTES,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'session');
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const raw = new RawPeer(socket, 0, () => server.close());
  raw.write(Buffer.from(PREFACE, 'latin1'));
  const [session] = (await accepted) as [http2.ServerHttp2Session];
  session.on('error', () => {});
  await raw.setTableBytes(4096);
  return { session, raw };
}
