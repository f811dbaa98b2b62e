/**
 * An HTTP/2 client that sends exactly the frames it is told to and grants no window of its own accord: for peers that
 * misbehave, stall or go away. It acknowledges SETTINGS and PING.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Flag, FrameType, frameHeadBytes } from '../../runtime/http2/frames.ts';
import { HpackDecoder } from '../../runtime/http2/hpack/decoder.ts';
import type { Scope } from './harness.ts';

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | string = '',
): Buffer {
  const content = Buffer.from(payload);
  const bytes = Buffer.alloc(frameHeadBytes + content.length);
  bytes.writeUIntBE(content.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  content.copy(bytes, frameHeadBytes);
  return bytes;
}

/** The frames that these bytes consist of; what is cut off at the end is left out. */
export function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + frameHeadBytes <= bytes.length; ) {
    const end = at + frameHeadBytes + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const payload = bytes.subarray(at + frameHeadBytes, end);
    frames.push({ type: bytes[at + 3], flags: bytes[at + 4], streamId: bytes.readUInt32BE(at + 5), payload });
    at = end;
  }
  return frames;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A field block of literals that leave the dynamic table alone (RFC 7541 section 6.2.2); strings up to 126 octets. */
export function fieldBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) =>
      Buffer.concat([
        Buffer.from([0, name.length]),
        Buffer.from(name),
        Buffer.from([value.length]),
        Buffer.from(value),
      ]),
    ),
  );
}

export function requestHead(
  method: string,
  path: string,
  more: Readonly<Record<string, string>> = {},
  authority = 'test.invalid',
): Buffer {
  return fieldBlock([
    [':method', method],
    [':scheme', 'http'],
    [':authority', authority],
    [':path', path],
    ...Object.entries(more),
  ]);
}

export const headers = (streamId: number, block: Uint8Array, endStream: boolean): Buffer =>
  frame(FrameType.Headers, Flag.EndHeaders | (endStream ? Flag.EndStream : 0), streamId, block);
export const data = (streamId: number, content: Uint8Array | string, endStream = false): Buffer =>
  frame(FrameType.Data, endStream ? Flag.EndStream : 0, streamId, content);
export const rstStream = (streamId: number, code: number): Buffer =>
  frame(FrameType.RstStream, 0, streamId, word(code));
export const windowUpdate = (streamId: number, increment: number): Buffer =>
  frame(FrameType.WindowUpdate, 0, streamId, word(increment));
export const ping = (payload: string): Buffer => frame(FrameType.Ping, 0, 0, payload);

/** The RFC 9113 section 7 code that a RST_STREAM or a GOAWAY carries. */
export function errorCode({ type, payload }: Frame): number {
  return payload.readUInt32BE(type === FrameType.Goaway ? 4 : 0);
}

export interface RawOptions {
  /** SETTINGS of the client: identifier → value. */
  readonly settings?: Readonly<Record<number, number>>;
  /** False: frames are counted and shown to `onFrame`, and not kept. */
  readonly keep?: boolean;
  /** False: nothing at all is read after the connection is made, so that the socket's buffers fill. */
  readonly reads?: boolean;
}

export class RawHttp2 {
  readonly socket: Socket;
  /** Every frame that came, in order. */
  readonly frames: Frame[] = [];
  onFrame: (frame: Frame) => void = () => undefined;
  /** Content of all DATA frames so far. */
  dataBytes = 0;
  readonly closed: Promise<unknown>;
  readonly #keep: boolean;
  readonly #decoder = new HpackDecoder({
    maxTableBytes: 4096,
    maxFieldListBytes: 65_536,
    maxFieldLines: 256,
  });
  #waiting: { readonly wanted: (frame: Frame) => boolean; readonly resolve: (frame: Frame) => void }[] = [];
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, keep: boolean) {
    this.socket = socket;
    this.#keep = keep;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  /** @param to a port, or the path of a Unix domain socket */
  static async connect(scope: Scope, to: number | string, options: RawOptions = {}): Promise<RawHttp2> {
    const socket = connect(
      typeof to === 'string' ? { path: to } : { port: to, host: '127.0.0.1', noDelay: true },
    );
    scope.teardown(() => socket.destroy());
    const connection = new RawHttp2(socket, options.keep ?? true);
    if (options.reads === false) socket.pause();
    await once(socket, 'connect');
    const settings = Object.entries(options.settings ?? {}).map(([id, value]) => {
      const bytes = Buffer.alloc(6);
      bytes.writeUInt16BE(Number(id));
      bytes.writeUInt32BE(value, 2);
      return bytes;
    });
    connection.send(PREFACE, frame(FrameType.Settings, 0, 0, Buffer.concat(settings)));
    return connection;
  }

  send(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The first frame, come already or still to come, that is wanted. */
  until(wanted: (frame: Frame) => boolean): Promise<Frame> {
    const found = this.frames.find(wanted);
    if (found !== undefined) return Promise.resolve(found);
    const { promise, resolve } = Promise.withResolvers<Frame>();
    this.#waiting.push({ wanted, resolve });
    return promise;
  }

  untilFrame(type: number, streamId: number): Promise<Frame> {
    return this.until((frame) => frame.type === type && frame.streamId === streamId);
  }

  /** What the head of a response or a trailer section says; to be called once for each, in order. */
  decode({ payload }: Frame): ReadonlyMap<string, string> {
    const flat: string[] = [];
    this.#decoder.decode(payload, 0, payload.length, flat);
    return new Map(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]));
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= frameHeadBytes) {
      const end = frameHeadBytes + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      const payload = bytes.subarray(frameHeadBytes, end);
      this.#take({ type: bytes[3], flags: bytes[4], streamId: bytes.readUInt32BE(5), payload });
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
  }

  #take(frame: Frame): void {
    const { type, flags, payload } = frame;
    if (type === FrameType.Data) this.dataBytes += payload.length;
    if (type === FrameType.Settings && (flags & Flag.Ack) === 0) this.#acknowledge(FrameType.Settings, '');
    if (type === FrameType.Ping && (flags & Flag.Ack) === 0) this.#acknowledge(FrameType.Ping, payload);
    if (this.#keep) this.frames.push(frame);
    this.onFrame(frame);
    this.#waiting = this.#waiting.filter(({ wanted, resolve }) => {
      if (!wanted(frame)) return true;
      resolve(frame);
      return false;
    });
  }

  #acknowledge(type: number, payload: Uint8Array | string): void {
    this.send(frame(type, Flag.Ack, 0, payload));
  }
}
