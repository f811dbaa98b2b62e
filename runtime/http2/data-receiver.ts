/**
 * Receives DATA (RFC 9113 section 6.1): content for the owner, counted against both windows and against
 * content-length.
 */
import type { EngineCounters } from './counters.ts';
import { ErrorCode } from './errors.ts';
import type { EngineEvents } from './events.ts';
import { breaksContentLength } from './field-validation.ts';
import type { LateAllowance } from './late-allowance.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { ReceiveFlow } from './receive-flow.ts';
import type { ReceiverParts } from './receiver-parts.ts';
import type { Http2Stream } from './stream.ts';
import { StreamEffect, StreamInput, StreamState, transition } from './stream-state.ts';
import type { Streams } from './streams.ts';

/** What a frame beyond a closed stream's window costs, in frames of the budget `lateFrames`. */
const lateContentCost = 1 / 8;

export class DataReceiver {
  readonly #events: EngineEvents;
  readonly #streams: Streams;
  readonly #flow: ReceiveFlow;
  readonly #lifecycle: Lifecycle;
  readonly #counters: EngineCounters;
  readonly #allowance: LateAllowance;
  /** The stream of the frame being read, while its content is wanted. */
  #stream: Http2Stream | null = null;
  #endsStream = false;

  constructor({ events, streams, flow, lifecycle, counters, allowance }: ReceiverParts) {
    this.#events = events;
    this.#streams = streams;
    this.#flow = flow;
    this.#lifecycle = lifecycle;
    this.#counters = counters;
    this.#allowance = allowance;
  }

  /** As `FrameSink.onDataFrame`. */
  onFrame(streamId: number, endStream: boolean, frameBytes: number, contentBytes: number): void {
    this.#stream = null;
    if (!this.#flow.receiveOnConnection(frameBytes)) {
      this.#lifecycle.fail(ErrorCode.FlowControlError, 'DATA exceeds the connection window');
      return;
    }
    const input = endStream ? StreamInput.ReceiveDataEnd : StreamInput.ReceiveData;
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      this.#flow.giveBackToConnection(frameBytes);
      if (this.#lifecycle.frameOnAbsent(streamId, input)) {
        const mayCome = contentBytes > 0 && this.#allowance.takeContent(frameBytes);
        this.#lifecycle.late(mayCome ? 0 : contentBytes > 0 ? lateContentCost : 1);
      }
      return;
    }
    const step = transition(stream.state, input);
    if (step.effect !== StreamEffect.Proceed) {
      this.#flow.giveBackToConnection(frameBytes);
      if (step.effect === StreamEffect.ConnectionError) {
        this.#lifecycle.fail(step.code, 'DATA on a promised stream');
      } else {
        this.#lifecycle.streamError(stream, step.code);
      }
      return;
    }
    if (!this.#flow.receiveOnStream(stream, frameBytes)) {
      this.#flow.giveBackToConnection(frameBytes);
      this.#lifecycle.streamError(stream, ErrorCode.FlowControlError);
      return;
    }
    stream.contentBytes += contentBytes;
    if (breaksContentLength(stream, endStream)) {
      this.#lifecycle.malformed(stream);
      return;
    }
    if (contentBytes > 0) this.#counters.contentFramesIn++;
    else if (!endStream && !this.#lifecycle.spend('emptyData', 1)) return;
    // Padding is given back once per frame, not per piece: if the request is dropped within a frame, the
    // whole frame has been given back.
    if (stream.requestDropped) this.#flow.discard(stream, frameBytes);
    else if (frameBytes > contentBytes)
      this.#flow.consume(stream, frameBytes - contentBytes, this.#lifecycle.nowMs);
    this.#stream = stream;
    this.#endsStream = endStream;
  }

  /** As `FrameSink.onDataPiece`. */
  onPiece(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const stream = this.#stream;
    if (stream === null) return;
    // The stream was reset after the frame began; its bytes went back to the connection with the stream.
    if (stream.state >= StreamState.ClosedByEnd) {
      this.#stream = null;
      return;
    }
    const ended = last && this.#endsStream;
    if (ended) stream.state = transition(stream.state, StreamInput.ReceiveDataEnd).next;
    if (!stream.requestDropped && (start < end || ended)) {
      this.#events.onData(stream, bytes, start, end, ended);
    }
    if (ended && stream.state === StreamState.ClosedByEnd) {
      this.#lifecycle.finish(stream, 'complete', ErrorCode.NoError);
    }
  }
}
