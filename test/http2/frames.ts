/**
 * The peer's side for tests: frames built and parsed byte by byte. It shares only names of types and codes
 * with the engine, and its HPACK is plain literals, so a mistake in the engine is not repeated here.
 */
import { Flag, FrameType } from '../../runtime/http2/frames.ts';

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** A frame as the tests read it. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  id: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

/** Only the header, announcing `length`. */
export function frameHead(type: number, flags: number, id: number, length: number): Buffer {
  const head = frame(type, flags, id);
  head.writeUIntBE(length, 0, 3);
  return head;
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * index);
  return bytes;
}

/** name, value, name, value… as literals without indexing and without Huffman (RFC 7541 section 6.2.2). */
export function fieldBlock(fields: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    parts.push(Buffer.from([0]), hpackString(fields[i]), hpackString(fields[i + 1]));
  }
  return Buffer.concat(parts);
}

function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  while (rest >= 128) {
    length.push((rest & 127) | 128);
    rest >>>= 7;
  }
  length.push(rest);
  return Buffer.concat([Buffer.from(length), bytes]);
}

export interface HeadersOptions {
  readonly endStream?: boolean;
  readonly endHeaders?: boolean;
  /** Pad Length; without it the frame is not padded. */
  readonly padBytes?: number;
  /** The stream that it depends on; without it there is no priority. */
  readonly dependsOn?: number;
}

/** HEADERS with an encoded block. */
export function headersOf(id: number, block: Uint8Array, options: HeadersOptions = {}): Buffer {
  const { endStream = false, endHeaders = true, padBytes, dependsOn } = options;
  let flags = (endStream ? Flag.EndStream : 0) | (endHeaders ? Flag.EndHeaders : 0);
  const parts: Uint8Array[] = [];
  if (padBytes !== undefined) {
    flags |= Flag.Padded;
    parts.push(Buffer.from([padBytes]));
  }
  if (dependsOn !== undefined) {
    flags |= Flag.Priority;
    parts.push(uint32(dependsOn), Buffer.from([16]));
  }
  parts.push(block, Buffer.alloc(padBytes ?? 0));
  return frame(FrameType.Headers, flags, id, Buffer.concat(parts));
}

export function headers(id: number, fields: readonly string[], options: HeadersOptions = {}): Buffer {
  return headersOf(id, fieldBlock(fields), options);
}

export const getFields: readonly string[] = [
  ':method',
  'GET',
  ':scheme',
  'http',
  ':authority',
  'example.test',
  ':path',
  '/',
];
export const postFields: readonly string[] = [':method', 'POST', ...getFields.slice(2)];

/** A request without content. */
export function get(id: number, ...more: string[]): Buffer {
  return headers(id, [...getFields, ...more], { endStream: true });
}

/** The head of a request whose content follows. */
export function post(id: number, ...more: string[]): Buffer {
  return headers(id, [...postFields, ...more]);
}

export function continuation(id: number, block: Uint8Array, endHeaders: boolean): Buffer {
  return frame(FrameType.Continuation, endHeaders ? Flag.EndHeaders : 0, id, block);
}

export function data(id: number, content: Uint8Array | string, endStream = false, padBytes?: number): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const end = endStream ? Flag.EndStream : 0;
  if (padBytes === undefined) return frame(FrameType.Data, end, id, bytes);
  const payload = Buffer.concat([Buffer.from([padBytes]), bytes, Buffer.alloc(padBytes)]);
  return frame(FrameType.Data, end | Flag.Padded, id, payload);
}

/** id, value, id, value… */
export function settings(...entries: number[]): Buffer {
  const payload = Buffer.alloc(3 * entries.length);
  for (let i = 0; i < entries.length; i += 2) {
    payload.writeUInt16BE(entries[i], 3 * i);
    payload.writeUInt32BE(entries[i + 1], 3 * i + 2);
  }
  return frame(FrameType.Settings, 0, 0, payload);
}

export const settingsAck = frame(FrameType.Settings, Flag.Ack, 0);

export function rstStream(id: number, code: number): Buffer {
  return frame(FrameType.RstStream, 0, id, uint32(code));
}

export function windowUpdate(id: number, increment: number): Buffer {
  return frame(FrameType.WindowUpdate, 0, id, uint32(increment));
}

export function ping(text = '12345678', ack = false): Buffer {
  return frame(FrameType.Ping, ack ? Flag.Ack : 0, 0, Buffer.from(text, 'latin1'));
}

export function goaway(lastStreamId: number, code: number): Buffer {
  return frame(FrameType.Goaway, 0, 0, uint32(lastStreamId, code));
}

export function priority(id: number, dependsOn: number): Buffer {
  return frame(FrameType.Priority, 0, id, Buffer.concat([uint32(dependsOn), Buffer.from([16])]));
}

/** Parses whole frames; throws for a broken one, since the engine must not write any. */
export function parseFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    if (at + 9 + length > bytes.length) throw new Error('the output ends inside a frame');
    frames.push({
      type: bytes[at + 3],
      flags: bytes[at + 4],
      id: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}
