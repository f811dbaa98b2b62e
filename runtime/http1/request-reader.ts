/**
 * Bytes into requests (RFC 9112), however the network cut them: what it says of a sequence of bytes is a function of those
 * bytes alone.
 *
 *   empty lines ─▶ request line ─▶ field lines ─▶ content ─▶ the next request
 *                                                 chunks ─▶ trailer lines ─▶ the next request
 *
 * Lines are `LineReader`'s. One that lies whole in a chunk is read where it lies. One that is split is gathered, in a buffer that grows with what
 * has come, and read on from where its scan stopped. Content is never gathered but for small chunks (see `ContentPieces`).
 */

import { copyBytes } from '../bytes/output-buffers.ts';
import { ChunkBudget } from './chunk-budget.ts';
import { ChunkReader, ChunkVerdict } from './chunk-reader.ts';
import type { ContentPieces } from './content-pieces.ts';
import { CHUNKED, type FieldSection, type Version } from './field-section.ts';
import type { FieldSections } from './field-sections.ts';
import { type LineLimits, LineReader, type LineSink } from './line-reader.ts';
import type { Http1Options } from './options.ts';
import type { Refusal } from './refusal.ts';
import type { Target } from './target.ts';

export interface RequestSink {
  /** A head is whole. Its content follows, if it has any, unless the sink calls `stop`. */
  onHead(method: string, target: Target, version: Version, section: FieldSection): void;
  /** Content at bytes[start,end), during the call only; `last`: the request is whole with it. */
  onContent(bytes: Uint8Array, start: number, end: number, last: boolean): void;
  /** A trailer section with at least one line, which ends the request. */
  onTrailers(fields: string[]): void;
  /** What has come is no request, or not one that is taken; nothing more is read. */
  onReadFault(refusal: Refusal): void;
}

/** What the next byte is part of. */
const Part = { Lines: 0, Content: 1, Chunks: 2, Nothing: 3 } as const;
type Part = (typeof Part)[keyof typeof Part];

const LF = 0x0a;

export type ReadLimits = LineLimits & Pick<Http1Options, 'smallChunks'>;

/** First size of the gathering buffer; it doubles. */
const LEAST_GATHER_BYTES = 256;

export class RequestReader implements LineSink {
  readonly #sink: RequestSink;
  readonly #options: ReadLimits;
  readonly #pieces: ContentPieces;
  readonly #lines: LineReader;
  #part: Part = Part.Lines;
  /** A line that earlier chunks began. */
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;
  /** Content that is still to come; with chunks it is the chunk reader's business. */
  #remaining = 0;
  #chunks: ChunkReader | null = null;
  /** Of the connection, as soon as it has sent chunks. */
  #chunkBudget: ChunkBudget | null = null;

  constructor(sink: RequestSink, options: ReadLimits, sections: FieldSections, pieces: ContentPieces) {
    this.#sink = sink;
    this.#options = options;
    this.#pieces = pieces;
    this.#lines = new LineReader(this, options, sections);
  }

  /** A request line has begun and its head is not whole. Empty lines begin nothing. */
  get isWithinHead(): boolean {
    return this.#part === Part.Lines && this.#lines.isWithinHead;
  }

  /** The head, content or trailers of a request are not whole. */
  get isWithinMessage(): boolean {
    return this.#part === Part.Lines ? this.#lines.isWithinSection : this.#part !== Part.Nothing;
  }

  /** So much time has passed. */
  advance(elapsedMs: number): void {
    this.#chunkBudget?.refill(elapsedMs);
  }

  /** Nothing is read any more. Mostly called by the sink, from within `read`. */
  stop(): void {
    this.#part = Part.Nothing;
    this.#gathered = null;
    this.#gatheredBytes = 0;
    this.#lines.stop();
  }

  /**
   * Reads all of the chunk, unless stopped on the way.
   * @returns the offset behind what was read
   */
  read(chunk: Uint8Array): number {
    const end = chunk.length;
    let at = 0;
    this.#lines.beginChunk();
    while (at < end && this.#part !== Part.Nothing) {
      if (this.#part === Part.Content) at = this.#readContent(chunk, at, end);
      else if (this.#part === Part.Chunks) at = this.#readChunks(chunk, at, end);
      else if (this.#gatheredBytes > 0) at = this.#readGathered(chunk, at, end);
      else at = this.#readWhole(chunk, at, end);
    }
    if (this.#part === Part.Nothing) this.#pieces.clear();
    else this.#pieces.flush(this.#sink, false);
    return at;
  }

  // ---- lines

  /** Lines that lie in the chunk; what is left of one is gathered. */
  #readWhole(chunk: Uint8Array, at: number, end: number): number {
    const lines = this.#lines;
    const base = lines.read(chunk, at, at, end, false);
    // Behind a section something else may begin.
    if (base >= end || this.#part !== Part.Lines || base + lines.scannedBytes < end) return base;
    this.#gather(chunk, base, end);
    return end;
  }

  /** The rest of a line that earlier chunks began. */
  #readGathered(chunk: Uint8Array, at: number, end: number): number {
    let to = at;
    while (to < end && chunk[to] !== LF) to++;
    if (to < end) to++;
    this.#gather(chunk, at, to);
    const gathered = this.#gathered as Buffer;
    const bytes = this.#gatheredBytes;
    // A line ends in the first LF there is, so that nothing lies behind it.
    const base = this.#lines.read(gathered, 0, this.#lines.scannedBytes, bytes, true);
    if (base === bytes || this.#part !== Part.Lines) {
      this.#gathered = null;
      this.#gatheredBytes = 0;
    }
    return to;
  }

  #gather(chunk: Uint8Array, start: number, end: number): void {
    const have = this.#gatheredBytes;
    const count = end - start;
    let gathered = this.#gathered;
    if (gathered === null || gathered.length < have + count) {
      const larger = Buffer.allocUnsafe(Math.max(LEAST_GATHER_BYTES, 2 * (have + count)));
      if (gathered !== null) copyBytes(larger, 0, gathered, 0, have);
      gathered = larger;
      this.#gathered = gathered;
    }
    copyBytes(gathered, have, chunk, start, end);
    this.#gatheredBytes = have + count;
  }

  onHeadLines(method: string, target: Target, version: Version, section: FieldSection): void {
    const { contentLength } = section;
    this.#remaining = contentLength;
    // Set before the call: the sink may stop us.
    if (contentLength === CHUNKED) {
      this.#chunkBudget ??= new ChunkBudget(this.#options.smallChunks);
      this.#chunks = new ChunkReader(this.#chunkBudget);
      this.#part = Part.Chunks;
    } else if (contentLength > 0) this.#part = Part.Content;
    this.#sink.onHead(method, target, version, section);
  }

  onTrailerLines(fields: string[]): void {
    if (fields.length === 0) this.#pieces.flush(this.#sink, true);
    else {
      this.#pieces.flush(this.#sink, false);
      this.#sink.onTrailers(fields);
    }
  }

  onLineFault(refusal: Refusal): void {
    this.#refuse(refusal);
  }

  // ---- content

  #readContent(chunk: Uint8Array, at: number, end: number): number {
    const count = Math.min(this.#remaining, end - at);
    this.#remaining -= count;
    const last = this.#remaining === 0;
    if (last) this.#part = Part.Lines;
    this.#sink.onContent(chunk, at, at + count, last);
    return at + count;
  }

  #readChunks(chunk: Uint8Array, at: number, end: number): number {
    const chunks = this.#chunks as ChunkReader;
    while (this.#part === Part.Chunks) {
      switch (chunks.read(chunk, at, end)) {
        case ChunkVerdict.More:
          return end;
        case ChunkVerdict.Content:
          this.#pieces.add(this.#sink, chunk, chunks.start, chunks.end);
          at = chunks.end;
          break;
        case ChunkVerdict.Last:
          this.#chunks = null;
          this.#lines.beginTrailers();
          this.#part = Part.Lines;
          return chunks.end;
        case ChunkVerdict.Malformed:
          this.#refuse({ status: 400, why: chunks.why });
          return end;
      }
    }
    return at;
  }

  #refuse(refusal: Refusal): void {
    // What came before the fault is content all the same.
    this.#pieces.flush(this.#sink, false);
    this.stop();
    this.#sink.onReadFault(refusal);
  }
}
