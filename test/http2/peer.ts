/** An engine with a peer that tests drive by hand: a manual clock, recorded events, parsed output. */

import { OutputBuffers } from '../../runtime/bytes/output-buffers.ts';
import type { Abuse } from '../../runtime/http2/counters.ts';
import { Http2Engine } from '../../runtime/http2/engine.ts';
import type { ClosedBy, EngineEvents, StreamRefusal } from '../../runtime/http2/events.ts';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { HpackDecoder } from '../../runtime/http2/hpack/decoder.ts';
import { type Http2Overrides, http2Options } from '../../runtime/http2/options.ts';
import type { Http2Stream } from '../../runtime/http2/stream.ts';
import { passing } from '../bytes/passing.ts';
import { type Frame, parseFrames, preface, settings, settingsAck } from './frames.ts';

/** An event as a short line: `request 1 GET / end`, `data 1 abc`, `close 1 complete 0`… */
export type Line = string;

/** The behaviour of a test's application. Each member may be absent. */
export type Handlers = Partial<EngineEvents>;

export class Peer implements EngineEvents {
  readonly engine: Http2Engine;
  readonly buffers = new OutputBuffers(65_536, 8);
  readonly lines: Line[] = [];
  readonly streams = new Map<number, Http2Stream>();
  /** Request content per stream. */
  readonly content = new Map<number, Buffer[]>();
  readonly sentBytes = new Map<number, number>();
  readonly #handlers: Handlers;
  readonly #decoder = new HpackDecoder({
    maxTableBytes: 4096,
    maxFieldListBytes: 1 << 24,
    maxFieldLines: 1 << 16,
  });
  nowMs = 1000;

  constructor(overrides: Http2Overrides = {}, handlers: Handlers = {}) {
    this.#handlers = handlers;
    this.engine = new Http2Engine(this, http2Options(overrides), this.buffers, this.nowMs);
  }

  /** A peer after the handshake; the server's own first frames have been taken. */
  static open(overrides: Http2Overrides = {}, handlers: Handlers = {}, ...entries: number[]): Peer {
    const peer = new Peer(overrides, handlers);
    peer.send(preface, settings(...entries), settingsAck);
    peer.take();
    return peer;
  }

  send(...parts: Uint8Array[]): void {
    passing(Buffer.concat(parts), (chunk) => this.engine.receive(chunk, this.nowMs));
  }

  /** Everything that leaves now; the socket takes it at once. */
  take(): Frame[] {
    const parts: Buffer[] = [];
    for (let chunk = this.engine.takeOutput(); chunk !== null; chunk = this.engine.takeOutput()) {
      parts.push(Buffer.from(chunk.buffer.subarray(0, chunk.length)));
      this.engine.sent(chunk.length);
      this.buffers.release(chunk);
    }
    return parseFrames(Buffer.concat(parts));
  }

  /** Sends, and returns what came back, as short lines. */
  exchange(...parts: Uint8Array[]): string[] {
    this.send(...parts);
    return this.output();
  }

  output(): string[] {
    return this.take().map((frame) => this.describe(frame));
  }

  describe(frame: Frame): string {
    const { type, flags, id, payload } = frame;
    const end = (flags & Flag.EndStream) !== 0 ? ' end' : '';
    switch (type) {
      case FrameType.Data:
        return `DATA ${id} ${payload.length}${end}`;
      case FrameType.Headers:
        return `HEADERS ${id}${end} ${(flags & Flag.EndHeaders) !== 0 ? this.fields(payload).join(' ') : '…'}`;
      case FrameType.RstStream:
        return `RST_STREAM ${id} ${payload.readUInt32BE(0)}`;
      case FrameType.Settings:
        return (flags & Flag.Ack) !== 0 ? 'SETTINGS ack' : `SETTINGS ${payload.toString('hex')}`;
      case FrameType.PushPromise:
        return `PUSH_PROMISE ${id} ${payload.readUInt32BE(0)} ${(flags & Flag.EndHeaders) !== 0 ? this.fields(payload.subarray(4)).join(' ') : '…'}`;
      case FrameType.Ping:
        return `PING ${(flags & Flag.Ack) !== 0 ? 'ack ' : ''}${payload.toString('latin1')}`;
      case FrameType.Goaway:
        return `GOAWAY ${payload.readUInt32BE(0)} ${payload.readUInt32BE(4)}`;
      case FrameType.WindowUpdate:
        return `WINDOW_UPDATE ${id} ${payload.readUInt32BE(0)}`;
      default:
        return `${type} ${id} ${payload.length}`;
    }
  }

  /** Decodes a block of the server's; blocks must be decoded in order. */
  fields(block: Uint8Array): string[] {
    const out: string[] = [];
    if (this.#decoder.decode(block, 0, block.length, out) !== 0) throw new Error('the block is broken');
    return out;
  }

  stream(id: number): Http2Stream {
    const stream = this.streams.get(id);
    if (stream === undefined) throw new Error(`no request on stream ${id}`);
    return stream;
  }

  contentOf(id: number): string {
    return Buffer.concat(this.content.get(id) ?? []).toString('latin1');
  }

  onRequest(stream: Http2Stream, endStream: boolean): void {
    this.streams.set(stream.id, stream);
    this.lines.push(`request ${stream.id} ${stream.method} ${stream.path}${endStream ? ' end' : ''}`);
    this.#handlers.onRequest?.(stream, endStream);
  }

  onData(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    const pieces = this.content.get(stream.id) ?? [];
    pieces.push(Buffer.from(bytes.subarray(start, end)));
    this.content.set(stream.id, pieces);
    this.lines.push(`data ${stream.id} ${end - start}${endStream ? ' end' : ''}`);
    this.#handlers.onData?.(stream, bytes, start, end, endStream);
  }

  onTrailers(stream: Http2Stream, fields: string[]): void {
    this.lines.push(`trailers ${stream.id} ${fields.join(' ')}`);
    this.#handlers.onTrailers?.(stream, fields);
  }

  onSent(stream: Http2Stream, bytes: number): void {
    this.sentBytes.set(stream.id, (this.sentBytes.get(stream.id) ?? 0) + bytes);
    this.#handlers.onSent?.(stream, bytes);
  }

  onClose(stream: Http2Stream, by: ClosedBy, code: number): void {
    this.lines.push(`close ${stream.id} ${by} ${code}`);
    this.#handlers.onClose?.(stream, by, code);
  }

  onRefused(refusal: StreamRefusal, why: string): void {
    this.#handlers.onRefused?.(refusal, why);
  }

  onAbuse(abuse: Abuse): void {
    this.#handlers.onAbuse?.(abuse);
  }

  onGoaway(lastStreamId: number, code: number): void {
    this.lines.push(`goaway ${lastStreamId} ${code}`);
    this.#handlers.onGoaway?.(lastStreamId, code);
  }
}
