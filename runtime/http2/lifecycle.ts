/**
 * How streams and the connection end. Every end passes through here. So each stream is closed exactly once,
 * its queue is dropped, its flow-control bytes go back, and its owner gets `onClose` as the last event.
 */
import type { AbuseBudgets } from './budgets.ts';
import type { Abuse, EngineCounters } from './counters.ts';
import { ConnectionError, ErrorCode } from './errors.ts';
import type { ClosedBy, EngineEvents } from './events.ts';
import type { FrameReader } from './frame-reader.ts';
import type { FrameWriter } from './frame-writer.ts';
import { maxInt31 } from './frames.ts';
import type { HeldResets } from './held-resets.ts';
import type { LateAllowance } from './late-allowance.ts';
import type { BudgetName } from './options.ts';
import type { ReceiveFlow } from './receive-flow.ts';
import type { SendScheduler } from './scheduler.ts';
import type { Http2Stream } from './stream.ts';
import { StreamEffect, StreamInput, StreamState, transition } from './stream-state.ts';
import type { Streams } from './streams.ts';

/**
 * `preface`: nothing valid has arrived. `draining`: GOAWAY was sent, streams finish. `closing`: nothing more
 * is read; once the output has left, the owner closes the socket. `closed`: the socket is gone.
 */
export type EngineState = 'preface' | 'open' | 'draining' | 'closing' | 'closed';

/** RFC 9110 section 15.5: from this status on a response says that the request was not accepted. */
const FIRST_ERROR_STATUS = 400;

/** Inputs with which the peer ends a stream. */
const ENDS: ReadonlySet<StreamInput> = new Set([
  StreamInput.ReceiveHeadersEnd,
  StreamInput.ReceiveDataEnd,
  StreamInput.ReceiveReset,
]);

export class Lifecycle {
  readonly #events: EngineEvents;
  readonly #writer: FrameWriter;
  readonly #streams: Streams;
  readonly #scheduler: SendScheduler;
  readonly #flow: ReceiveFlow;
  readonly #budgets: AbuseBudgets;
  readonly #counters: EngineCounters;
  readonly #allowance: LateAllowance;
  readonly #held: HeldResets;
  #reader: FrameReader | null = null;
  state: EngineState = 'preface';
  failure: ConnectionError | null = null;
  /** The time of the chunk or tick that is being handled. */
  nowMs: number;
  /** The last stream id that GOAWAY promised to handle. It may only decrease (RFC 9113 section 6.8). */
  promisedId = maxInt31;

  constructor(
    events: EngineEvents,
    writer: FrameWriter,
    streams: Streams,
    scheduler: SendScheduler,
    flow: ReceiveFlow,
    budgets: AbuseBudgets,
    counters: EngineCounters,
    allowance: LateAllowance,
    held: HeldResets,
    nowMs: number,
  ) {
    this.#events = events;
    this.#writer = writer;
    this.#streams = streams;
    this.#scheduler = scheduler;
    this.#flow = flow;
    this.#budgets = budgets;
    this.#counters = counters;
    this.#allowance = allowance;
    this.#held = held;
    this.nowMs = nowMs;
  }

  /** Sets the reader that a failure stops. */
  attach(reader: FrameReader): void {
    this.#reader = reader;
  }

  /** Ends the connection with an error (RFC 9113 section 5.4.1). Only the first one counts. */
  fail(code: number, reason: string): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    this.state = 'closing';
    this.failure = new ConnectionError(code, reason);
    this.#reader?.stop();
    if (code !== ErrorCode.EnhanceYourCalm) this.#events.onRefused('connection-error', reason);
    this.promisedId = Math.min(this.promisedId, this.#streams.lastPeerId);
    this.#writer.goaway(this.promisedId, code, reason);
    this.#closeAll(code);
  }

  /**
   * Charges a budget.
   * @returns false if that ended the connection
   */
  spend(name: BudgetName, amount: number): boolean {
    if (this.#budgets.spend(name, amount, this.nowMs)) return true;
    this.calm(name, `${name} over budget`);
    return false;
  }

  /** Ends the connection because the peer demands too much (RFC 9113 section 10.5). */
  calm(abuse: Abuse, reason: string): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    this.#counters.abuse = abuse;
    this.#events.onAbuse(abuse);
    this.fail(ErrorCode.EnhanceYourCalm, reason);
  }

  /** A stream error that the peer caused on a live stream (RFC 9113 section 5.4.2). */
  streamError(stream: Http2Stream, code: number): void {
    this.resetStream(stream, code, 'engine');
    this.spend('provokedResets', 1);
  }

  /** The same on a stream that is not live: refused, malformed, or closed before. */
  absentStreamError(id: number, code: number): void {
    this.#counters.resetsByEngine++;
    this.#writer.rstStream(id, code);
    this.#streams.rememberReset(id, false);
    this.spend(code === ErrorCode.RefusedStream ? 'refusedStreams' : 'provokedResets', 1);
  }

  /** What arrived on a live stream is malformed HTTP (8.1.1). */
  malformed(stream: Http2Stream): void {
    this.#counters.malformed++;
    this.streamError(stream, ErrorCode.ProtocolError);
  }

  /**
   * A frame other than PRIORITY on a stream that is not live.
   * @returns true if the frame is ignored; the caller must then tell `late` what it costs the peer
   */
  frameOnAbsent(id: number, input: StreamInput): boolean {
    // A stream opened after the server's GOAWAY is ignored, as GOAWAY said (6.8).
    if (id > this.promisedId && (id & 1) === 1) return true;
    if (!this.#held.isEmpty && ENDS.has(input)) this.#held.forget(id);
    const step = transition(this.#streams.stateOfAbsent(id), input);
    if (step.effect === StreamEffect.ConnectionError) {
      this.fail(step.code, 'frame on an idle or closed stream');
    } else if (step.effect === StreamEffect.StreamError) {
      this.absentStreamError(id, step.code);
    } else {
      return true;
    }
    return false;
  }

  /** The rest of a request is not wanted, and its response has been written elsewhere. */
  resetBehindResponse(id: number): void {
    this.#held.hold(id, this.nowMs);
  }

  /** @returns whether bytes[start, start+8) answer the PING that resets are held back for */
  takeAnswer(bytes: Uint8Array, start: number): boolean {
    if (!this.#held.takeAnswer(bytes, start, this.nowMs)) return false;
    if (this.state === 'draining') this.#endDrain();
    return true;
  }

  /** Time has passed, as in `Http2Engine.tick`. */
  tick(): void {
    if (this.#held.isEmpty || this.state === 'closing' || this.state === 'closed') return;
    this.#held.tick(this.nowMs);
    if (this.state === 'draining') this.#endDrain();
  }

  /**
   * A frame that is ignored because its stream has closed.
   * @param cost 0: the peer was free to send it
   */
  late(cost: number): void {
    this.#counters.lateFrames++;
    if (cost > 0) this.spend('lateFrames', cost);
  }

  /** What the peer sent made the owner give up a request early. It counts like a protocol violation. */
  provoked(): void {
    this.spend('provokedResets', 1);
  }

  /** Sends RST_STREAM and closes the stream. */
  resetStream(stream: Http2Stream, code: number, by: 'engine' | 'owner' | 'complete'): void {
    if (stream.state >= StreamState.ClosedByEnd) return;
    if (stream.state === StreamState.Open || stream.state === StreamState.HalfClosedLocal) {
      this.#allowance.onCutOff(stream);
    }
    stream.state = StreamState.ClosedByOurReset;
    if (by === 'owner') this.#counters.resetsByOwner++;
    else if (by === 'engine') this.#counters.resetsByEngine++;
    if (by === 'complete' && stream.status >= FIRST_ERROR_STATUS) this.#held.hold(stream.id, this.nowMs);
    else this.#writer.rstStream(stream.id, code);
    this.#streams.rememberReset(stream.id, false);
    this.finish(stream, by, code);
  }

  /** The peer has sent RST_STREAM. */
  peerReset(stream: Http2Stream, code: number): void {
    stream.state = StreamState.ClosedByPeerReset;
    this.#counters.resetsByPeer++;
    this.#streams.rememberReset(stream.id, true);
    this.finish(stream, 'peer', code);
    // A peer may decline what it was promised at no cost.
    if ((stream.id & 1) === 1) this.spend('peerResets', 1);
  }

  /** The peer's GOAWAY excludes this promise (6.8): for the peer the stream is already gone. */
  abandonPush(stream: Http2Stream): void {
    stream.state = StreamState.ClosedByPeerReset;
    this.finish(stream, 'peer', ErrorCode.RefusedStream);
  }

  /** Removes the stream, whose state is already closed, from the connection. */
  finish(stream: Http2Stream, by: ClosedBy, code: number): void {
    if (!this.#streams.remove(stream)) return;
    this.#dropUnsent(stream);
    this.#flow.release(stream);
    if (by === 'complete') this.#counters.completed++;
    this.#allowance.onClosed(stream);
    this.#events.onClose(stream, by, code);
    if (this.state === 'draining') this.#endDrain();
  }

  /** Drops what the stream still had to send. */
  #dropUnsent(stream: Http2Stream): void {
    this.#scheduler.remove(stream);
    stream.head = null;
    stream.trailers = null;
    if (stream.queue !== null) stream.queue.clear();
  }

  /** Sends GOAWAY without an error: the peer opens no more streams, and those that it has finish. */
  goaway(code: number, lastStreamIdAll: boolean): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    this.state = 'draining';
    // The peer learns that it must stop before the real id goes out, so that what is on its way is still
    // served.
    if (!lastStreamIdAll) this.promisedId = Math.min(this.promisedId, this.#streams.lastPeerId);
    this.#writer.goaway(this.promisedId, code, '');
    this.#endDrain();
  }

  #endDrain(): void {
    if (this.promisedId === maxInt31 || this.#streams.count > 0 || !this.#held.isEmpty) return;
    this.state = 'closing';
    this.#reader?.stop();
  }

  /** Nothing more arrives or is read. The remaining streams close; what has been written still leaves. */
  end(): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    this.state = 'closing';
    this.#reader?.stop();
    this.#closeAll(ErrorCode.Cancel);
  }

  /** The socket is gone. */
  closed(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#reader?.stop();
    try {
      this.#closeAll(this.failure === null ? ErrorCode.Cancel : this.failure.code);
    } finally {
      this.#writer.discard();
    }
  }

  /** @throws the first error that the owner threw, after every stream is closed */
  #closeAll(code: number): void {
    let fault: { readonly error: unknown } | null = null;
    // All states change first, because calls for other streams that the owner makes within onClose must not
    // send anything.
    const streams = this.#streams.values();
    for (const stream of streams) stream.state = StreamState.ClosedByOurReset;
    for (const stream of streams) {
      // The owner may have reset this stream from within another stream's onClose, and has then been told of
      // its end.
      if (!this.#streams.remove(stream)) continue;
      this.#dropUnsent(stream);
      try {
        this.#events.onClose(stream, 'engine', code);
      } catch (error) {
        fault ??= { error };
      }
    }
    if (fault !== null) throw fault.error;
  }
}
