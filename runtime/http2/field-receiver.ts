/**
 * Receives HEADERS and CONTINUATION (RFC 9113 sections 6.2 and 6.10). Joins and decodes field blocks, and
 * turns them into requests and trailers or refuses them.
 */
import type { EngineCounters } from './counters.ts';
import { ErrorCode } from './errors.ts';
import type { EngineEvents } from './events.ts';
import { FieldBlock } from './field-block.ts';
import { breaksContentLength, JudgedFields, judgeTrailers, readRequestHead } from './field-validation.ts';
import { Flag, readUint31 } from './frames.ts';
import { DecodeResult, type HpackDecoder } from './hpack/decoder.ts';
import { RepeatedTail } from './hpack/repeated-tail.ts';
import type { LateAllowance } from './late-allowance.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Http2Options } from './options.ts';
import type { Priorities } from './priorities.ts';
import type { ReceiverParts } from './receiver-parts.ts';
import type { Sender } from './sender.ts';
import type { SettingsInFlight } from './settings.ts';
import { Http2Stream } from './stream.ts';
import { StreamEffect, StreamInput, StreamState, transition } from './stream-state.ts';
import type { Streams } from './streams.ts';

/**
 * The field lines being decoded. One list serves all connections: its user has taken the lines out before
 * anything else runs.
 */
const lines: string[] = [];
const fieldsTooLargeFields: readonly string[] = ['content-length', '0'];

export class FieldReceiver {
  readonly #events: EngineEvents;
  readonly #options: Http2Options;
  readonly #counters: EngineCounters;
  readonly #streams: Streams;
  readonly #lifecycle: Lifecycle;
  readonly #allowance: LateAllowance;
  readonly #sender: Sender;
  readonly #settings: SettingsInFlight;
  readonly #priorities: Priorities;
  readonly #decoder: HpackDecoder;
  /** The end of the last block, and the result of checking it. */
  readonly #tail = new RepeatedTail();
  readonly #judged = new JudgedFields();
  /** The lines that `judged` describes. */
  #judgedLines: readonly string[] | null = null;
  /** More than one stream has these fields. */
  #isShared = false;
  /** The field block that waits for CONTINUATIONs. */
  block: FieldBlock | null = null;

  constructor(parts: ReceiverParts) {
    this.#events = parts.events;
    this.#options = parts.options;
    this.#counters = parts.counters;
    this.#streams = parts.streams;
    this.#lifecycle = parts.lifecycle;
    this.#allowance = parts.allowance;
    this.#sender = parts.sender;
    this.#settings = parts.settings;
    this.#priorities = parts.priorities;
    this.#decoder = parts.decoder;
  }

  /** Takes HEADERS, whose length matches its flags. */
  onHeaders(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
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
      this.block = new FieldBlock(id, endStream, selfDependent, end - start);
      this.block.append(bytes, start, end);
    }
  }

  /** Takes a CONTINUATION of the open block. */
  onContinuation(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const block = this.block as FieldBlock;
    block.append(bytes, start, end);
    if ((flags & Flag.EndHeaders) === 0) return;
    this.block = null;
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
    // The block changes the HPACK table whatever happens to the message (4.3).
    const tail = this.#tail;
    const result = this.#decoder.decode(bytes, start, end, lines, tail);
    if (result === DecodeResult.CompressionError) {
      this.#lifecycle.fail(ErrorCode.CompressionError, 'field block cannot be decoded');
      return;
    }
    const tooLarge = result === DecodeResult.ListTooLarge;
    // This is charged whatever the block belongs to: it has been decoded in full.
    if (tooLarge && !this.#lifecycle.spend('refusedHeads', 1)) return;
    // Even ids belong to the server, and only the server sends on them (5.1.1).
    if ((id & 1) === 0) {
      this.#lifecycle.fail(ErrorCode.ProtocolError, 'HEADERS: unexpected stream id');
      return;
    }
    const stream = this.#streams.get(id);
    if (stream !== undefined) {
      if (tail.isRepeated) lines.push(...tail.lines);
      this.#onTrailers(stream, endStream, tooLarge);
      return;
    }
    const input = endStream ? StreamInput.ReceiveHeadersEnd : StreamInput.ReceiveHeaders;
    // A skipped id can no longer be opened.
    if (this.#streams.wasSkipped(id)) {
      this.#lifecycle.fail(ErrorCode.ProtocolError, 'HEADERS: unexpected stream id');
    } else if (id <= this.#streams.lastPeerId || id > this.#lifecycle.promisedId) {
      if (this.#lifecycle.frameOnAbsent(id, input)) this.#lifecycle.late(1);
    } else {
      this.#open(id, endStream, selfDependent, tooLarge);
    }
  }

  #open(id: number, endStream: boolean, selfDependent: boolean, tooLarge: boolean): void {
    this.#streams.use(id);
    if (this.#streams.peerCount >= this.#settings.sent.maxConcurrentStreams) {
      this.#counters.refused++;
      this.#events.onRefused('too-many-streams', 'the connection has maxConcurrentStreams streams');
      if (!endStream) this.#allowance.onCutOff();
      this.#lifecycle.absentStreamError(id, ErrorCode.RefusedStream);
      return;
    }
    if (tooLarge) {
      this.#refuseFields(id, endStream);
      return;
    }
    const stream = new Http2Stream(id, this.#sender.streamWindowBytes, this.#sender);
    const wrong = selfDependent ? 'the stream depends on itself' : this.#readHead(stream);
    if (wrong !== null || breaksContentLength(stream, endStream)) {
      this.#counters.malformed++;
      this.#events.onRefused('malformed', wrong ?? 'the content differs from its content-length');
      if (!endStream) this.#allowance.onCutOff();
      this.#lifecycle.absentStreamError(id, ErrorCode.ProtocolError);
      return;
    }
    stream.state = endStream ? StreamState.HalfClosedRemote : StreamState.Open;
    this.#priorities.opened(stream, stream.priorityField);
    this.#streams.add(stream);
    this.#counters.requests++;
    this.#events.onRequest(stream, endStream);
  }

  /** As `readRequestHead`. A head that ends like the last one is not checked again. */
  #readHead(stream: Http2Stream): string | null {
    const tail = this.#tail;
    const areJudged = tail.isRepeated && this.#judgedLines === tail.lines;
    if (tail.isRepeated && !areJudged) lines.push(...tail.lines);
    const extendedConnect = this.#options.enableConnectProtocol;
    const wrong = readRequestHead(lines, stream, extendedConnect, this.#judged, areJudged);
    if (areJudged) {
      // Frozen, so that code that sends the fields on may keep their encoding.
      if (!this.#isShared) Object.freeze(this.#judged.fields);
      this.#isShared = true;
    } else {
      this.#judgedLines = wrong === null && tail.isOfLastBlock ? tail.lines : null;
      this.#isShared = false;
    }
    return wrong;
  }

  /** RFC 9113 section 10.5.1: answers 431 (RFC 6585 section 5) and wants no more of the request. */
  #refuseFields(id: number, endStream: boolean): void {
    this.#counters.fieldsTooLarge++;
    this.#events.onRefused('head-too-large', 'the field section is too large');
    this.#sender.writeHead(id, 431, fieldsTooLargeFields, true);
    if (!endStream) {
      this.#lifecycle.resetBehindResponse(id);
      this.#allowance.onCutOff();
    }
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
    // A tunnel has only DATA (8.5).
    const tunnel = stream.method === 'CONNECT';
    if (tunnel || judgeTrailers(lines) !== null || breaksContentLength(stream, true)) {
      this.#lifecycle.malformed(stream);
      return;
    }
    stream.state = step.next;
    if (!stream.requestDropped) this.#events.onTrailers(stream, lines.slice());
    if (stream.state === StreamState.ClosedByEnd) {
      this.#lifecycle.finish(stream, 'complete', ErrorCode.NoError);
    }
  }
}
