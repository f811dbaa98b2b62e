/**
 * The meaning of frames: which are allowed now, and what each does, except DATA and HEADERS. The frame reader
 * calls this class. It ends streams and the connection only through the lifecycle.
 */
import type { EngineCounters } from './counters.ts';
import { DataReceiver } from './data-receiver.ts';
import { ErrorCode } from './errors.ts';
import type { EngineEvents } from './events.ts';
import { FieldReceiver } from './field-receiver.ts';
import { type FrameSink, HeadVerdict } from './frame-reader.ts';
import type { FrameWriter } from './frame-writer.ts';
import {
  Flag,
  FrameType,
  frameName,
  judgeFrameHead,
  priorityUpdateType,
  readUint31,
  readUint32,
  UnknownFrameType,
} from './frames.ts';
import type { HpackDecoder } from './hpack/decoder.ts';
import type { HpackEncoder } from './hpack/encoder.ts';
import type { LateAllowance } from './late-allowance.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Http2Options } from './options.ts';
import type { Priorities } from './priorities.ts';
import type { Pusher } from './pusher.ts';
import type { ReceiveFlow } from './receive-flow.ts';
import type { ReceiverParts } from './receiver-parts.ts';
import type { RoundTrip } from './round-trip.ts';
import type { Sender } from './sender.ts';
import { type PeerSettings, SettingId, type SettingsInFlight } from './settings.ts';
import type { Http2Stream } from './stream.ts';
import { StreamInput, StreamState } from './stream-state.ts';
import type { Streams } from './streams.ts';

/** A longer Priority Field Value is not read: no priority needs as much. */
const maxPriorityBytes = 256;

export class Receiver implements FrameSink {
  readonly #events: EngineEvents;
  readonly #options: Http2Options;
  readonly #counters: EngineCounters;
  readonly #writer: FrameWriter;
  readonly #streams: Streams;
  readonly #flow: ReceiveFlow;
  readonly #roundTrip: RoundTrip;
  readonly #lifecycle: Lifecycle;
  readonly #allowance: LateAllowance;
  readonly #sender: Sender;
  readonly #settings: SettingsInFlight;
  readonly #decoder: HpackDecoder;
  readonly #encoder: HpackEncoder;
  readonly #peer: PeerSettings;
  readonly #pusher: Pusher;
  readonly #priorities: Priorities;
  #settingsSeen = false;
  readonly #data: DataReceiver;
  readonly #fields: FieldReceiver;
  /** The owner's PINGs that have no answer yet. */
  unansweredPings = 0;

  constructor(parts: ReceiverParts) {
    this.#events = parts.events;
    this.#options = parts.options;
    this.#counters = parts.counters;
    this.#writer = parts.writer;
    this.#streams = parts.streams;
    this.#flow = parts.flow;
    this.#roundTrip = parts.roundTrip;
    this.#lifecycle = parts.lifecycle;
    this.#allowance = parts.allowance;
    this.#sender = parts.sender;
    this.#settings = parts.settings;
    this.#peer = parts.peer;
    this.#pusher = parts.pusher;
    this.#priorities = parts.priorities;
    this.#decoder = parts.decoder;
    this.#encoder = parts.encoder;
    this.#data = new DataReceiver(parts);
    this.#fields = new FieldReceiver(parts);
  }

  /** The block is incomplete: CONTINUATIONs must follow. */
  get isWithinFieldBlock(): boolean {
    return this.#fields.block !== null;
  }

  onPreface(): void {
    if (this.#lifecycle.state === 'preface') this.#lifecycle.state = 'open';
  }

  onReadFault(code: number, reason: string): void {
    this.#lifecycle.fail(code, reason);
  }

  onHead(type: number, flags: number, streamId: number, payloadBytes: number): HeadVerdict {
    this.#counters.framesIn[Math.min(type, UnknownFrameType)]++;
    if (!this.#mayCome(type, flags, streamId, payloadBytes)) return HeadVerdict.Skip;
    if (type < UnknownFrameType) return HeadVerdict.Take;
    if (type === priorityUpdateType) return HeadVerdict.Take;
    this.#lifecycle.spend('ignoredFrames', 1);
    return HeadVerdict.Skip;
  }

  /** @returns false if this head was a connection error */
  #mayCome(type: number, flags: number, streamId: number, payloadBytes: number): boolean {
    if (payloadBytes > this.#settings.inForce.maxFrameBytes) {
      return this.#refuse(ErrorCode.FrameSizeError, 'frame exceeds SETTINGS_MAX_FRAME_SIZE');
    }
    if (!this.#settingsSeen && (type !== FrameType.Settings || (flags & Flag.Ack) !== 0)) {
      return this.#refuse(ErrorCode.ProtocolError, 'the preface is not followed by SETTINGS');
    }
    const block = this.#fields.block;
    if (block === null) {
      if (type === FrameType.Continuation) {
        return this.#refuse(ErrorCode.ProtocolError, 'CONTINUATION without a field block');
      }
    } else {
      if (type !== FrameType.Continuation || streamId !== block.streamId) {
        return this.#refuse(ErrorCode.ProtocolError, 'field block interrupted');
      }
      if (++block.continuations > this.#options.maxContinuationFrames) {
        this.#lifecycle.calm('continuation', 'too many CONTINUATION frames');
        return false;
      }
    }
    if (type === FrameType.Headers || type === FrameType.Continuation) {
      if (payloadBytes + (block === null ? 0 : block.length) > this.#options.maxFieldBlockBytes) {
        this.#lifecycle.calm('fieldBlock', 'field block too large');
        return false;
      }
    }
    if (type === FrameType.PushPromise) {
      return this.#refuse(ErrorCode.ProtocolError, 'PUSH_PROMISE from a client');
    }
    if (type === priorityUpdateType) {
      if (streamId !== 0) return this.#refuse(ErrorCode.ProtocolError, 'PRIORITY_UPDATE on a stream');
      if (payloadBytes < 4) return this.#refuse(ErrorCode.FrameSizeError, 'PRIORITY_UPDATE: wrong length');
    }
    const code = judgeFrameHead(type, flags, streamId, payloadBytes);
    if (code === ErrorCode.NoError) return true;
    const what = code === ErrorCode.FrameSizeError ? 'length' : 'stream id';
    return this.#refuse(code, `${frameName(type)}: wrong ${what}`);
  }

  #refuse(code: number, reason: string): false {
    this.#lifecycle.fail(code, reason);
    return false;
  }

  onFrame(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case FrameType.Headers:
        this.#fields.onHeaders(flags, id, bytes, start, end);
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
        this.#fields.onContinuation(flags, bytes, start, end);
        break;
      case FrameType.Priority:
        this.#onPriority(id, bytes, start, end);
        break;
      case priorityUpdateType:
        this.#onPriorityUpdate(bytes, start, end);
        break;
      default:
        // Only GOAWAY is left: the head was checked.
        this.#pusher.onGoaway(readUint31(bytes, start));
        this.#events.onGoaway(readUint31(bytes, start), readUint32(bytes, start + 4));
        this.#lifecycle.spend('ignoredFrames', 1);
    }
  }

  onDataFrame(streamId: number, endStream: boolean, frameBytes: number, contentBytes: number): void {
    this.#data.onFrame(streamId, endStream, frameBytes, contentBytes);
  }

  onDataPiece(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.#data.onPiece(bytes, start, end, last);
  }

  // ---- PRIORITY (6.3): obsolete, but a malformed one is still an error ----

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
    // RST_STREAM must not be sent on an idle stream (6.4), so in that case the connection ends.
    if (stream !== undefined) this.#lifecycle.streamError(stream, code);
    else if (this.#streams.stateOfAbsent(id) === StreamState.Idle)
      this.#lifecycle.fail(code, 'PRIORITY: invalid');
    else this.#lifecycle.absentStreamError(id, code);
  }

  // ---- PRIORITY_UPDATE (RFC 9218 section 7.1) ----

  #onPriorityUpdate(bytes: Uint8Array, start: number, end: number): void {
    const id = readUint31(bytes, start);
    const stream = this.#streams.get(id);
    const length = end - start - 4;
    const value =
      length > maxPriorityBytes
        ? null
        : Buffer.from(bytes.buffer, bytes.byteOffset + start + 4, length).toString('latin1');
    if (stream !== undefined) {
      if (value !== null) this.#priorities.update(stream, value);
    } else if (id === 0 || ((id & 1) === 0 && id > this.#streams.lastPushId)) {
      this.#lifecycle.fail(
        ErrorCode.ProtocolError,
        'PRIORITY_UPDATE for stream 0 or for a stream that was not promised',
      );
      return;
    } else if (value !== null && (id & 1) === 1 && id > this.#streams.lastPeerId) {
      this.#priorities.remember(id, value, this.#streams.lastPeerId);
    }
    this.#lifecycle.spend('ignoredFrames', 1);
  }

  // ---- RST_STREAM (6.4) ----

  #onRstStream(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#lifecycle.peerReset(stream, code);
    else if (this.#lifecycle.frameOnAbsent(id, StreamInput.ReceiveReset)) this.#lifecycle.late(1);
  }

  // ---- SETTINGS (6.5) ----

  #onSettings(bytes: Uint8Array, start: number, end: number): void {
    if (!this.takeSettings(bytes, start, end)) return;
    this.#writer.settingsAck();
    if (this.#settingsSeen) this.#lifecycle.spend('settings', 1);
    this.#settingsSeen = true;
  }

  /** @returns false if a value was a connection error */
  takeSettings(bytes: Uint8Array, start: number, end: number): boolean {
    for (let at = start; at < end; at += 6) {
      const id = (bytes[at] << 8) | bytes[at + 1];
      const value = readUint32(bytes, at + 2);
      const code = this.#peer.take(id, value);
      if (code !== ErrorCode.NoError) {
        this.#lifecycle.fail(code, `SETTINGS: invalid value of setting ${id}`);
        return false;
      }
      // Every value counts, not only the last: the encoder must announce the smallest (RFC 7541 section 4.2).
      if (id === SettingId.HeaderTableSize) this.#encoder.setPeerMaxTableBytes(value);
    }
    // The windows of all streams move once per frame, however often the frame contains the setting.
    if (!this.#sender.changeStreamWindow(this.#peer.initialWindowBytes, this.#streams)) {
      this.#lifecycle.fail(ErrorCode.FlowControlError, 'SETTINGS: a stream window exceeds 2^31-1');
      return false;
    }
    return true;
  }

  // ---- a request that arrived over HTTP/1.1 (RFC 7540 section 3.2) ----

  /** The request becomes stream 1, half-closed (remote). */
  onUpgrade(stream: Http2Stream): void {
    this.#streams.use(stream.id);
    stream.state = StreamState.HalfClosedRemote;
    this.#streams.add(stream);
    this.#counters.requests++;
    this.#events.onRequest(stream, true);
  }

  #onSettingsAck(): void {
    const before = this.#settings.inForce;
    const sentAtMs = this.#settings.acknowledge();
    if (sentAtMs < 0) {
      this.#lifecycle.fail(ErrorCode.ProtocolError, 'SETTINGS ACK without SETTINGS');
      return;
    }
    this.#roundTrip.take(this.#lifecycle.nowMs - sentAtMs);
    const { headerTableBytes, streamWindowBytes } = this.#settings.inForce;
    if (headerTableBytes !== before.headerTableBytes) this.#decoder.setMaxTableBytes(headerTableBytes);
    if (streamWindowBytes !== before.streamWindowBytes) {
      this.#flow.changeStreamWindow(streamWindowBytes, this.#streams.values());
    }
  }

  // ---- PING (6.7) ----

  #onPing(flags: number, bytes: Uint8Array, start: number): void {
    if ((flags & Flag.Ack) !== 0) {
      if (this.#roundTrip.takeAnswer(bytes, start, this.#lifecycle.nowMs)) return;
      if (this.#lifecycle.takeAnswer(bytes, start)) return;
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
      if (this.#lifecycle.frameOnAbsent(id, StreamInput.ReceiveWindowUpdate)) this.#onLateUpdate(increment);
    } else if (increment === 0) {
      this.#lifecycle.streamError(stream, ErrorCode.ProtocolError);
    } else if (!this.#sender.grantStream(stream, increment)) {
      this.#lifecycle.streamError(stream, ErrorCode.FlowControlError);
    } else {
      this.#countTinyUpdate(increment);
    }
  }

  /**
   * A client acknowledges what it reads, even after everything has arrived. The update is checked as on an
   * open stream.
   */
  #onLateUpdate(increment: number): void {
    const acknowledges = this.#allowance.takeUpdate(increment);
    this.#lifecycle.late(acknowledges ? 0 : 1);
    if (acknowledges) this.#countTinyUpdate(increment);
  }

  #countTinyUpdate(increment: number): void {
    if (increment < this.#options.tinyWindowUpdateBytes) this.#lifecycle.spend('tinyWindowUpdates', 1);
  }
}
