/**
 * Frame types, flags, and what the nine-byte head alone decides (RFC 9113 sections 4.1 and 6).
 *
 * A frame is checked here before a byte of its payload is kept, so a peer cannot make the server hold what it
 * would refuse.
 */
import { ErrorCode } from './errors.ts';

export const FrameType = {
  Data: 0x0,
  Headers: 0x1,
  Priority: 0x2,
  RstStream: 0x3,
  Settings: 0x4,
  PushPromise: 0x5,
  Ping: 0x6,
  Goaway: 0x7,
  WindowUpdate: 0x8,
  Continuation: 0x9,
} as const;

/** Types from here on are unknown and ignored (RFC 9113 section 5.5). They share one counter. */
export const UnknownFrameType = 0xa;

/** RFC 9218 section 7.1: above `UnknownFrameType`, and counted with the unknown types. */
export const priorityUpdateType = 0x10;

export const Flag = {
  EndStream: 0x1,
  Ack: 0x1,
  EndHeaders: 0x4,
  Padded: 0x8,
  Priority: 0x20,
} as const;

export const frameHeadBytes = 9;
/** SETTINGS_MAX_FRAME_SIZE until either side announces another value (RFC 9113 section 6.5.2). */
export const initialMaxFrameBytes = 16_384;
/** The window of every stream and of the connection until it is changed (RFC 9113 section 6.9.2). */
export const initialWindowBytes = 65_535;
/** 2^31-1: the largest stream id, window and increment. */
export const maxInt31 = 0x7fff_ffff;

interface HeadRule {
  readonly name: string;
  /** `connection`: stream id 0 only. `stream`: any other id only. */
  readonly on: 'connection' | 'stream' | 'either';
  readonly minBytes: number;
  readonly maxBytes: number;
}

const any = Number.POSITIVE_INFINITY;
/**
 * Indexed by frame type. The receiver checks the length of PRIORITY, because a wrong one is only a stream
 * error (6.3).
 */
const headRules: readonly HeadRule[] = [
  { name: 'DATA', on: 'stream', minBytes: 0, maxBytes: any },
  { name: 'HEADERS', on: 'stream', minBytes: 0, maxBytes: any },
  { name: 'PRIORITY', on: 'stream', minBytes: 0, maxBytes: any },
  { name: 'RST_STREAM', on: 'stream', minBytes: 4, maxBytes: 4 },
  { name: 'SETTINGS', on: 'connection', minBytes: 0, maxBytes: any },
  { name: 'PUSH_PROMISE', on: 'stream', minBytes: 0, maxBytes: any },
  { name: 'PING', on: 'connection', minBytes: 8, maxBytes: 8 },
  { name: 'GOAWAY', on: 'connection', minBytes: 8, maxBytes: any },
  { name: 'WINDOW_UPDATE', on: 'either', minBytes: 4, maxBytes: 4 },
  { name: 'CONTINUATION', on: 'stream', minBytes: 0, maxBytes: any },
];

export function frameName(type: number): string {
  return type < UnknownFrameType ? headRules[type].name : 'unknown';
}

/** @returns the connection error that this head causes, or NoError */
export function judgeFrameHead(type: number, flags: number, streamId: number, payloadBytes: number): number {
  if (type >= UnknownFrameType) return ErrorCode.NoError;
  const rule = headRules[type];
  if (payloadBytes < rule.minBytes || payloadBytes > rule.maxBytes) return ErrorCode.FrameSizeError;
  if (streamId === 0 ? rule.on === 'stream' : rule.on === 'connection') return ErrorCode.ProtocolError;
  if (type === FrameType.Settings) {
    const wanted = (flags & Flag.Ack) !== 0 ? payloadBytes === 0 : payloadBytes % 6 === 0;
    if (!wanted) return ErrorCode.FrameSizeError;
  }
  // A padded or prioritised frame must at least contain those fields (6.1, 6.2).
  if (
    (type === FrameType.Data || type === FrameType.Headers) &&
    (flags & (Flag.Padded | Flag.Priority)) !== 0
  ) {
    const prefix =
      ((flags & Flag.Padded) !== 0 ? 1 : 0) +
      (type === FrameType.Headers && (flags & Flag.Priority) !== 0 ? 5 : 0);
    if (payloadBytes < prefix) return ErrorCode.FrameSizeError;
  }
  return ErrorCode.NoError;
}

/** Reads four bytes without the reserved highest bit. */
export function readUint31(bytes: Uint8Array, at: number): number {
  return ((bytes[at] & 0x7f) << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return readUint31(bytes, at) + (bytes[at] >= 0x80 ? 0x8000_0000 : 0);
}
