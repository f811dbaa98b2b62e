/**
 * What frames mean: each is checked against RFC 9113 and turned into an event, an answer or an error. Called by the frame
 * reader; ends streams and the connection only through the lifecycle.
 */
import type { EngineCounters } from './counters.ts';
import { ErrorCode } from './errors.ts';
import type { EngineEvents } from './events.ts';
import { FieldBlock } from './field-block.ts';
import { judgeTrailers, readRequestHead } from './field-validation.ts';
import { type FrameSink, HeadVerdict } from './frame-reader.ts';
import type { FrameWriter } from './frame-writer.ts';
import { Flag, FrameType, frameName, judgeFrameHead, UnknownFrameType } from './frames.ts';
import { DecodeResult, type HpackDecoder } from './hpack/decoder.ts';
import type { HpackEncoder } from './hpack/encoder.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Http2Options } from './options.ts';
import type { ReceiveFlow } from './receive-flow.ts';
import type { Sender } from './sender.ts';
import { PeerSettings, SettingId, type SettingsInFlight } from './settings.ts';
import { Http2Stream } from './stream.ts';
import { StreamEffect, StreamInput, StreamState, transition } from './stream-state.ts';
import type { Streams } from './streams.ts';

/** Field lines being decoded. One for all connections: it is empty again before anything else runs. */
const lines: string[] = [];
const fieldsTooLargeFields: readonly string[] = ['content-length', '0'];

/** The parts of an engine that a frame can touch. */
export interface ReceiverParts {
  readonly events: EngineEvents;
  readonly options: Http2Options;
  readonly counters: EngineCounters;
  readonly writer: FrameWriter;
  readonly streams: Streams;
  readonly flow: ReceiveFlow;
  readonly lifecycle: Lifecycle;
  readonly sender: Sender;
  readonly settings: SettingsInFlight;
  readonly decoder: HpackDecoder;
  readonly encoder: HpackEncoder;
}

export class Receiver implements FrameSink {
  readonly #events: EngineEvents;
  readonly #options: Http2Options;
  readonly #counters: EngineCounters;
  readonly #writer: FrameWriter;
  readonly #streams: Streams;
  readonly #flow: ReceiveFlow;
  readonly #lifecycle: Lifecycle;
  readonly #sender: Sender;
  readonly #settings: SettingsInFlight;
  readonly #decoder: HpackDecoder;
  readonly #encoder: HpackEncoder;
  readonly #peer = new PeerSettings();
  #settingsSeen = false;
  /** The field block that CONTINUATIONs are to complete. */
  #block: FieldBlock | null = null;
  /** The stream of the DATA frame being read, while its content is wanted. */
  #dataStream: Http2Stream | null = null;
  #dataEndsStream = false;
  /** PINGs of ours without an answer. */
  unansweredPings = 0;

  constructor(parts: ReceiverParts) {
    this.#events = parts.events;
    this.#options = parts.options;
    this.#counters = parts.counters;
    this.#writer = parts.writer;
    this.#streams = parts.streams;
    this.#flow = parts.flow;
    this.#lifecycle = parts.lifecycle;
    this.#sender = parts.sender;
    this.#settings = parts.settings;
    this.#decoder = parts.decoder;
    this.#encoder = parts.encoder;
  }

  onPreface(): void {
    if (this.#lifecycle.state === 'preface') this.#lifecycle.state = 'open';
  }

  onReadFault(code: number, reason: string): void {
    this.#lifecycle.fail(code, reason);
  }

  onHead(type: number, flags: number, streamId: number, payloadBytes: number): HeadVerdict {
    this.#counters.framesIn[Math.min(type, UnknownFrameType)]++;
    const fault = this.#judgeHead(type, flags, streamId, payloadBytes);
    if (fault !== null) {
      this.#lifecycle.fail(this.#faultCode, fault);
      return HeadVerdict.Skip;
    }
    if (type < UnknownFrameType) return HeadVerdict.Take;
    this.#lifecycle.spend('ignoredFrames', 1);
    return HeadVerdict.Skip;
  }

  #faultCode: number = ErrorCode.NoError;

  /** @returns the reason of a connection error, whose code is in #faultCode, or null. */
  #judgeHead(type: number, flags: number, streamId: number, payloadBytes: number): string | null {
    this.#faultCode = ErrorCode.FrameSizeError;
    if (payloadBytes > this.#settings.inForce.maxFrameBytes) return 'frame exceeds SETTINGS_MAX_FRAME_SIZE';
    this.#faultCode = ErrorCode.ProtocolError;
    if (!this.#settingsSeen && (type !== FrameType.Settings || (flags & Flag.Ack) !== 0)) {
      return 'the preface is not followed by SETTINGS';
    }
    const block = this.#block;
    if (block === null) {
      if (type === FrameType.Continuation) return 'CONTINUATION without a field block';
    } else {
      if (type !== FrameType.Continuation || streamId !== block.streamId) return 'field block interrupted';
      this.#faultCode = ErrorCode.EnhanceYourCalm;
      if (++block.continuations > this.#options.maxContinuationFrames) {
        this.#counters.abuse = 'continuation';
        return 'too many CONTINUATION frames';
      }
    }
    if (type === FrameType.Headers || type === FrameType.Continuation) {
      this.#faultCode = ErrorCode.EnhanceYourCalm;
      if (payloadBytes + (block === null ? 0 : block.length) > this.#options.maxFieldBlockBytes) {
        this.#counters.abuse = 'fieldBlock';
        return 'field block too large';
      }
    }
    this.#faultCode = ErrorCode.ProtocolError;
    if (type === FrameType.PushPromise) return 'PUSH_PROMISE from a client';
    this.#faultCode = judgeFrameHead(type, flags, streamId, payloadBytes);
    if (this.#faultCode === ErrorCode.NoError) return null;
    return this.#faultCode === ErrorCode.FrameSizeError
      ? `${frameName(type)}: wrong length`
      : `${frameName(type)}: wrong stream id`;
  }

  onFrame(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case FrameType.Headers:
        this.#onHeaders(flags, id, bytes, start, end);
        break;
      case FrameType.WindowUpdate:
        this.#onWindowUpdate(id, readUint31(bytes, start));
        break;
      case FrameType.RstStream:
        this.#onRstStream(id, readUint32(bytes, start));
        break;
      case FrameType.Settings:
        if ((flags & Flag.Ack) !== 0) this.#onSettingsAck();
        else this.#onSettings(bytes, start, end);
        break;
      case FrameType.Ping:
        this.#onPing(flags, bytes, start);
        break;
      case FrameType.Continuation:
        this.#onContinuation(flags, bytes, start, end);
        break;
      case FrameType.Priority:
        this.#onPriority(id, bytes, start, end);
        break;
      default:
        // Only GOAWAY is left: the head was judged.
        this.#events.onGoaway(readUint31(bytes, start), readUint32(bytes, start + 4));
        this.#lifecycle.spend('settings', 1);
    }
  }

  // ---- DATA (6.1) ----

  onDataFrame(streamId: number, endStream: boolean, frameBytes: number, contentBytes: number): void {
    this.#dataStream = null;
    if (!this.#flow.receiveOnConnection(frameBytes)) {
      this.#lifecycle.fail(ErrorCode.FlowControlError, 'DATA exceeds the connection window');
      return;
    }
    const input = endStream ? StreamInput.ReceiveDataEnd : StreamInput.ReceiveData;
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      this.#flow.giveBackToConnection(frameBytes);
      this.#onAbsent(streamId, input);
      return;
    }
    const step = transition(stream.state, input);
    if (step.effect !== StreamEffect.Proceed) {
      this.#flow.giveBackToConnection(frameBytes);
      this.#lifecycle.streamError(stream, step.code);
      return;
    }
    if (!this.#flow.receiveOnStream(stream, frameBytes)) {
      this.#flow.giveBackToConnection(frameBytes);
      this.#lifecycle.streamError(stream, ErrorCode.FlowControlError);
      return;
    }
    stream.contentBytes += contentBytes;
    if (this.#breaksContentLength(stream, endStream)) {
      this.#malformed(stream);
      return;
    }
    if (contentBytes === 0 && !endStream && !this.#lifecycle.spend('emptyData', 1)) return;
    if (frameBytes > contentBytes) this.#flow.consume(stream, frameBytes - contentBytes);
    this.#dataStream = stream;
    this.#dataEndsStream = endStream;
  }

  onDataPiece(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const stream = this.#dataStream;
    if (stream === null) return;
    // Reset since the frame began: its bytes have gone back to the connection with the stream.
    if (stream.state >= StreamState.ClosedByEnd) {
      this.#dataStream = null;
      return;
    }
    const ended = last && this.#dataEndsStream;
    if (ended) stream.state = transition(stream.state, StreamInput.ReceiveDataEnd).next;
    if (!stream.requestDropped) {
      if (start < end || ended) this.#events.onData(stream, bytes, start, end, ended);
    } else if (start < end) {
      this.#flow.discard(stream, end - start);
    }
    if (ended && stream.state === StreamState.ClosedByEnd) {
      this.#lifecycle.finish(stream, 'complete', ErrorCode.NoError);
    }
  }

  /** RFC 9113 section 8.1.1: the sum of DATA is what content-length says. */
  #breaksContentLength(stream: Http2Stream, endStream: boolean): boolean {
    const wanted = stream.contentLength;
    if (wanted < 0) return false;
    return endStream ? stream.contentBytes !== wanted : stream.contentBytes > wanted;
  }

  #malformed(stream: Http2Stream): void {
    this.#counters.malformed++;
    this.#lifecycle.streamError(stream, ErrorCode.ProtocolError);
  }

  /** HEADERS, DATA, RST_STREAM or WINDOW_UPDATE on a stream that is not live. */
  #onAbsent(id: number, input: StreamInput): void {
    if (id > this.#lifecycle.promisedId) {
      // Opened after our GOAWAY: ignored, as we said (6.8).
      this.#counters.lateFrames++;
      return;
    }
    const step = transition(this.#streams.stateOfAbsent(id), input);
    if (step.effect === StreamEffect.ConnectionError) {
      this.#lifecycle.fail(step.code, 'frame on an idle or closed stream');
    } else if (step.effect === StreamEffect.StreamError) {
      this.#lifecycle.absentStreamError(id, step.code);
    } else {
      this.#counters.lateFrames++;
    }
  }

  // ---- HEADERS and CONTINUATION (6.2, 6.10) ----

  #onHeaders(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    let padBytes = 0;
    let selfDependent = false;
    if ((flags & Flag.Padded) !== 0) padBytes = bytes[start++];
    if ((flags & Flag.Priority) !== 0) {
      selfDependent = readUint31(bytes, start) === id;
      start += 5;
    }
    if (padBytes > end - start) {
      this.#lifecycle.fail(ErrorCode.ProtocolError, 'HEADERS: padding exceeds the payload');
      return;
    }
    end -= padBytes;
    const endStream = (flags & Flag.EndStream) !== 0;
    if ((flags & Flag.EndHeaders) !== 0) {
      this.#onFieldBlock(id, endStream, selfDependent, bytes, start, end);
    } else {
      this.#block = new FieldBlock(id, endStream, selfDependent, end - start);
      this.#block.append(bytes, start, end);
    }
  }

  #onContinuation(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const block = this.#block as FieldBlock;
    block.append(bytes, start, end);
    if ((flags & Flag.EndHeaders) === 0) return;
    this.#block = null;
    this.#onFieldBlock(block.streamId, block.endStream, block.selfDependent, block.bytes, 0, block.length);
  }

  #onFieldBlock(
    id: number,
    endStream: boolean,
    selfDependent: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    lines.length = 0;
    // Whatever becomes of the message, its block changes the HPACK table (4.3).
    const result = this.#decoder.decode(bytes, start, end, lines);
    if (result === DecodeResult.CompressionError) {
      this.#lifecycle.fail(ErrorCode.CompressionError, 'field block cannot be decoded');
      return;
    }
    const tooLarge = result === DecodeResult.ListTooLarge;
    const stream = this.#streams.get(id);
    if (stream !== undefined) {
      this.#onTrailers(stream, endStream, tooLarge);
      return;
    }
    const input = endStream ? StreamInput.ReceiveHeadersEnd : StreamInput.ReceiveHeaders;
    // Even ids are the server's (5.1.1); an id that was passed over can be opened no more.
    if ((id & 1) === 0 || this.#streams.wasSkipped(id)) {
      this.#lifecycle.fail(ErrorCode.ProtocolError, 'HEADERS: unexpected stream id');
    } else if (id <= this.#streams.lastPeerId || id > this.#lifecycle.promisedId) {
      this.#onAbsent(id, input);
    } else {
      this.#open(id, endStream, selfDependent, tooLarge);
    }
  }

  #open(id: number, endStream: boolean, selfDependent: boolean, tooLarge: boolean): void {
    this.#streams.use(id);
    if (this.#streams.count >= this.#settings.sent.maxConcurrentStreams) {
      this.#counters.refused++;
      this.#lifecycle.absentStreamError(id, ErrorCode.RefusedStream);
      return;
    }
    if (tooLarge) {
      this.#refuseFields(id, endStream);
      return;
    }
    const stream = new Http2Stream(id, this.#sender.streamWindowBytes, this.#sender);
    const malformed =
      selfDependent ||
      readRequestHead(lines, stream, this.#options.enableConnectProtocol) !== null ||
      (endStream && stream.contentLength > 0);
    if (malformed) {
      this.#counters.malformed++;
      this.#lifecycle.absentStreamError(id, ErrorCode.ProtocolError);
      return;
    }
    stream.state = endStream ? StreamState.HalfClosedRemote : StreamState.Open;
    this.#streams.add(stream);
    this.#counters.requests++;
    this.#events.onRequest(stream, endStream);
  }

  /** RFC 9113 section 10.5.1: 431 (RFC 6585 section 5), and no more of the request. */
  #refuseFields(id: number, endStream: boolean): void {
    this.#counters.fieldsTooLarge++;
    this.#sender.writeHead(id, 431, fieldsTooLargeFields, true);
    if (!endStream) this.#writer.rstStream(id, ErrorCode.NoError);
    this.#streams.rememberReset(id, false);
  }

  #onTrailers(stream: Http2Stream, endStream: boolean, tooLarge: boolean): void {
    const step = transition(
      stream.state,
      endStream ? StreamInput.ReceiveHeadersEnd : StreamInput.ReceiveHeaders,
    );
    if (step.effect !== StreamEffect.Proceed) {
      this.#lifecycle.streamError(stream, step.code);
      return;
    }
    if (tooLarge) {
      this.#counters.fieldsTooLarge++;
      this.#lifecycle.streamError(stream, ErrorCode.EnhanceYourCalm);
      return;
    }
    // A tunnel has DATA only (8.5).
    const tunnel = stream.method === 'CONNECT';
    if (tunnel || judgeTrailers(lines) !== null || this.#breaksContentLength(stream, true)) {
      this.#malformed(stream);
      return;
    }
    stream.state = step.next;
    if (!stream.requestDropped) this.#events.onTrailers(stream, lines.slice());
    if (stream.state === StreamState.ClosedByEnd) {
      this.#lifecycle.finish(stream, 'complete', ErrorCode.NoError);
    }
  }

  // ---- PRIORITY (6.3): obsolete, but a wrong one is still an error ----

  #onPriority(id: number, bytes: Uint8Array, start: number, end: number): void {
    const code =
      end - start !== 5
        ? ErrorCode.FrameSizeError
        : readUint31(bytes, start) === id
          ? ErrorCode.ProtocolError
          : ErrorCode.NoError;
    if (code === ErrorCode.NoError) {
      this.#lifecycle.spend('ignoredFrames', 1);
      return;
    }
    const stream = this.#streams.get(id);
    // RST_STREAM must not be sent on an idle stream (6.4), so there the connection ends.
    if (stream !== undefined) this.#lifecycle.streamError(stream, code);
    else this.#lifecycle.fail(code, 'PRIORITY: invalid');
  }

  // ---- RST_STREAM (6.4) ----

  #onRstStream(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#lifecycle.peerReset(stream, code);
    else this.#onAbsent(id, StreamInput.ReceiveReset);
  }

  // ---- SETTINGS (6.5) ----

  #onSettings(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at += 6) {
      const id = (bytes[at] << 8) | bytes[at + 1];
      const value = readUint32(bytes, at + 2);
      const code = this.#peer.take(id, value);
      if (code !== ErrorCode.NoError) {
        this.#lifecycle.fail(code, `SETTINGS: invalid value of setting ${id}`);
        return;
      }
      // Every value counts, not only the last: the encoder must announce the smallest (RFC 7541 section 4.2).
      if (id === SettingId.HeaderTableSize) this.#encoder.setPeerMaxTableBytes(value);
    }
    // The window of all streams moves once a frame, however often the frame says so.
    if (!this.#sender.changeStreamWindow(this.#peer.initialWindowBytes, this.#streams)) {
      this.#lifecycle.fail(ErrorCode.FlowControlError, 'SETTINGS: a stream window exceeds 2^31-1');
      return;
    }
    this.#writer.settingsAck();
    if (this.#settingsSeen) this.#lifecycle.spend('settings', 1);
    this.#settingsSeen = true;
  }

  #onSettingsAck(): void {
    const before = this.#settings.inForce;
    if (!this.#settings.acknowledge()) {
      this.#lifecycle.fail(ErrorCode.ProtocolError, 'SETTINGS ACK without SETTINGS');
      return;
    }
    const { headerTableBytes, streamWindowBytes } = this.#settings.inForce;
    if (headerTableBytes !== before.headerTableBytes) this.#decoder.setMaxTableBytes(headerTableBytes);
    if (streamWindowBytes !== before.streamWindowBytes) {
      this.#flow.changeStreamWindow(streamWindowBytes, this.#streams.values());
    }
  }

  // ---- PING (6.7) ----

  #onPing(flags: number, bytes: Uint8Array, start: number): void {
    if ((flags & Flag.Ack) !== 0) {
      if (this.unansweredPings > 0) this.unansweredPings--;
      else this.#lifecycle.spend('pings', 1);
    } else if (this.#lifecycle.spend('pings', 1)) {
      this.#writer.ping(true, bytes, start);
    }
  }

  // ---- WINDOW_UPDATE (6.9) ----

  #onWindowUpdate(id: number, increment: number): void {
    if (id === 0) {
      if (increment === 0) {
        this.#lifecycle.fail(ErrorCode.ProtocolError, 'WINDOW_UPDATE: increment of 0');
      } else if (!this.#sender.grantConnection(increment)) {
        this.#lifecycle.fail(
          ErrorCode.FlowControlError,
          'WINDOW_UPDATE: the connection window exceeds 2^31-1',
        );
      } else {
        this.#countTinyUpdate(increment);
      }
      return;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#onAbsent(id, StreamInput.ReceiveWindowUpdate);
    } else if (increment === 0) {
      this.#lifecycle.streamError(stream, ErrorCode.ProtocolError);
    } else if (!this.#sender.grantStream(stream, increment)) {
      this.#lifecycle.streamError(stream, ErrorCode.FlowControlError);
    } else {
      this.#countTinyUpdate(increment);
    }
  }

  #countTinyUpdate(increment: number): void {
    if (increment < this.#options.tinyWindowUpdateBytes) this.#lifecycle.spend('tinyWindowUpdates', 1);
  }
}

function readUint31(bytes: Uint8Array, at: number): number {
  return ((bytes[at] & 0x7f) << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

function readUint32(bytes: Uint8Array, at: number): number {
  return readUint31(bytes, at) + (bytes[at] >= 0x80 ? 0x8000_0000 : 0);
}
