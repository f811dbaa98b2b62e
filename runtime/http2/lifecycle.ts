/**
 * How streams and the connection end. Every ending passes here, so each stream is closed exactly once, its
 * queue is dropped, its flow-control bytes go back and its owner hears of it last.
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
 * `preface`: nothing valid has come. `draining`: GOAWAY is out, streams finish. `closing`: nothing is read
 * any more; once the output has left, the owner closes the socket. `closed`: the socket is gone.
 */
export type EngineState = 'preface' | 'open' | 'draining' | 'closing' | 'closed';

/** RFC 9110 section 15.5: from here on a response says that the request was not taken. */
const FIRST_ERROR_STATUS = 400;

/** With these the peer has ended a stream. */
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
  /** Time of the chunk or tick being handled. */
  nowMs: number;
  /** The last stream id that GOAWAY promised to handle; it may only fall (RFC 9113 section 6.8). */
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

  /** The reader that a failure stops. */
  attach(reader: FrameReader): void {
    this.#reader = reader;
  }

  /** A connection error (RFC 9113 section 5.4.1): the first one counts. */
  fail(code: number, reason: string): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    this.state = 'closing';
    this.failure = new ConnectionError(code, reason);
    this.#reader?.stop();
    this.promisedId = Math.min(this.promisedId, this.#streams.lastPeerId);
    this.#writer.goaway(this.promisedId, code, reason);
    this.#closeAll(code);
  }

  /** Charges a budget. @returns false when that ended the connection. */
  spend(name: BudgetName, amount: number): boolean {
    if (this.#budgets.spend(name, amount, this.nowMs)) return true;
    this.calm(name, `${name} over budget`);
    return false;
  }

  /** The peer asks for more than it may (RFC 9113 section 10.5). */
  calm(abuse: Abuse, reason: string): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    this.#counters.abuse = abuse;
    this.#events.onAbuse(abuse);
    this.fail(ErrorCode.EnhanceYourCalm, reason);
  }

  /** A stream error that the peer caused (RFC 9113 section 5.4.2) on a live stream. */
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

  /** What arrived on a live stream is not HTTP (8.1.1). */
  malformed(stream: Http2Stream): void {
    this.#counters.malformed++;
    this.streamError(stream, ErrorCode.ProtocolError);
  }

  /**
   * A frame other than PRIORITY on a stream that is not live.
   * @returns true: it is ignored, and `late` has to be told what it costs the peer
   */
  frameOnAbsent(id: number, input: StreamInput): boolean {
    // Opened after our GOAWAY: ignored, as we said (6.8).
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

  /** No more of a request is wanted, and its response has been written by others. */
  resetBehindResponse(id: number): void {
    this.#held.hold(id, this.nowMs);
  }

  /** @returns whether bytes[start, start+8) answer the PING that resets are held back for. */
  takeAnswer(bytes: Uint8Array, start: number): boolean {
    if (!this.#held.takeAnswer(bytes, start, this.nowMs)) return false;
    if (this.state === 'draining') this.#endDrain();
    return true;
  }

  /** Time passes, as of `Http2Engine.tick`. */
  tick(): void {
    if (this.#held.isEmpty || this.state === 'closing' || this.state === 'closed') return;
    this.#held.tick(this.nowMs);
    if (this.state === 'draining') this.#endDrain();
  }

  /** A frame that is ignored as its stream has closed. @param cost 0: the peer was free to send it */
  late(cost: number): void {
    this.#counters.lateFrames++;
    if (cost > 0) this.spend('lateFrames', cost);
  }

  /** What the peer sent made the owner end its work on a request early: as if it had broken the protocol. */
  provoked(): void {
    this.spend('provokedResets', 1);
  }

  /** RST_STREAM from us. */
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

  /** RST_STREAM from the peer. */
  peerReset(stream: Http2Stream, code: number): void {
    stream.state = StreamState.ClosedByPeerReset;
    this.#counters.resetsByPeer++;
    this.#streams.rememberReset(stream.id, true);
    this.finish(stream, 'peer', code);
    // That a peer has no use for what it was promised costs it nothing.
    if ((stream.id & 1) === 1) this.spend('peerResets', 1);
  }

  /** A promise that the peer's GOAWAY says it will not look at (6.8): for it the stream is gone already. */
  abandonPush(stream: Http2Stream): void {
    stream.state = StreamState.ClosedByPeerReset;
    this.finish(stream, 'peer', ErrorCode.RefusedStream);
  }

  /** The stream, whose state says closed already, leaves the connection. */
  finish(stream: Http2Stream, by: ClosedBy, code: number): void {
    if (!this.#streams.remove(stream)) return;
    this.#dropUnsent(stream);
    this.#flow.release(stream);
    if (by === 'complete') this.#counters.completed++;
    this.#allowance.onClosed(stream);
    this.#events.onClose(stream, by, code);
    if (this.state === 'draining') this.#endDrain();
  }

  /** What waited to be sent is not said any more. */
  #dropUnsent(stream: Http2Stream): void {
    this.#scheduler.remove(stream);
    stream.head = null;
    stream.trailers = null;
    if (stream.queue !== null) stream.queue.clear();
  }

  /** GOAWAY without an error of its own: the peer opens no more streams, those that it has finish. */
  goaway(code: number, lastStreamIdAll: boolean): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    this.state = 'draining';
    // Before the real id goes out the peer learns that it shall stop, so that what is on its way is still
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

  /** Nothing more is to come, or to be read: the streams that are left close; what has been written still leaves. */
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

  /** @throws what the owner has thrown first, when every stream is closed */
  #closeAll(code: number): void {
    let fault: { readonly error: unknown } | null = null;
    // All first: what the owner still says to others from within onClose must not be sent.
    for (const stream of this.#streams.values()) stream.state = StreamState.ClosedByOurReset;
    for (const stream of this.#streams.values()) {
      this.#streams.remove(stream);
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
